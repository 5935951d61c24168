"""A whole room without a socket: a real database, a clock that a test moves, and the published events."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from chatserver import binding
from chatserver.core.errors import Code, DomainError
from chatserver.core.events import ContentErased, Event
from chatserver.core.model import Message, Role, State, StoredImage, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names
from chatserver.features.accounts import store as account_store
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.messages.media import state_of
from chatserver.features.messages.post import Draft, Posted
from chatserver.media.files import MediaFiles
from chatserver.media.workers import ImageWorkers
from chatserver.realtime.hub import Hub
from chatserver.realtime.publisher import Publisher
from chatserver.server import Room
from tests import made_once
from tests.support import FakeClock, make_config

T = TypeVar("T")


class Stage:
    """The room, its members, and `events`: all published events, in order."""

    publisher: Publisher

    def __init__(self, database: Database, room: Room, clock: FakeClock) -> None:
        self.database = database
        self.room = room
        self.clock = clock
        self.events: list[Event] = []
        self.copies: list[StoredImage] = []

    def set(self, **changes: Any) -> None:
        """Put other settings in force."""
        self.room.settings.now = replace(self.room.settings.now, **changes)

    async def join(self, name: str, role: Role = Role.MEMBER) -> User:
        """Add a member with a row but no password; a bot gets a token too."""
        user = await self.database.run(
            lambda tx: account_store.insert(tx, name, names.skeleton(name), "none", role, "", self.clock.now_ms())
        )
        assert user is not None
        if role is Role.BOT:
            insert = "INSERT INTO bots (user_id, token_hash, made_by, created_ms) VALUES (?1, CAST(?1 AS BLOB), ?1, 0)"
            await self.sql(insert, user.id)
        return user

    async def log_in(self, name: str, password: str, address: str) -> User:
        return (await self.room.login.authenticate(name, password, address)).user

    async def say(self, author: User, text: str = "你好", **draft: Any) -> Posted:
        return await self.room.post.post(author, Draft(text, **draft))

    async def said(self, author: User, text: str = "你好", **draft: Any) -> Message:
        """Post after the send interval. Returns the message."""
        self.clock.forward(self.room.settings.now.send_interval)
        return (await self.say(author, text, **draft)).message

    async def state_of_media(self, key: str) -> State | None:
        """The state of the message that has this picture."""
        return await self.database.run(lambda tx: state_of(tx, key))

    async def sql(self, sql: str, *values: Any) -> list[Any]:
        return await self.database.run(lambda tx: tx.all(sql, values))

    async def run(self, unit: Callable[[Transaction], T]) -> T:
        return await self.database.run(unit)

    def files(self) -> bytes:
        """Every byte of the database's files."""
        return b"".join(file.read_bytes() for file in self.database.path.parent.glob("chat.db*"))

    def told(self, *kinds: type[Any]) -> list[Any]:
        """The events of these kinds (all, if none is named). Forgets all events so far."""
        found = [event for event in self.events if not kinds or isinstance(event, kinds)]
        self.events.clear()
        return found

    def happened(self) -> list[str]:
        """The names of the events so far, without the erasures. Forgets them."""
        found = [type(event).__name__ for event in self.events if not isinstance(event, ContentErased)]
        self.events.clear()
        return found


class CountedCopies(MediaFiles):
    """Copies pictures without files. `copies` lists the copied names."""

    def __init__(self, root: Path, copies: list[StoredImage]) -> None:
        super().__init__(root)
        self._copies = copies

    async def copy(self, stored: StoredImage) -> StoredImage:
        self._copies.append(stored)
        number = len(self._copies)
        return replace(stored, image=f"images/copy{number}.webp", thumb=f"images/copy{number}.thumb.webp")


@asynccontextmanager
async def staged(data_dir: Path, clock: FakeClock, **settings: Any) -> AsyncIterator[Stage]:
    """Open a room, and close it at the end. Over the same directory it is the room after a restart."""
    made_once.empty_database(data_dir / "chat.db")
    database = await Database.open(data_dir / "chat.db")
    hasher = PasswordHasher(4)
    hub = Hub(clock)
    copies: list[StoredImage] = []
    files = CountedCopies(data_dir / "media", copies)
    room = Room(make_config(data_dir, **settings), {}, database, clock, hasher, files, ImageWorkers(), hub)
    database.before_each_commit(room.expiry.trim)
    await database.keep_rows("users", account_store.ACCOUNT_COLUMNS)
    stage = Stage(database, room, clock)
    stage.copies = copies
    stage.publisher = publisher = Publisher(hub)
    binding.subscribe(publisher, room.features())

    def publish(events: list[Event]) -> None:
        stage.events.extend(events)
        publisher(events)

    database.publish_to(publish)
    try:
        yield stage
    finally:
        room.presence.stop()
        hasher.close()
        await database.close()


@asynccontextmanager
async def held_up(database: Database) -> AsyncIterator[None]:
    """Block the database's thread during the block, so that new functions wait in the queue."""
    begun, gate = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def wait(tx: Transaction) -> None:
        loop.call_soon_threadsafe(begun.set)
        assert gate.wait(120)

    waiting = asyncio.create_task(database.run(wait))
    await begun.wait()
    try:
        yield
    finally:
        gate.set()
        await waiting


class refuses:
    """`with refuses(Code.EMPTY) as caught:` checks that the block raises this error; `caught.details` are its
    details."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self.details: dict[str, Any] = {}

    def __enter__(self) -> refuses:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if error is None:
            pytest.fail(f"was not refused; {self._code} was expected")
        if not isinstance(error, DomainError):
            return False
        assert error.code is self._code, f"refused with {error}, not {self._code}"
        self.details = error.details
        return True


PICTURE = StoredImage("images/abc.webp", "images/abc.thumb.webp", 1280, 960)
