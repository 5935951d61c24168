"""Copies the database for a backup or an export while the server runs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chatserver.core.clock import Clock
from chatserver.db import page_copy, sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction

# Called with the names of all files that the copy may refer to, before any of these files can be erased.
Pin = Callable[[list[str]], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """Describes a copy: `seq` is the number of its last change, `files` are the media files that it refers to."""

    epoch: str
    seq: int
    messages: int
    created_ms: int
    files: tuple[str, ...]


class DatabaseCopier:
    """`trim` erases the messages that are too old; `files_in_use` names all files of the media directory."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        trim: Callable[[Transaction], None],
        files_in_use: Callable[[Transaction], list[str]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._trim = trim
        self._files_in_use = files_in_use

    async def copy(self, path: Path, pin: Pin) -> Copied:
        """Copy the database into a new file at `path`, with the state after one commit and without erased content.

        `pin` is called between two commits, in the database's thread, so that no file that the copy refers
        to can be erased before. Messages that are too old are left out of the copy, also if no server runs
        that would erase them. Raises OSError and sqlite3.Error.
        """

        def copy_pages(raw: sqlite3.Connection) -> None:
            page_copy.copy_pages(raw, path)
            pin(self._files_in_use(Transaction(raw)))

        await self._database.between_batches(copy_pages)
        return await asyncio.to_thread(lambda: page_copy.finish(path, self._trim_and_describe))

    def _trim_and_describe(self, copy: Transaction) -> Copied:
        self._trim(copy)  # the events that `trim` announces are not published
        now = sequence.read(copy)
        count = copy.one("SELECT count(*) FROM messages WHERE state <> 'deleted'")[0]
        return Copied(now.epoch, now.seq, count, self._clock.now_ms(), tuple(self._files_in_use(copy)))
