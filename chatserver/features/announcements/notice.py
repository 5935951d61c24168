"""The notice: a few lines that administrators pin above the conversation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError
from chatserver.core.events import ContentErased, Event
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.accounts.events import MemberChanged
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.messages.answer import text_of
from chatserver.features.messages.text import checked
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.page_context import local_time
from chatserver.http.route import Route
from chatserver.http.viewer import member_of, wants_html, wants_json
from chatserver.i18n import translator

TEXT_MAX = 500


@dataclass(frozen=True, slots=True)
class NoticeChanged(Event):
    """The present notice; `text` is "" if it was removed. Frame `notice`."""

    text: str
    by_id: int
    by: str
    changed_ms: int

    def as_json(self) -> dict[str, Any]:
        return {"text": self.text, "by": self.by, "changed_ms": self.changed_ms}

    def frame(self) -> bytes:
        return json.dumps({"type": "notice", **self.as_json()})


class Notice:
    """Call `load` before `hello_fields` and before the page is served."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # The notice from the last event; None if there is no notice.
        self._current: NoticeChanged | None = None

    async def load(self) -> None:
        """Read the notice. Call it before the first event is published."""
        self._current = await self._database.run(_stored)

    async def put(self, actor: User, text: str) -> NoticeChanged:
        """Replace the notice for all readers; an empty `text` removes it. The old text is erased from disk within 60 s.

        Raises DomainError: `forbidden`, `banned`, `muted`, `too_long`, `bad_request`.
        """
        new = checked(text, TEXT_MAX, may_be_empty=True)
        return await self._database.run(lambda tx: self._put(tx, actor, new))

    def hello_fields(self) -> dict[str, Any]:
        """Fields of `hello` and of the page."""
        return {"notice": self._current.as_json() if self._current else None}

    def plain(self, language: str, zone: ZoneInfo) -> bytes:
        """The notice as HTML for browsers without scripts, with the time in `zone`; empty if there is no notice."""
        notice, t = self._current, translator(language)
        if notice is None:
            return b""
        time = datetime.fromtimestamp(notice.changed_ms / 1000, zone).strftime("%m-%d %H:%M")
        return (
            f'<section class="pinned" aria-label="{escape(t("room.notice"))}"><div class="pinned-full">'
            f'<p class="message-text" dir="auto">{escape(notice.text, quote=False)}</p>'
            f'<p class="pinned-by"><bdi>{escape(notice.by)}</bdi> <time>{time}</time></p></div></section>'
        ).encode()

    def on_changed(self, event: NoticeChanged) -> None:
        self._current = event if event.text else None

    def on_member_changed(self, event: MemberChanged) -> None:
        if self._current and self._current.by_id == event.user.id:
            self._current = replace(self._current, by=event.user.name)

    async def get_page(self, request: web.Request) -> web.Response:
        """A form, for browsers without scripts. As JSON `{"notice": …}`, the fields of the frame or null."""
        if wants_json(request):
            return responses.as_json(self.hello_fields())
        return responses.page(request, "notice.html", self._page(request))

    async def on_form(self, request: web.Request) -> web.Response:
        """Field: `text`. Answers 200 with the fields of the frame, or a browser's form with 303 to the room."""
        typed = await text_of(request, "text")
        try:
            changed = await self.put(member_of(request), typed)
        except DomainError as error:
            if not wants_html(request):
                raise
            return responses.refused_form(request, error, "notice.html", {**self._page(request), "typed": typed})
        return responses.see_other("/") if wants_html(request) else responses.as_json(changed.as_json())

    def _page(self, request: web.Request) -> dict[str, Any]:
        notice = self._current
        shown = {"by": notice.by, "time": local_time(request, notice.changed_ms)} if notice else None
        return {"notice": shown, "typed": notice.text if notice else "", "text_max": TEXT_MAX, "error": None}

    def _put(self, tx: Transaction, actor: User, text: str) -> NoticeChanged:
        now_ms = self._clock.now_ms()
        actor = permissions.require_speaking_administrator(tx, actor, now_ms)
        was_there = tx.execute("DELETE FROM notice").rowcount > 0
        if was_there:
            tx.announce(ContentErased())
        if text:
            tx.execute(
                "INSERT INTO notice (id, text, changed_ms, changed_by) VALUES (1, ?, ?, ?)", (text, now_ms, actor.id)
            )
        if text or was_there:
            record(tx, now_ms, AuditAct.NOTICE_CHANGE if text else AuditAct.NOTICE_REMOVE, actor)
        changed = NoticeChanged(text, actor.id, actor.name, now_ms)
        tx.announce(changed)
        return changed

    ROUTES = (
        Route("GET", "/notice/", get_page, Access.ADMINISTRATOR, title="room.notice"),
        Route("POST", "/notice/", on_form, Access.ADMINISTRATOR),
    )
    LISTENERS = ((NoticeChanged, on_changed), (MemberChanged, on_member_changed))


def erased_notice(tx: Transaction) -> Callable[[Transaction], int]:
    """Read the notice. The returned function deletes any other notice from an upgrade copy.

    A copy with an older schema has no notice.
    """
    current = _stored(tx)
    text = current.text if current else ""

    def erase(copy: Transaction) -> int:
        if copy.one("SELECT 1 FROM sqlite_schema WHERE name = 'notice'") is None:
            return 0
        return copy.execute("DELETE FROM notice WHERE text <> ?", (text,)).rowcount

    return erase


def _stored(tx: Transaction) -> NoticeChanged | None:
    row = tx.one("SELECT n.text, u.id, u.name, n.changed_ms FROM notice n JOIN users u ON u.id = n.changed_by")
    return NoticeChanged(*row) if row else None
