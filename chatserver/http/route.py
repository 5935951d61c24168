"""The routes of a feature as plain data. The server binds them to the feature's object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiohttp import web

from chatserver.http.access import Access

Handler = Callable[..., Awaitable[web.StreamResponse]]

# The id of a message, a member or a window: positive, and small enough for SQLite's 64 bits.
ID = r"{id:[1-9]\d{0,17}}"


class Route(NamedTuple):
    """`handler` is a method of the class that lists the route; `access` says who may use the route.

    A GET answers HEAD too, unless `has_head` is false (a WebSocket handshake). `file` is the field of a form that
    may have a file, "" for none: an upload to any other route is refused before a byte of it is stored. `bots`: bots
    may use the route too, although it is not only for reading. `title` is the key of a page's title: all pages of
    administrators list the pages of administrators that have a title.
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
