"""All that the room keeps, taken as a whole while it goes on: copied for a backup or an export, or looked over."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chatserver.core.clock import Clock
from chatserver.db import health, page_copy, sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.messages import files_in_use as files
from chatserver.features.messages.history import History

# Gets the names of the files that the copy may name, before any of them can be erased.
Hold = Callable[[list[str]], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """Where in the room's history the copy stands, how much is in it, and the files that it names."""

    epoch: str
    seq: int
    messages: int
    created_ms: int
    files: tuple[str, ...]


class DatabaseCopier:
    def __init__(self, database: Database, history: History, clock: Clock) -> None:
        self._database = database
        self._history = history
        self._clock = clock

    async def copy(self, path: Path, hold: Hold) -> Copied:
        """Copy the database into a new file at `path`: the state after one commit, and nothing that was erased.

        `hold` is called between two commits, in the database's thread: nothing that the copy names
        can be erased before. What is too old by now is left out of the copy, also where no server
        runs to erase it. Raises OSError and sqlite3.Error.
        """

        def take(raw: sqlite3.Connection) -> None:
            page_copy.copy_pages(raw, path)
            hold(files.in_use(Transaction(raw)))

        await self._database.between_batches(take)
        return await asyncio.to_thread(lambda: page_copy.settle(path, self._tidy))

    async def look(self) -> health.Health:
        """How the database is. Raises sqlite3.Error where it cannot be read."""
        return await self._database.between_batches(health.look)

    def _tidy(self, tx: Transaction) -> Copied:
        """A unit on the copy. What `trim` announces there is heard by nobody."""
        self._history.trim(tx)
        now = sequence.read(tx)
        count = tx.one("SELECT count(*) FROM messages WHERE state <> 'deleted'")[0]
        return Copied(now.epoch, now.seq, count, self._clock.now_ms(), tuple(files.in_use(tx)))
