"""The room page: its shell is rendered once for each kind of reader; token and present state are joined in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from aiohttp import web

from chatserver.core import json
from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.model import REACTIONS, User
from chatserver.features.accounts.mutes import Mutes
from chatserver.features.messages.plain_history import PlainHistory
from chatserver.features.messages.read_marks import ReadMarks
from chatserver.features.messages.recent import PAGE, RecentMessages
from chatserver.features.presence.hello import Greeting
from chatserver.features.presence.presence import Presence
from chatserver.http import page_context, responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.route import Route
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER

# Placeholders in the rendered shell for the reader's token, the room's data, and the notice and the messages for those
# without scripts; random, so no text holds them.
_TOKEN, _PAGE_DATA, _NOTICE, _PLAIN = (f"@{secrets.token_hex(12)}@" for _ in range(4))
_PLACES = re.compile(f"({_TOKEN}|{_PAGE_DATA}|{_NOTICE}|{_PLAIN})".encode())
_TEMPLATES = {"desktop": "chatroom.html", "mobile": "chatroom_mobile.html"}
SHELLS_MAX = 500


class RoomPage:
    """Rendering the template takes 1 ms, and readers of one language, theme and layout share all of it

    but the token and the messages: so shells are kept, split where those two go.
    """

    def __init__(
        self,
        settings: CurrentConfig,
        clock: Clock,
        environment: jinja2.Environment,
        recent: RecentMessages,
        read_marks: ReadMarks,
        mutes: Mutes,
        presence: Presence,
        plain_notice: Callable[[str, ZoneInfo], bytes],
        greetings: Sequence[Greeting],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._environment = environment
        self._recent = recent
        self._read_marks = read_marks
        self._mutes = mutes
        self._plain = PlainHistory(recent)
        self._presence = presence
        self._plain_notice = plain_notice
        self._greetings = greetings
        self._shells: BoundedDict[tuple[Any, ...], list[bytes]] = BoundedDict(SHELLS_MAX)

    async def get(self, request: web.Request) -> web.StreamResponse:
        viewer = request[VIEWER]
        read_id = await self._read_marks.of_member(viewer.user) if viewer.user else 0
        page_data = self._page_data(viewer.user, read_id, viewer.ui)
        token = request.app[SITE].tokens.for_visitor(viewer.visitor).encode()
        zone = self._settings.now.timezone
        own = {
            _TOKEN.encode(): [token],
            _PAGE_DATA.encode(): page_data,
            _NOTICE.encode(): [self._plain_notice(viewer.language, zone)],
            _PLAIN.encode(): [self._plain.html(viewer.language, zone)],
        }
        body = b"".join([piece for part in self._shell(request) for piece in own.get(part, (part,))])
        return responses.prebuilt_page(request, body)

    def _page_data(self, user: User | None, read_id: int, ui: str) -> list[bytes]:
        """What the page's script starts from: the pieces of a JSON object for an HTML data block."""
        rest = {
            "now_ms": self._clock.now_ms(),
            "user": user_json(user) if user else None,
            "read_id": read_id,
            "muted_until_ms": self._mutes.until_ms(user),
            "reactions": REACTIONS,
            "room_name": self._settings.now.room_name,
            "ui": ui,
            "has_more": self._recent.has_more(PAGE),
        }
        for greeting in self._greetings:
            rest |= greeting()
        presence = self._presence.as_json()[1:-1]
        return [b'{"messages":', self._recent.newest(PAGE), b",", presence, b",", json.dumps(rest)[1:]]

    def _shell(self, request: web.Request) -> list[bytes]:
        viewer, config = request[VIEWER], self._settings.now
        muted_until_ms = self._mutes.until_ms(viewer.user)
        reader = (viewer.ui, viewer.language, viewer.theme, viewer.user, muted_until_ms)
        key = (*reader, config.room_name, config.registration)
        shell = self._shells.get(key)
        if shell is None:
            values = {
                **page_context.shared(request),
                "csrf_token": _TOKEN,
                "page_data": _PAGE_DATA,
                "plain_notice": _NOTICE,
                "plain_history": _PLAIN,
                "muted_until": self._end_of_mute(muted_until_ms) if muted_until_ms else "",
            }
            html = self._environment.get_template(_TEMPLATES[viewer.ui]).render(values)
            shell = self._shells[key] = _PLACES.split(html.encode())
        return shell

    def _end_of_mute(self, until_ms: int) -> str:
        """In the time zone of the room: "18:30", and with its date where that is another day."""
        zone = self._settings.now.timezone
        until, today = (datetime.fromtimestamp(ms / 1000, zone) for ms in (until_ms, self._clock.now_ms()))
        return until.strftime("%H:%M" if until.date() == today.date() else "%Y-%m-%d %H:%M")

    ROUTES = (Route("GET", "/", get, Access.READER),)
