"""The announcement: one picture, which every reader can open at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import Event
from chatserver.core.model import StoredImage, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.announcements import store
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.encode import media_url
from chatserver.http.route import Route
from chatserver.http.uploads import Uploads
from chatserver.http.viewer import member_of, wants_json
from chatserver.media.files import Folder


@dataclass(frozen=True, slots=True)
class AnnouncementChanged(Event):
    """`image` is the name of the new picture's file. Frame `announcement`."""

    image: str

    def frame(self) -> bytes:
        return json.dumps({"type": "announcement", "image": media_url(self.image)})


class Announcement:
    """Call `load` before `hello_fields` and before the page is served."""

    def __init__(self, database: Database, clock: Clock, uploads: Uploads) -> None:
        self._database = database
        self._clock = clock
        self._uploads = uploads
        # The file of the present picture, from the last event; "" if there is no picture.
        self._image = ""

    async def load(self) -> None:
        """Read the present picture. Call it before the first event is published."""
        picture = await self._database.run(lambda tx: store.get(tx, store.ANNOUNCEMENT))
        self._image = picture.image if picture else ""

    async def announce(self, actor: User, picture: StoredImage) -> None:
        """Replace the picture for all readers. Raises DomainError: `forbidden`, `banned`, `muted`."""
        await self._database.run(lambda tx: self._announce(tx, actor, picture))

    def hello_fields(self) -> dict[str, Any]:
        """Fields of `hello` and of the page."""
        return {"announcement": media_url(self._image)}

    def on_changed(self, event: AnnouncementChanged) -> None:
        self._image = event.image

    async def get_page(self, request: web.Request) -> web.Response:
        return responses.page(request, "upload_global_background.html", {**self.hello_fields(), "error": None})

    async def on_form(self, request: web.Request) -> web.Response:
        """Field: the file `image`. Answers `{"image": URL}`, or a browser's form with 303 to the room."""
        try:
            picture = await self._uploads.take_picture(request, Folder.ANNOUNCEMENTS)
            if picture is None:
                raise DomainError(ErrorCode.EMPTY)
            async with self._uploads.kept_if_used(picture.image, picture.thumb):
                await self.announce(member_of(request), picture)
        except DomainError as error:
            return responses.refused_form(request, error, "upload_global_background.html", self.hello_fields())
        if wants_json(request):
            return responses.as_json({"image": media_url(picture.image)})
        return responses.see_other("/")

    def _announce(self, tx: Transaction, actor: User, picture: StoredImage) -> None:
        store.replace(tx, actor, store.ANNOUNCEMENT, picture, self._clock.now_ms())
        tx.announce(AnnouncementChanged(picture.image))

    ROUTES = (
        Route("GET", "/upload_global_background", get_page, Access.ADMINISTRATOR, title="page.announcement.title"),
        Route("POST", "/upload_global_background", on_form, Access.ADMINISTRATOR, file="image"),
    )
    LISTENERS = ((AnnouncementChanged, on_changed),)
