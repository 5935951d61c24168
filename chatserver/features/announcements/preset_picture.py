"""The preset picture, which administrators can post repeatedly."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Message, Preset, StoredImage, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.announcements import store
from chatserver.features.messages.answer import change_answer
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.preset import post_preset
from chatserver.http.access import Access
from chatserver.http.route import Route
from chatserver.http.uploads import Uploads
from chatserver.http.viewer import member_of
from chatserver.media.files import Folder, MediaFiles


class PresetPicture:
    def __init__(
        self,
        database: Database,
        settings: CurrentConfig,
        clock: Clock,
        encoder: MessageEncoder,
        uploads: Uploads,
        files: MediaFiles,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._encoder = encoder
        self._uploads = uploads
        self._files = files

    async def replace(self, actor: User, picture: StoredImage) -> None:
        """Replace the preset picture. Raises DomainError: `forbidden`, `banned`, `muted`."""
        await self._database.run(lambda tx: store.replace(tx, actor, store.PRESET, picture, self._clock.now_ms()))

    async def post(self, actor: User) -> Message:
        """Post the preset picture. Raises DomainError: `forbidden`, `banned`, `muted`, `not_found`, `storage_full`.

        Each message has its own copy of the files, because a recall erases them.
        """
        preset = await self._database.run(lambda tx: _preset(tx, actor, self._clock.now_ms()))
        try:
            picture = await self._files.copy(preset)
        except DomainError as error:
            raise _none_chosen() if error.code is ErrorCode.NOT_FOUND else error from None
        async with self._uploads.kept_if_used(picture.image, picture.thumb):
            return await self._database.run(lambda tx: self._post(tx, actor, picture))

    async def on_form(self, request: web.Request) -> web.Response:
        """Post the preset picture; a file `image` replaces it first. Answers 201 with the message."""
        actor = member_of(request)
        picture = await self._uploads.take_picture(request, Folder.PRESETS)
        if picture is not None:
            async with self._uploads.kept_if_used(picture.image, picture.thumb):
                await self.replace(actor, picture)
        return change_answer(request, self._encoder, await self.post(actor), 201)

    def _post(self, tx: Transaction, actor: User, picture: StoredImage) -> Message:
        actor = permissions.require_speaking_administrator(tx, actor, self._clock.now_ms())
        now_ms, recall_ms = self._clock.now_ms(), self._settings.now.recall_ms
        return post_preset(tx, self._encoder, actor, Preset.PICTURE, now_ms, recall_ms, picture=picture)

    ROUTES = (Route("POST", "/send_preset_image/", on_form, Access.ADMINISTRATOR, file="image"),)


def _none_chosen() -> DomainError:
    return DomainError(ErrorCode.NOT_FOUND, reason="preset_picture")


def _preset(tx: Transaction, actor: User, now_ms: int) -> StoredImage:
    permissions.require_speaking_administrator(tx, actor, now_ms)
    picture = store.get(tx, store.PRESET)
    if picture is None:
        raise _none_chosen()
    return picture
