"""The room's page: its shell rendered once for each kind of reader, what is the reader's own put in by joining."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jinja2

from chatserver.core.config import Config
from chatserver.core.model import REACTIONS, User
from chatserver.features.messages.recent import PAGE, Feed
from chatserver.features.presence.presence import Presence
from chatserver.http import encode
from chatserver.http.encode import Encoder, dumps
from chatserver.http.viewer import Viewer

# Placeholders in the rendered shell for the reader's token and the room's data; random, so no text holds them.
_TOKEN, _PAGE_DATA = (f"@{secrets.token_hex(12)}@" for _ in range(2))
_PLACES = re.compile(f"({_TOKEN}|{_PAGE_DATA})".encode())
_TEMPLATES = {"desktop": "chatroom.html", "mobile": "chatroom_mobile.html"}
SHELLS_MAX = 500


class RoomPage:
    """Rendering a template costs a millisecond, and readers of one language, theme and layout share
    all of it but a token and the messages: so shells are kept, split where those two go."""

    def __init__(self, environment: jinja2.Environment, feed: Feed, presence: Presence, wire_: Encoder) -> None:
        self._environment = environment
        self._feed = feed
        self._presence = presence
        self._wire = wire_
        self._shells: OrderedDict[tuple[Any, ...], list[bytes]] = OrderedDict()

    def render(
        self, viewer: Viewer, token: str, read_id: int, config: Config, globals_: Callable[[], dict[str, Any]]
    ) -> bytes:
        """The whole page, as bytes. `globals_` is asked for what the template uses, if it must be rendered."""
        key = (viewer.ui, viewer.language, viewer.theme, viewer.user, config.room_name, config.registration)
        shell = self._shells.get(key)
        if shell is None:
            shell = self._shells[key] = self._shell(viewer, globals_())
            if len(self._shells) > SHELLS_MAX:
                self._shells.popitem(last=False)
        own = {
            _TOKEN.encode(): [token.encode()],
            _PAGE_DATA.encode(): self._page_data(viewer.user, read_id, viewer.ui, config),
        }
        return b"".join([piece for part in shell for piece in own.get(part, (part,))])

    def _page_data(self, user: User | None, read_id: int, ui: str, config: Config) -> list[bytes]:
        """What the page's script starts from: the pieces of a JSON object that may stand in a data block."""
        feed = self._feed
        rest = {
            "seq": feed.seq,
            "first_id": feed.first_id,
            "epoch": feed.epoch,
            "now_ms": self._wire.now_ms(),
            "user": encode.user(user) if user else None,
            "read_id": read_id,
            "limits": encode.limits(config),
            "reactions": REACTIONS,
            "window": self._wire.window(feed.window) if feed.window else None,
            "announcement": encode.media_url(feed.announcement),
            "room_name": config.room_name,
            "ui": ui,
            "has_more": feed.has_more(PAGE),
        }
        return [b'{"messages":', feed.newest(PAGE), b",", self._presence.here()[1:-1], b",", dumps(rest)[1:]]

    def _shell(self, viewer: Viewer, globals_: dict[str, Any]) -> list[bytes]:
        context = {**globals_, "csrf_token": _TOKEN, "page_data": _PAGE_DATA}
        html = self._environment.get_template(_TEMPLATES[viewer.ui]).render(context)
        return _PLACES.split(html.encode())
