"""A database of every older schema is upgraded; a copy is made before; nothing changes if there is no disk space.

`schemas/N.sql` is a whole room with schema N. A new schema needs a dump of its own: the dump before it, migrated, with
a row for each new table or column.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chatserver.core.model import User
from chatserver.db import migrations, sequence, upgrade_copy, vacuum
from chatserver.db.database import Database
from chatserver.db.migrations import DatabaseUnusable
from chatserver.db.transaction import Transaction
from chatserver.features.messages import store as message_store
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.erased import erased_messages
from chatserver.features.messages.recall import Recall
from tests.client import Browser
from tests.process.faults.disk import mounted
from tests.process.serving import make_administrator, serving
from tests.support import FakeClock, eventually, make_config, no_orders

SCHEMAS = Path(__file__).parent / "schemas"
NEWEST = migrations.newest_version()
OLDER = [step.number for step in migrations._steps() if step.number < NEWEST]


def made(path: Path, schema: int) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript((SCHEMAS / f"{schema}.sql").read_text("utf-8"))
        connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {schema}")
    path.chmod(0o600)
    return path


def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """The columns of every table, and the columns of every index."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name, type FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'").fetchall()
        return {
            name: connection.execute(f"PRAGMA {'table_xinfo' if kind == 'table' else 'index_xinfo'}({name})").fetchall()
            for name, kind in names
        }


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def all_bytes(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.glob("chat.db*"))


def test_there_is_a_room_of_every_schema() -> None:
    assert {int(path.stem) for path in SCHEMAS.iterdir()} == {step.number for step in migrations._steps()}


