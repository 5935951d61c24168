"""The room's own pictures: the announcement that everyone can open, and the preset picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import AnnouncementChanged, ContentErased, MessagePosted
from chatserver.core.model import Kind, Message, Preset, StoredImage, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.announcements import store
from chatserver.features.messages import store as message_store
from chatserver.features.messages.post import media_key
from chatserver.features.settings.settings import Settings

# Makes a message's own copy of a stored picture, so that a recall can erase the one and not the other.
Copy = Callable[[StoredImage], Awaitable[StoredImage]]


class Announcements:
    def __init__(self, database: Database, settings: Settings, clock: Clock, copy: Copy) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._copy = copy

    async def announce(self, actor: User, picture: StoredImage) -> None:
        """Replace the announcement picture, for everyone at once. Refuses with `forbidden`."""
        await self._database.run(lambda tx: self._announce(tx, actor, picture))

    async def replace_preset(self, actor: User, picture: StoredImage) -> None:
        """Replace the preset picture. Refuses with `forbidden`."""
        await self._database.run(lambda tx: self._put(tx, actor, store.PRESET, picture))

    async def post_preset(self, actor: User) -> Message:
        """Post the preset picture. Refuses with `forbidden`, and with `not_found` when there is none."""
        preset = await self._database.run(lambda tx: self._preset(tx, actor))
        picture = await self._copy(preset)
        return await self._database.run(lambda tx: self._post(tx, actor, picture))

    def _announce(self, tx: Transaction, actor: User, picture: StoredImage) -> None:
        self._put(tx, actor, store.ANNOUNCEMENT, picture)
        tx.announce(AnnouncementChanged(picture.image))

    def _put(self, tx: Transaction, actor: User, name: str, picture: StoredImage) -> None:
        actor = permissions.administrator(tx, actor)
        before = store.get(tx, name)
        store.put(tx, name, picture, self._clock.now_ms(), actor.id)
        if before:
            tx.announce(ContentErased((before.image, before.thumb)))

    def _preset(self, tx: Transaction, actor: User) -> StoredImage:
        permissions.administrator(tx, actor)
        picture = store.get(tx, store.PRESET)
        if picture is None:
            raise DomainError(ErrorCode.NOT_FOUND)
        return picture

    def _post(self, tx: Transaction, actor: User, picture: StoredImage) -> Message:
        actor = permissions.administrator(tx, actor)
        now_ms = self._clock.now_ms()
        message = message_store.insert(
            tx,
            message_store.NewMessage(
                author=actor,
                kind=Kind.PRESET,
                text="",
                picture=picture,
                media_key=media_key(picture),
                reply_to=None,
                client_id="",
                client_key=None,
                created_ms=now_ms,
                recall_until_ms=now_ms + int(self._settings.now.recall_seconds * 1000),
                preset=Preset.PICTURE,
            ),
        )
        assert message is not None  # it has no `client_id` that could have been used before
        tx.announce(MessagePosted(message))
        return message
