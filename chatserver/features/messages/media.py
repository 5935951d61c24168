"""The pictures, to whoever may read the room."""

from __future__ import annotations

import asyncio

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import State
from chatserver.http.headers import MEDIA_POLICY
from chatserver.http.keys import MEDIA, ROOM

_TYPES = {".webp": "image/webp", ".jpg": "image/jpeg"}


async def get(request: web.Request) -> web.StreamResponse:
    """One file. Refuses with `gone` what was recalled or deleted, with `not_found` what is not there."""
    folder, name = request.match_info["folder"], request.match_info["name"]
    path = request.app[MEDIA].path(f"{folder}/{name}")
    if path is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    if folder == "images":
        state = await request.app[ROOM].history.state_of_media(name.partition(".")[0])
        if state is not State.LIVE:
            raise DomainError(ErrorCode.NOT_FOUND if state is None else ErrorCode.GONE)
    # aiohttp would say 404 as well, but as an empty picture that may be kept for a year.
    if not await asyncio.to_thread(path.is_file):
        raise DomainError(ErrorCode.NOT_FOUND)
    # A message's picture can be recalled, so it is asked for each time; a face has a new name when it changes.
    cache = "private, no-cache" if folder == "images" else "private, max-age=31536000, immutable"
    headers = {"Cache-Control": cache, "Content-Security-Policy": MEDIA_POLICY, "Content-Disposition": "inline"}
    response = web.FileResponse(path, headers=headers)
    response.content_type = _TYPES[path.suffix]
    return response
