"""Opening the file: a new file is created, an unusable file is refused and not changed, an existing file is opened."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from chatserver.core.model import Role
from chatserver.db import migrations
from chatserver.db.data_lock import DataLock, DataLocked
from chatserver.db.database import Database
from chatserver.db.migrations import DatabaseUnusable
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import store as account_store


def add_members(number: int) -> Callable[[Transaction], None]:
    def unit(tx: Transaction) -> None:
        for n in range(number):
            account_store.insert(tx, f"member {n} " + "m" * 200, f"skeleton {n}", "hash", Role.MEMBER, "", 0)

    return unit


async def made(path: Path, members: int = 500) -> Path:
    """A valid database of about 70 pages, closed."""
    database = await Database.open(path)
    await database.run(add_members(members))
    await database.close()
    return path


def change(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.close()


def modes(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


def copy_as_killed(path: Path) -> Path:
    """A copy of the files at this moment, in a directory of its own."""
    killed = path.parent / "killed"
    killed.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, killed)
    return killed / path.name


def content(path: Path) -> bytes:
    return path.read_bytes()


async def assert_refused_untouched(path: Path, *says: str) -> None:
    before = content(path)
    with pytest.raises(DatabaseUnusable) as caught:
        await Database.open(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    assert all(words in message for words in says), message
    assert content(path) == before


# Made


async def test_a_fresh_database_is_made_with_todays_schema(tmp_path: Path) -> None:
    path = await made(tmp_path / "chat.db", members=0)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (migrations.APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (migrations.newest_version(),)
    assert connection.execute("SELECT seq, first_id FROM room").fetchall() == [(0, 1)]
    connection.close()


async def test_only_its_owner_can_read_the_files(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "chat.db")
    await database.run(add_members(1))
    found = modes(tmp_path)
    await database.close()
    assert found == {"chat.db": 0o600, "chat.db-wal": 0o600, "chat.db-shm": 0o600}


async def test_the_files_mode_is_set_right_at_every_start(tmp_path: Path) -> None:
    path = await made(tmp_path / "chat.db")
    path.chmod(0o644)
    await (await Database.open(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_two_rooms_have_two_epochs(tmp_path: Path) -> None:
    epochs = set()
    for name in ("one.db", "two.db"):
        database = await Database.open(tmp_path / name)
        epochs.add(await database.run(lambda tx: tx.one("SELECT epoch FROM room")[0]))
        await database.close()
    assert len(epochs) == 2


async def test_the_connection_keeps_what_it_acknowledged_and_forgets_what_it_erased(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "chat.db")

    def pragma(name: str) -> Callable[[sqlite3.Connection], object]:
        return lambda raw: raw.execute(f"PRAGMA {name}").fetchone()[0]

    try:
        assert await database.between_batches(pragma("journal_mode")) == "wal"
        assert await database.between_batches(pragma("synchronous")) == 2  # FULL
        assert await database.between_batches(pragma("secure_delete")) == 1
        assert await database.between_batches(pragma("temp_store")) == 2  # MEMORY
        assert await database.between_batches(pragma("foreign_keys")) == 1
    finally:
        await database.close()


# An existing file


async def test_an_epoch_and_its_members_survive_closing(tmp_path: Path) -> None:
    async def look(path: Path) -> tuple[str, int]:
        database = await Database.open(path)
        found = await database.run(lambda tx: tx.one("SELECT epoch, (SELECT count(*) FROM users) FROM room"))
        await database.close()
        return found  # type: ignore[no-any-return]

    path = await made(tmp_path / "chat.db", members=7)
    first = await look(path)
    assert first[1] == 7
    assert await look(path) == first


async def test_a_database_left_by_a_kill_opens_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "chat.db")
    await database.run(add_members(100))
    killed = copy_as_killed(tmp_path / "chat.db")
    await database.close()
    assert content(killed.with_name("chat.db-wal"))
    again = await Database.open(killed)
    assert await again.run(lambda tx: tx.one("SELECT count(*) FROM users")[0]) == 100
    await again.close()


@pytest.mark.parametrize("left", ["nothing", "a header"])
async def test_a_kill_before_the_first_migration_is_made_good(tmp_path: Path, left: str) -> None:
    path = tmp_path / "chat.db"
    path.touch()
    if left == "a header":
        change(path, "PRAGMA journal_mode = WAL")
        assert path.stat().st_size > 0
    database = await Database.open(path)
    assert await database.run(lambda tx: tx.one("SELECT seq FROM room")[0]) == 0
    await database.close()


# Refused


async def test_a_newer_schema_is_refused_untouched(tmp_path: Path) -> None:
    path = await made(tmp_path / "chat.db")
    change(path, f"PRAGMA user_version = {migrations.newest_version() + 1}")
    await assert_refused_untouched(path, "newer", str(migrations.newest_version() + 1))


async def test_somebody_elses_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    change(path, "CREATE TABLE recipes (name TEXT)")
    await assert_refused_untouched(path, "not a database of this program")


async def test_an_empty_database_that_bears_anothers_mark_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    change(path, "PRAGMA application_id = 1")
    await assert_refused_untouched(path, "not a database of this program")


@pytest.mark.parametrize("garbage", [b"x", b"hello\n" * 4000, b"SQLite format 3\0" + b"\xff" * 8176, b"\0" * 8192])
async def test_garbage_is_refused_untouched(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "chat.db"
    path.write_bytes(garbage)
    await assert_refused_untouched(path)


async def test_a_damaged_page_in_the_middle_is_refused_untouched(tmp_path: Path) -> None:
    path = await made(tmp_path / "chat.db")
    damaged = bytearray(content(path))
    middle = len(damaged) // 8192 * 4096
    damaged[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(damaged)
    await assert_refused_untouched(path)


@pytest.mark.parametrize("kept", [0.25, 0.5, 0.9])
async def test_a_truncated_file_is_refused_untouched(tmp_path: Path, kept: float) -> None:
    path = await made(tmp_path / "chat.db")
    whole = content(path)
    path.write_bytes(whole[: int(len(whole) * kept)])
    await assert_refused_untouched(path)


async def test_a_directory_in_its_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    path.mkdir()
    with pytest.raises(DatabaseUnusable, match=r"chat\.db"):
        await Database.open(path)


async def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match=r"nowhere/chat\.db"):
        await Database.open(tmp_path / "nowhere" / "chat.db")


def test_a_migration_that_fails_leaves_the_schema_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = migrations._steps()
    migrations.connect(tmp_path / "chat.db").close()
    half = "CREATE TABLE half (n INTEGER); INSERT INTO nowhere VALUES (1);"
    broken = [*steps, migrations._Step(steps[-1].number + 1, "half", half)]
    monkeypatch.setattr(migrations, "_steps", lambda: broken)
    with pytest.raises(DatabaseUnusable, match="nowhere"):
        migrations.connect(tmp_path / "chat.db")
    monkeypatch.undo()
    connection = migrations.connect(tmp_path / "chat.db")
    assert connection.execute("SELECT name FROM sqlite_schema WHERE name = 'half'").fetchone() is None
    connection.close()


def test_a_later_migration_is_applied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = migrations._steps()
    migrations.connect(tmp_path / "chat.db").close()
    later = [*steps, migrations._Step(steps[-1].number + 1, "later", "CREATE TABLE later (n INTEGER);")]
    monkeypatch.setattr(migrations, "_steps", lambda: later)
    for _ in range(2):
        connection = migrations.connect(tmp_path / "chat.db")
        assert connection.execute("PRAGMA user_version").fetchone() == (later[-1].number,)
        connection.close()


# The lock


def test_one_process_at_a_time_has_the_data_directory(tmp_path: Path) -> None:
    with DataLock(tmp_path):
        with pytest.raises(DataLocked), DataLock(tmp_path):
            pass
    with DataLock(tmp_path):
        pass
