"""The first frame of every connection: `hello`."""

from __future__ import annotations

from collections.abc import Callable

from chatserver.core import json
from chatserver.core.model import User
from chatserver.features.presence.feature_fields import FeatureFields
from chatserver.http.encode import encoded_user
from chatserver.realtime import frames

PROTOCOL = 1

_SHAPE = (
    b'{"type":"hello","protocol":%d,"version":%b,"now_ms":%d,"user":%b,"read_id":%d,"muted_until_ms":%d,"online":%d,%b}'
)


class Hello:
    """Encodes `hello`. `version` is that of the static files, so that a page with other files can offer a reload.

    `muted_until` returns the end of a member's mute in Unix ms (0: not muted).
    """

    def __init__(self, feature_fields: FeatureFields, version: str, muted_until: Callable[[User | None], int]) -> None:
        self._feature_fields = feature_fields
        self._version = json.dumps(version)
        self._muted_until = muted_until

    def frame(self, user: User | None, read_id: int, online: int, now_ms: int) -> bytes:
        member = encoded_user(user) if user else b"null"
        known = (PROTOCOL, self._version, now_ms, member, read_id, self._muted_until(user), online)
        return frames.text(_SHAPE % (*known, self._feature_fields.encoded()))
