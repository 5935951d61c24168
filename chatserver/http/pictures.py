"""An uploaded file on its way to a stored picture: through the workers, onto the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from chatserver.core.errors import DomainError
from chatserver.core.model import StoredImage
from chatserver.http.keys import FORM, MEDIA, SETTINGS, WORKERS


async def take_picture(request: web.Request, folder: str = "images") -> StoredImage | None:
    """The form's `image`, re-encoded and stored; None when none was sent.

    Refuses with `image_unreadable`, `image_too_large`, `image_unsupported`, `busy`, `storage_full`.
    """
    upload = request[FORM].files.get("image")
    if upload is None:
        return None
    rendered = await request.app[WORKERS].picture(upload, request.app[SETTINGS].now.image_max_bytes)
    return await request.app[MEDIA].store_picture(rendered, folder)


async def take_avatar(request: web.Request) -> str:
    """The name of the form's `avatar`, re-encoded and stored; "" when none was sent."""
    upload = request[FORM].files.get("avatar")
    if upload is None:
        return ""
    return await request.app[MEDIA].store_avatar(await request.app[WORKERS].avatar(upload))


@asynccontextmanager
async def kept_if_used(request: web.Request, *names: str) -> AsyncIterator[None]:
    """The files go when the block refuses, and stay when it succeeds: no file without its row.

    They stay too when it is cancelled: the writer may have stored the row all the same, and a file
    that nobody knows is swept at the next start.
    """
    try:
        yield
    except DomainError:
        await request.app[MEDIA].erase([name for name in names if name])
        raise


async def drop(request: web.Request, picture: StoredImage) -> None:
    """Erase a stored picture that no row names."""
    await request.app[MEDIA].erase([picture.image, picture.thumb])
