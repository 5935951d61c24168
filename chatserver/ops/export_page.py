"""Writes the exported messages as one HTML page for people, which any browser opens and which has no script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import quote

from chatserver.core.model import MARKS
from chatserver.i18n import translator

_HEAD = """<!DOCTYPE html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src *; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
body {{ margin: 2rem auto; max-width: 44rem; padding: 0 1rem; }}
article {{ border-block-start: 1px solid #8884; padding-block: .6rem; }}
header {{ font-size: .85rem; opacity: .8; }}
p {{ margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }}
.notice {{ border: 1px solid #8888; margin-block-end: 1rem; padding: .6rem; }}
.gone {{ font-style: italic; opacity: .6; }}
img {{ display: block; height: auto; margin-block-start: .4rem; max-width: 100%; }}
</style>
<h1>{title}</h1>
"""


def page(
    title: str, language: str, notice: dict[str, Any] | None, messages: Iterable[dict[str, Any]], pictures: str
) -> Iterable[str]:
    """Yield the page in parts.

    `notice` and `messages` are objects as export_rows.objects yields them; `pictures` is the name of the directory
    beside the page.
    """
    yield _HEAD.format(title=escape(title), language=escape(language))
    if notice is not None:
        yield _notice(notice, language)
    for message in messages:
        if message["state"] != "deleted":
            yield _article(message, language, pictures)
    yield "</html>\n"


def _notice(notice: dict[str, Any], language: str) -> str:
    who, when = escape(notice["changed_by_name"]), escape(notice["timestamp"])
    return (
        f'<section class="notice"><header>{escape(translator(language)("room.notice"))} · <b>{who}</b> '
        f"<time>{when}</time></header><p>{escape(notice['text'])}</p></section>\n"
    )


def _article(message: dict[str, Any], language: str, pictures: str) -> str:
    number, when = message["id"], escape(message["timestamp"])
    parts = [f'<article id="m{number}">', f"<header><b>{escape(message['user'])}</b> <time>{when}</time>"]
    if message["reply_to"]:
        parts.append(f' <a href="#m{message["reply_to"]}">↪ {message["reply_to"]}</a>')
    t = translator(language)
    parts += [f" {escape(t(f'script.mark_{mark}'))}" for field, mark in MARKS.items() if message[field] is not None]
    parts.append("</header>")
    if message["state"] == "recalled":
        parts.append(f'<p class="gone">{escape(t("export.recalled"))}</p>')
    if message["text"]:
        parts.append(f"<p>{escape(message['text'])}</p>")
    if message["image"]:
        address = escape(quote(f"{pictures}/{message['image']}"))
        size = f'width="{message["width"]}" height="{message["height"]}"'
        parts.append(f'<a href="{address}"><img src="{address}" {size} alt="" loading="lazy"></a>')
    return "".join([*parts, "</article>\n"])
