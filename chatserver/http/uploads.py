"""Turns an uploaded file into a stored picture: the picture workers encode it again, then it is written to the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from aiohttp import web

from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError
from chatserver.core.model import StoredImage
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER, form_of
from chatserver.media.files import Folder, MediaFiles
from chatserver.media.workers import ImageWorkers


class Uploads:
    def __init__(self, settings: CurrentConfig, files: MediaFiles, workers: ImageWorkers) -> None:
        self._settings = settings
        self._files = files
        self._workers = workers

    async def take_picture(self, request: web.Request, folder: str = Folder.IMAGES) -> StoredImage | None:
        """Encode the form's `image` again and store it. None if no image was sent.

        Raises DomainError: `image_unreadable`, `image_too_large`, `image_unsupported`, `busy`, `storage_full`.
        """
        upload = form_of(request).files.get("image")
        if upload is None:
            return None
        rendered = await self._workers.picture(upload, self._settings.now.image_max_bytes, _owner(request))
        return await self._files.store_picture(rendered, folder)

    async def take_avatar(self, request: web.Request) -> str:
        """Encode the form's `avatar` again and store it. Returns its file name; "" if no avatar was sent."""
        upload = form_of(request).files.get("avatar")
        if upload is None:
            return ""
        return await self._files.store_avatar(await self._workers.avatar(upload, _owner(request)))

    @asynccontextmanager
    async def kept_if_used(self, *names: str) -> AsyncIterator[None]:
        """Erase the files if the block raises a DomainError, so that no file is without its row.

        The files stay if the block is cancelled, because the writer may have stored the row all the same. A file
        that no row names is deleted at the next start.
        """
        try:
            yield
        except DomainError:
            await self._files.erase([name for name in names if name])
            raise

    async def drop(self, picture: StoredImage) -> None:
        """Erase a stored picture that no row names."""
        await self._files.erase([picture.image, picture.thumb])


def _owner(request: web.Request) -> Hashable:
    """The owner of a picture's job in the queue of the workers: the member, or a guest's address at registration."""
    user = request[VIEWER].user
    return user.id if user else request.app[SITE].origin.address(request)