@pytest.mark.parametrize("schema", [*OLDER, NEWEST])
async def test_a_room_of_every_schema_becomes_todays_with_all_that_was_in_it(tmp_path: Path, schema: int) -> None:
    path = made(tmp_path / "chat.db", schema)
    migrations.connect(tmp_path / "new.db").close()
    database = await Database.open(path)
    try:
        found = await database.run(lambda tx: message_store.newest(tx, 100))
    finally:
        await database.close()
    assert [(message.id, message.author.name, message.text, message.state) for message in found] == [
        (3, "小明", "今天有草莓吗", "live"),
        (4, "店长", "有的", "live"),
        (5, "小明", "", "recalled"),
        (6, "店长", "", "live"),
    ]
    assert rows(path, "PRAGMA user_version") == [(NEWEST,)]
    assert rows(path, "SELECT epoch, seq, first_id FROM room") == [("0123456789abcdef", 7, 3)]
    assert rows(path, "SELECT name, role, muted_until_ms, banned FROM users WHERE role <> 'bot'") == [
        ("店长", "administrator", 0, 0), ("小明", "member", 1795330000000, 0), ("mallory", "member", 0, 1),
    ]  # fmt: skip
    assert [len(rows(path, f"SELECT * FROM {table}")) for table in ("sessions", "windows", "pictures")] == [1, 1, 1]
    assert len(rows(path, "SELECT * FROM settings")) == (2 if schema >= 2 else 0)
    assert len(rows(path, "SELECT * FROM reactions")) == (2 if schema >= 3 else 0)
    bots = rows(path, "SELECT user_id, length(token_hash), manages_windows, rate, made_by FROM bots")
    assert bots == ([(4, 32, 1, 10, 1)] if schema >= 11 else [])
    assert len(rows(path, "SELECT * FROM audit")) == (1 if schema >= 12 else 0)
    assert len(rows(path, "SELECT * FROM plans")) == (1 if schema >= 18 else 0)
    assert shape(path) == shape(tmp_path / "new.db")
    assert rows(path, "PRAGMA integrity_check") == [("ok",)] and rows(path, "PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("schema", OLDER)
def test_what_it_was_is_kept_beside_it_for_its_owner_alone(tmp_path: Path, schema: int) -> None:
    path = made(tmp_path / "chat.db", schema)
    was = shape(path)
    migrations.connect(path).close()
    [copy] = upgrade_copy.copies(path)
    assert copy == tmp_path / f"chat.db.schema-{schema}"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert shape(copy) == was
    assert rows(copy, "PRAGMA user_version") == [(schema,)]
    assert rows(copy, "PRAGMA application_id") == [(migrations.APPLICATION_ID,)]
    assert rows(copy, "SELECT text FROM messages WHERE id < 5") == [("今天有草莓吗",), ("有的",)]
    # A copy that is put back has another epoch than the database that continued.
    assert rows(copy, "SELECT epoch FROM room") != rows(path, "SELECT epoch FROM room")


def test_what_a_kill_left_in_the_log_is_in_the_copy(tmp_path: Path) -> None:
    path = made(tmp_path / "chat.db", 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE messages SET text = 'in the log' WHERE id = 3")
        killed = tmp_path / "killed"
        killed.mkdir()
        for file in tmp_path.glob("chat.db*"):
            (killed / file.name).write_bytes(file.read_bytes())
    migrations.connect(killed / "chat.db").close()
    for file in (killed / "chat.db", killed / "chat.db.schema-1"):
        assert rows(file, "SELECT text FROM messages WHERE id = 3") == [("in the log",)]


def test_a_new_room_and_one_of_today_are_not_copied(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        migrations.connect(tmp_path / "chat.db").close()
    migrations.connect(made(tmp_path / "today.db", NEWEST)).close()
    assert not list(tmp_path.glob("*.schema-*"))
    assert caplog.text == ""


def test_each_step_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    migrations.connect(made(tmp_path / "chat.db", 2)).close()
    told = [record.getMessage() for record in caplog.records]
    assert f"starting the schema upgrade from 2 to {NEWEST}" in told[0] and "copied to chat.db.schema-2" in told[1]
    assert told[2:4] == ["schema version 3 (reactions) applied", "schema version 4 (clock) applied"]


def test_a_step_that_fails_leaves_the_steps_before_it_and_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "chat.db", 2)
    steps = migrations._steps()
    broken = migrations._Step(4, "broken", "CREATE TABLE half (n INTEGER); INSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(migrations, "_steps", lambda: [*steps[:3], broken])
    with pytest.raises(DatabaseUnusable, match="nowhere"):
        migrations.connect(path)
    monkeypatch.undo()
    assert rows(path, "PRAGMA user_version") == [(3,)] and "half" not in shape(path)
    migrations.connect(path).close()
    assert shape(path)["invites"] and rows(path, "PRAGMA user_version") == [(NEWEST,)]
    assert [copy.name for copy in upgrade_copy.copies(path)] == ["chat.db.schema-2", "chat.db.schema-3"]


async def test_an_upgraded_room_keeps_its_promise_in_the_copy_too(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    made(data / "chat.db", 1)
    done = await make_administrator(data)
    assert done.code == 0 and "schema version 2 (settings) applied" in done.err
    async with serving(data, "--history-hours", "80000") as room, Browser(room.address) as browser:
        await browser.log_in("店长")
        assert [message["text"] for message in await browser.messages()][:2] == ["今天有草莓吗", "有的"]
        assert (await browser.post("/recall_message/3/")).status == 200
        await eventually(lambda: "今天有草莓吗".encode() not in all_bytes(data), "what was recalled can still be read")
        assert "有的".encode() in (data / "chat.db.schema-1").read_bytes()


# No disk space for it


def test_a_disk_without_room_refuses_in_one_line_and_touches_nothing(tmp_path: Path) -> None:
    try:
        with mounted(tmp_path / "small", mib=32) as disk:
            path = made(disk.path / "chat.db", 1)
            disk.fill()
            before = {file.name: file.read_bytes() for file in disk.path.iterdir() if file.name != "filler"}
            with pytest.raises(DatabaseUnusable) as caught:
                migrations.connect(path)
            said = str(caught.value)
            assert said.startswith(f"{path}: ") and "more bytes of free disk space" in said and "\n" not in said
            after = {file.name: file.read_bytes() for file in disk.path.iterdir() if file.name != "filler"}
            assert after == before
            disk.empty()
            migrations.connect(path).close()
    except PermissionError as error:
        pytest.skip(f"no small file system here: {error}")


def test_a_copy_that_cannot_be_made_stops_the_upgrade(tmp_path: Path) -> None:
    path = made(tmp_path / "chat.db", 1)
    before = path.read_bytes()
    (tmp_path / "chat.db.schema-1").mkdir()
    with pytest.raises(DatabaseUnusable, match="no copy could be made"):
        migrations.connect(path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["chat.db", "chat.db.schema-1"]


# The copy keeps nothing that was erased in the room


@pytest.mark.parametrize("schema", OLDER)
async def test_what_is_taken_back_or_expires_leaves_the_copy_too(tmp_path: Path, schema: int) -> None:
    path = made(tmp_path / "chat.db", schema)
    database = await Database.open(path)
    [copy] = upgrade_copy.copies(path)

    async def after(change: Callable[[Transaction], object]) -> bytes:
        await database.run(change)
        await vacuum.vacuum(database, erased_messages)
        return all_bytes(tmp_path)

    def expire(tx: Transaction) -> None:
        tx.execute("DELETE FROM messages WHERE id < 4")
        sequence.raise_first_id(tx, 4)

    recall = Recall(database, FakeClock(), MessageEncoder(make_config(tmp_path).timezone), no_orders)

    def edit(text: str) -> Callable[[Transaction], object]:
        return lambda tx: message_store.change_content(tx, 3, text, "")

    def author_of_4(tx: Transaction) -> User:
        message = message_store.get(tx, 4)
        assert message is not None and message.author.is_administrator
        return message.author

    try:
        keeper = await database.run(author_of_4)
        made_at = copy.stat().st_mtime_ns
        assert "有的".encode() not in await after(lambda tx: recall._recall(tx, keeper, 4, "", 0))
        assert "今天有草莓吗".encode() in copy.read_bytes()
        await after(edit("今天有草莓吗"))
        assert "今天有草莓吗".encode() in copy.read_bytes()
        assert "今天有草莓吗".encode() not in await after(edit("今天有蓝莓吗"))
        assert rows(copy, "SELECT id FROM messages") == [(6,)]
        await after(expire)
    finally:
        await database.close()
    assert rows(copy, "SELECT id FROM messages") == [(6,)]
    assert rows(copy, "SELECT first_id FROM room") == [(4,)]
    assert rows(copy, "PRAGMA integrity_check") == [("ok",)] and rows(copy, "PRAGMA foreign_key_check") == []
    assert copy.stat().st_mtime_ns == made_at


async def test_a_copy_goes_after_a_week_and_so_does_one_that_cannot_be_cleaned(tmp_path: Path) -> None:
    path = made(tmp_path / "chat.db", NEWEST)
    old, damaged, good = (tmp_path / f"chat.db.schema-{n}" for n in (1, 2, 3))
    made(old, 1)
    made(good, 3)
    damaged.write_bytes(b"\xa5" * 8192)
    a_month_ago = old.stat().st_mtime - 30 * 86_400
    os.utime(old, (a_month_ago, a_month_ago))
    database = await Database.open(path)
    try:
        await vacuum.vacuum(database, erased_messages)
    finally:
        await database.close()
    assert upgrade_copy.copies(path) == [good]
