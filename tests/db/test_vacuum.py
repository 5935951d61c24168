"""Recalled and expired content is in no byte of the database's files."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from chatserver.core.model import Kind, Role, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import store as account_store
from chatserver.features.messages import store as message_store
from chatserver.features.messages.delete import Delete
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.recall import Recall
from tests.support import FakeClock, make_config, no_orders

# How often a text repeats its secret, by the size of the rows: SQLite moves short rows, which share a page, and stores
# long rows in pages of their own.
SIZES = {"short": (1, 1, 1, 2, 2, 5, 5, 20, 60), "long": (1, 30, 100, 100, 300)}


class Story:
    """A busy room with posts, recalls, deletions and expiries. One seed gives the same room on every run."""

    def __init__(self, database: Database, author: User, seed: int, sizes: tuple[int, ...]) -> None:
        encoder = MessageEncoder(make_config(database.path.parent).timezone)
        self._recall = Recall(database, FakeClock(), encoder, no_orders)
        self._delete = Delete(database, FakeClock(), encoder, no_orders)
        self.author = author
        self.live: dict[int, str] = {}
        self.erased: list[str] = []
        self._random = random.Random(seed)
        self._sizes = sizes

    def go_on(self, tx: Transaction) -> None:
        for _ in range(50):
            turn = self._random.random()
            if turn < 0.6 or not self.live:
                self._post(tx)
            elif turn < 0.93:
                self._take_back(tx)
            else:
                self._expire(tx)

    def _post(self, tx: Transaction) -> None:
        secret = f"{self._random.getrandbits(64):016x}"
        key = hashlib.sha256(secret.encode()).digest()[:16]
        text = f"秘密{secret} " * self._random.choice(self._sizes)
        new = message_store.NewMessage(self.author, Kind.TEXT, text, 0, 0, client_id=secret, client_key=key)
        message = message_store.insert(tx, new)
        assert message is not None
        self.live[message.id] = secret

    def _take_back(self, tx: Transaction) -> None:
        message_id = self._random.choice(list(self.live))
        self.erased.append(self.live.pop(message_id))
        if self._random.random() < 0.5:
            self._recall._recall(tx, self.author, message_id, "", 0)
        else:
            self._delete._delete(tx, self.author, message_id, "", 0)

    def _expire(self, tx: Transaction) -> None:
        first_id = max(self.live) - self._random.randint(50, 300)
        tx.execute("DELETE FROM messages WHERE id < ?", (first_id,))
        for message_id in [message_id for message_id in self.live if message_id < first_id]:
            self.erased.append(self.live.pop(message_id))


def all_bytes(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.iterdir())


# With these seeds and short rows, `secure_delete` and an empty log are not enough: copies remain.
@pytest.mark.parametrize(("seed", "sizes"), [(30, "short"), (34, "short"), (38, "short"), (1, "long")])
async def test_erased_text_is_in_no_byte_of_the_files(tmp_path: Path, seed: int, sizes: str) -> None:
    database = await Database.open(tmp_path / "chat.db")
    try:
        author = await database.run(
            lambda tx: account_store.insert(tx, "小明", "小明", "hash", Role.ADMINISTRATOR, "avatars/a.webp", 0)
        )
        assert author is not None
        story = Story(database, author, seed, SIZES[sizes])
        for _ in range(40):
            await database.run(story.go_on)
        await database.vacuum()
        assert (tmp_path / "chat.db-wal").stat().st_size == 0
        stored = all_bytes(tmp_path)
    finally:
        await database.close()
    assert len(story.live) > 20 and len(story.erased) > 500
    assert [secret for secret in story.live.values() if secret.encode() not in stored] == []
    assert [secret for secret in story.erased if secret.encode() in stored] == []


async def test_emptying_the_log_changes_nothing_that_is_kept(tmp_path: Path) -> None:
    def dump(tx: Transaction) -> list[object]:
        tables = ("messages", "users", "room", "sqlite_sequence", "pragma_user_version", "pragma_application_id")
        return [tx.all(f"SELECT * FROM {table} ORDER BY 1") for table in tables]

    database = await Database.open(tmp_path / "chat.db")
    try:
        author = await database.run(
            lambda tx: account_store.insert(tx, "小明", "小明", "hash", Role.ADMINISTRATOR, "", 0)
        )
        assert author is not None
        story = Story(database, author, 9, SIZES["short"])
        await database.run(story.go_on)
        before = await database.run(dump)
        await database.vacuum()
        assert await database.run(dump) == before
    finally:
        await database.close()
