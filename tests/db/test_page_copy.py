"""The copy of the database for a backup is always one file, on every version of SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from chatserver.db import page_copy
from chatserver.db.transaction import Transaction


def test_a_copy_has_no_journal_beside_it(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    copy = copies / "copy"
    with closing(sqlite3.connect(tmp_path / "chat.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("CREATE TABLE texts (text TEXT)")
        raw.execute("INSERT INTO texts VALUES ('one')")
        page_copy.copy_pages(raw, copy)

    def erase(transaction: Transaction) -> set[str]:
        transaction.all("DELETE FROM texts")
        return {path.name for path in copies.iterdir()}

    # With journal mode MEMORY, SQLite 3.44 and newer leave the journal file of the mode DELETE.
    assert page_copy.finish(copy, erase) == {"copy"}
    assert {path.name for path in copies.iterdir()} == {"copy"}
    with closing(sqlite3.connect(copy)) as read:
        assert read.execute("SELECT count(*) FROM texts").fetchone() == (0,)
        assert read.execute("PRAGMA journal_mode").fetchone() == ("delete",)
