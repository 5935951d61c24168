"""Removes erased content from every file of the database: the file itself, its log, and the copies of upgrades."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chatserver.db import upgrade_copy
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction

# Reads from the database what has been erased. Returns a function that erases the same in a copy, whose schema
# may be older, and returns how many rows it deleted.
FindErased = Callable[[Transaction], Callable[[Transaction], int]]


async def vacuum(database: Database, find_erased: FindErased) -> None:
    """Vacuum the database, and clean the copies. Raises sqlite3.Error and OSError if erased content may be left."""
    await database.vacuum()
    copies = await asyncio.to_thread(upgrade_copy.copies, database.path)
    if not copies:
        return
    erase = await database.run(find_erased)
    for copy in copies:
        await asyncio.to_thread(upgrade_copy.clean, copy, erase)
