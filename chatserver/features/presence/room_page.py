"""The room page. Its shell is rendered once for each kind of reader; the token and the present state are inserted."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
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
from chatserver.features.presence.feature_fields import FeatureFields
from chatserver.features.presence.presence import Presence
from chatserver.http import page_context, responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.route import Route
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER

# Placeholders in the rendered shell for content that differs between responses. They are random, so no text contains
# one. `_PAGE_DATA` is for the room's data, `_NOTICE` and `_PLAIN` for the notice and messages in browsers without
# scripts.
_PAGE_DATA, *_PLACES = (f"@{secrets.token_hex(12)}@" for _ in range(10))
_TOKEN, _MESSAGES, _PRESENCE, _NOW_MS, _READ_ID, _HAS_MORE, _ADDED, _NOTICE, _PLAIN = (
    place.encode() for place in _PLACES
)
_SPLIT = re.compile(f"({'|'.join(_PLACES)})".encode())
_TEMPLATES = {"desktop": "chatroom.html", "mobile": "chatroom_mobile.html"}
SHELLS_MAX = 500


class RoomPage:
    """Caches rendered shells, because rendering takes 1 ms and little differs between the responses to a reader.

    A shell is split at its placeholders. The pieces are 80 KB, and are sent without joining them.
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
        feature_fields: FeatureFields,
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
        self._feature_fields = feature_fields
        self._shells: BoundedDict[tuple[Any, ...], list[bytes]] = BoundedDict(SHELLS_MAX)

    async def get(self, request: web.Request) -> web.StreamResponse:
        user = request[VIEWER].user
        read_id = await self._read_marks.of_member(user) if user else 0
        return responses.prebuilt_page(request, self._pieces(request, read_id))

    def _pieces(self, request: web.Request, read_id: int) -> list[bytes]:
        """The page in its present state. Values for the page's data are JSON, the others are HTML."""
        viewer, zone = request[VIEWER], self._settings.now.timezone
        language = viewer.language
        present = {
            _TOKEN: request.app[SITE].tokens.for_visitor(viewer.visitor).encode(),
            _MESSAGES: self._recent.newest(PAGE),
            _PRESENCE: self._presence.as_json()[1:-1],
            _NOW_MS: b"%d" % self._clock.now_ms(),
            _READ_ID: b"%d" % read_id,
            _HAS_MORE: b"true" if self._recent.has_more(PAGE) else b"false",
            _ADDED: self._feature_fields.encoded(),
            _NOTICE: self._plain_notice(language, zone),
            _PLAIN: self._plain.html(language, zone),
        }
        return [present.get(piece, piece) for piece in self._shell(request, language)]

    def _shell(self, request: web.Request, language: str) -> list[bytes]:
        viewer, config = request[VIEWER], self._settings.now
        muted_until_ms = self._mutes.until_ms(viewer.user)
        reader = (viewer.ui, language, viewer.theme, viewer.user, muted_until_ms)
        key = (*reader, config.room_name, config.registration)
        shell = self._shells.get(key)
        if shell is None:
            values = {
                **page_context.shared(request),
                "csrf_token": _TOKEN.decode(),
                "page_data": _PAGE_DATA,
                "plain_notice": _NOTICE.decode(),
                "plain_history": _PLAIN.decode(),
                "muted_until": self._end_of_mute(muted_until_ms) if muted_until_ms else "",
            }
            html = self._environment.get_template(_TEMPLATES[viewer.ui]).render(values)
            data = _page_data(viewer.user, muted_until_ms, config.room_name, viewer.ui)
            shell = self._shells[key] = _SPLIT.split(html.encode().replace(_PAGE_DATA.encode(), data))
        return shell

    def _end_of_mute(self, until_ms: int) -> str:
        """Format the time in the room's time zone: "18:30", with the date before it if it is not today."""
        zone = self._settings.now.timezone
        until, today = (datetime.fromtimestamp(ms / 1000, zone) for ms in (until_ms, self._clock.now_ms()))
        return until.strftime("%H:%M" if until.date() == today.date() else "%Y-%m-%d %H:%M")

    ROUTES = (Route("GET", "/", get, Access.READER),)


def _page_data(user: User | None, muted_until_ms: int, room_name: str, ui: str) -> bytes:
    """The initial data of the page's script: a JSON object for an HTML data block, with placeholders."""
    of_shell = {
        "muted_until_ms": muted_until_ms,
        "reactions": REACTIONS,
        "room_name": room_name,
        "ui": ui,
    }
    shape = b'{"messages":%b,%b,"now_ms":%b,"user":%b,"read_id":%b,%b,"has_more":%b,%b}'
    member, rest = json.dumps(user_json(user) if user else None), json.dumps(of_shell)[1:-1]
    return shape % (_MESSAGES, _PRESENCE, _NOW_MS, member, _READ_ID, rest, _HAS_MORE, _ADDED)
