"""The newest messages as HTML, for browsers without JavaScript: the <noscript> part of the room page."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chatserver.core.model import MARKS, Message, State
from chatserver.features.messages.recent import PAGE, RecentMessages
from chatserver.i18n import translator

PLAIN_PAGE = 50
# Every reader's page contains this HTML, so there are fewer than PLAIN_PAGE messages if they are very long. The newest
# message is always there.
PLAIN_BYTES_MAX = 64 * 1024


class _Rendered(NamedTuple):
    """`page`: the JSON of the newest messages when they were rendered. Each change of a message makes a new object."""

    page: bytes
    messages: list[Message]
    zone: ZoneInfo
    rows: dict[int, bytes]
    html: bytes


class PlainHistory:
    """The HTML is rendered once for each language and change. Unchanged messages are not rendered again."""

    def __init__(self, recent: RecentMessages) -> None:
        self._recent = recent
        self._rendered: dict[str, _Rendered] = {}

    def html(self, language: str, zone: ZoneInfo) -> bytes:
        """One <p> for each message, oldest first, escaped; times in `zone`."""
        page = self._recent.newest(PAGE)
        known = self._rendered.get(language)
        if known is None or known.zone is not zone:
            known = _Rendered(b"", [], zone, {}, b"")
        if known.page is not page:
            messages = self._recent.newest_messages(PLAIN_PAGE)
            known = self._rendered[language] = _render(page, messages, zone, language, known)
        return known.html


def _render(page: bytes, messages: list[Message], zone: ZoneInfo, language: str, known: _Rendered) -> _Rendered:
    """`known`: the result before. A message that did not change is the same object, so its row is reused."""
    before = {message.id: message for message in known.messages}
    rows: dict[int, bytes] = {}
    left = PLAIN_BYTES_MAX
    for message in reversed(messages):
        is_same = before.get(message.id) is message and message.id in known.rows
        row = known.rows[message.id] if is_same else _row(message, zone, language)
        left -= len(row)
        if left < 0 and rows:
            break
        rows[message.id] = row
    return _Rendered(page, messages, zone, rows, b"\n".join(reversed(rows.values())))


def _row(message: Message, zone: ZoneInfo, language: str) -> bytes:
    name, t = escape(message.author.name), translator(language)
    if message.state is State.RECALLED:
        return f"<p>{escape(t('script.recalled', name=message.author.name))}</p>".encode()
    time = datetime.fromtimestamp(message.created_ms / 1000, zone).strftime("%m-%d %H:%M")
    for field, mark in MARKS.items():
        if getattr(message.added, field) is not None:
            time += f" · {escape(t(f'script.mark_{mark}'))}"
    text = f'<span dir="auto">{escape(message.text, quote=False)}</span>' if message.text else ""
    return f"<p><bdi>{name}</bdi> <time>{time}</time>{_picture(message)}{text}</p>".encode()


def _picture(message: Message) -> str:
    if not message.image:
        return ""
    thumb = escape(message.thumb or message.image)
    return f'<a href="/media/{escape(message.image)}"><img src="/media/{thumb}" alt="" loading="lazy"></a>'
