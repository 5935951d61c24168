"""An uploaded file on its way to a stored picture: through the picture workers, onto the disk."""

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
        """The form's `image`, encoded again and stored; None where none was sent.

        Raises DomainError: `image_unreadable`, `image_too_large`, `image_unsupported`, `busy`, `storage_full`.
        """
        upload = form_of(request).files.get("image")
        if upload is None:
            return None
        rendered = await self._workers.picture(upload, self._settings.now.image_max_bytes, _owner(request))
        return await self._files.store_picture(rendered, folder)

    async def take_avatar(self, request: web.Request) -> str:
        """The name of the form's `avatar`, encoded again and stored; "" where none was sent."""
        upload = form_of(request).files.get("avatar")
        if upload is None:
            return ""
        return await self._files.store_avatar(await self._workers.avatar(upload, _owner(request)))

    @asynccontextmanager
    async def kept_if_used(self, *names: str) -> AsyncIterator[None]:
        """The files are erased when the block raises a DomainError: no file without its row.

        They stay when it is cancelled: the writer may have stored the row all the same, and a file
        that no row names is swept at the next start.
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
    """Whose turn a picture takes: the member's, or that of a guest's address, who registers with an avatar."""
    user = request[VIEWER].user
    return user.id if user else request.app[SITE].origin.address(request)
