"""Serve the stored pictures to all who may read the room."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import State
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.http.access import Access
from chatserver.http.headers import MEDIA_POLICY
from chatserver.http.route import Route
from chatserver.media.files import MediaFiles
from chatserver.media.webp_copies import WebpCopies

_TYPES = {".webp": "image/webp", ".avif": "image/avif"}
_NAMES_AVIF = re.compile(r"(?:^|,)\s*image/avif\s*(?:;(?!\s*q=0(?:\.0*)?\s*(?:,|$))|,|$)", re.IGNORECASE)


class Media:
    def __init__(self, database: Database, files: MediaFiles, copies: WebpCopies) -> None:
        self._database = database
        self._files = files
        self._copies = copies

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Serve a file; for an AVIF, a WebP of the same picture if the client does not name `image/avif` in Accept.

        Raises DomainError: `gone` (recalled or deleted), `not_found`, and for a WebP that is not made yet `busy`.
        """
        folder, name = request.match_info["folder"], request.match_info["name"]
        path = self._files.path(f"{folder}/{name}")
        if path is None:
            raise DomainError(ErrorCode.NOT_FOUND)
        if folder == "images":
            state = await self._database.run(lambda tx: state_of(tx, name.partition(".")[0]))
            if state is not State.LIVE:
                raise DomainError(ErrorCode.NOT_FOUND if state is None else ErrorCode.GONE)
        # aiohttp would answer 404 as well, but as an empty picture that may be cached for a year.
        if not await asyncio.to_thread(path.is_file):
            raise DomainError(ErrorCode.NOT_FOUND)
        # A message's picture can be recalled, so it is requested each time; an avatar gets a new name when it changes.
        cache = "private, no-cache" if folder == "images" else "private, max-age=31536000, immutable"
        headers = {"Cache-Control": cache, "Content-Security-Policy": MEDIA_POLICY}
        if path.suffix == ".avif":
            # RFC 9110, section 12.5.5: a cache keeps one answer for each Accept.
            headers["Vary"] = "Accept"
            if not _reads_avif(request):
                path = await self._copies.path(f"{folder}/{name}")
        # The name with which a picture is saved, because the address of an AVIF may serve a WebP.
        headers["Content-Disposition"] = f'inline; filename="{path.name}"'
        response = web.FileResponse(path, headers=headers)
        response.content_type = _TYPES[path.suffix]
        return response

    ROUTES = (Route("GET", "/media/{folder}/{name}", get, Access.READER),)


def _reads_avif(request: web.Request) -> bool:
    """True if Accept names AVIF. A wildcard does not count, because browsers that cannot read AVIF send `*/*` too."""
    return _NAMES_AVIF.search(",".join(request.headers.getall("Accept", []))) is not None


def state_of(tx: Transaction, media_key: str) -> State | None:
    """The state of the message that the file belongs to; None if no message has it."""
    # The second condition repeats the condition of the index, because SQLite does not derive it from the first.
    row = tx.one("SELECT state FROM messages WHERE media_key = ? AND media_key <> ''", (media_key,))
    return State(row[0]) if row else None
