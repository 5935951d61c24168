"""The texts of notifications, in the language of the page on which they were turned on."""

from __future__ import annotations

from chatserver.core import json
from chatserver.core.model import Kind, Message
from chatserver.i18n import translator

SNIPPET_MAX = 120


def payload(title: str, body: str, topic: str, *, alerts: bool = True) -> bytes:
    """The JSON for the service worker: `title`, `body`, `tag`, `alerts`.

    `tag` is the same as in the page's own notifications (static/js/features/notifications.js), so that one replaces
    the other. Without `alerts` the notification replaces the shown notification without a sound.
    """
    return json.dumps({"title": title, "body": body, "tag": topic, "alerts": alerts})


def window_opened(language: str, title: str) -> str:
    t = translator(language)
    return t("push.opened_titled", title=title) if title else t("push.opened")


def window_closes(language: str, title: str) -> str:
    t = translator(language)
    return t("push.closes_titled", title=title) if title else t("push.closes")


def named(language: str, message: Message, how: str, with_words: bool) -> str:
    """`how`: `mention`, `all` or `reply`."""
    t, name = translator(language), message.author.name
    if not with_words:
        return t(f"push.how_{how}", name=name)
    text = _snippet(message.text) or (t("push.picture") if message.kind is Kind.IMAGE else "")
    return t("push.words", name=name, text=text)


def gone(language: str) -> str:
    """The text in place of a message that was recalled or deleted."""
    t = translator(language)
    return t("push.gone")


def replaced(language: str, message: Message) -> str:
    """The text in place of a message that does not mention the member any more."""
    t = translator(language)
    return t("push.replaced", name=message.author.name)


def _snippet(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SNIPPET_MAX else f"{line[:SNIPPET_MAX]}…"
