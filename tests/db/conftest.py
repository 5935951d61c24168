"""A database for each test, with a table that no feature knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.db.database import Database
from tests import made_once


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made_once.empty_database(tmp_path / "chat.db")
    opened = await Database.open(tmp_path / "chat.db")
    await opened.run(lambda tx: tx.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT)"))
    yield opened
    await opened.close()
