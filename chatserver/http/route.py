"""What a feature says of its routes: plain data, bound to the feature's object by the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiohttp import web

from chatserver.http.access import Access

Handler = Callable[..., Awaitable[web.StreamResponse]]

# A message, a member, a window: positive, and small enough for SQLite's 64 bits.
ID = r"{id:[1-9]\d{0,17}}"


class Route(NamedTuple):
    """`handler` is a method of the class that lists the route; `access` says who may use it.

    A GET answers HEAD too, unless `has_head` is false (a WebSocket handshake). `file` is the field of a form that
    may hold a file, "" for none: an upload to any other route is refused before a byte of it is stored. `bots`: a bot
    may use it too, although it is not for reading alone. `title` is the key of a page's title: a page of administrators
    that has one is listed on all of them.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    access: Access
    has_head: bool = True
    file: str = ""
    bots: bool = False
    title: str = ""


def path_id(request: web.Request) -> int:
    """The `{id}` of the path."""
    return int(request.match_info["id"])
