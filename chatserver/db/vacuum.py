"""Erased content leaves every file that is the database's: it, its log, and what upgrades left beside it."""

from __future__ import annotations

import asyncio

from chatserver.db import sequence, upgrade_copy
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction


async def vacuum(database: Database) -> None:
    """Raises sqlite3.Error and OSError when something may be left."""
    await database.vacuum()
    copies = await asyncio.to_thread(upgrade_copy.copies, database.path)
    if not copies:
        return
    first_id, erased = await database.run(_gone)
    for copy in copies:
        await asyncio.to_thread(upgrade_copy.clean, copy, first_id, erased)


def _gone(tx: Transaction) -> tuple[int, list[int]]:
    """The id below which nothing is kept, and those above it that were taken back."""
    rows = tx.all("SELECT id FROM messages WHERE state <> 'live'")
    return sequence.read(tx).first_id, [row[0] for row in rows]
