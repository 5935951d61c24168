"""The disk reserve: space that is kept for erasing on a full disk."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db.database import Database
from chatserver.db.disk_reserve import SIZE, DiskReserve, is_full
from chatserver.db.transaction import Transaction


def full(tx: Transaction) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


async def test_it_is_taken_on_with_the_first_unit_and_stays_after_the_end(tmp_path: Path) -> None:
    disk_reserve = DiskReserve(tmp_path / "ballast")
    database = await Database.open(tmp_path / "chat.db", disk_reserve)
    await database.run(lambda tx: None)
    await database.close()
    found = (tmp_path / "ballast").stat()
    assert (found.st_size, stat.S_IMODE(found.st_mode)) == (SIZE, 0o600)
    assert found.st_blocks * 512 >= SIZE


async def test_only_what_erases_gets_its_room_and_it_is_whole_again_afterwards(tmp_path: Path) -> None:
    disk_reserve = DiskReserve(tmp_path / "ballast", 4096)
    database = await Database.open(tmp_path / "chat.db", disk_reserve)
    await database.run(lambda tx: None)
    seen: list[int] = []

    def unit(tx: Transaction) -> None:
        seen.append((tmp_path / "ballast").stat().st_size)
        if seen[-1]:
            full(tx)

    with pytest.raises(DomainError) as refused:
        await database.run(unit)
    assert refused.value.code is ErrorCode.STORAGE_FULL
    assert set(seen) == {4096}
    await database.run(unit, frees=True)
    assert seen[-1] == 0
    assert (tmp_path / "ballast").stat().st_size == 4096
    await database.close()


async def test_an_erasure_that_finds_no_room_even_so_is_refused_and_the_reserve_is_whole(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "chat.db", DiskReserve(tmp_path / "ballast", 4096))
    with pytest.raises(DomainError):
        await database.run(full, frees=True)
    assert (tmp_path / "ballast").stat().st_size == 4096
    await database.close()


def test_a_disk_without_room_for_it_is_no_fault_and_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk_reserve = DiskReserve(tmp_path / "ballast", 4096)
    allocate = os.posix_fallocate

    def no_room(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    disk_reserve.fill()
    assert not disk_reserve.is_whole and "no room for the disk reserve" in caplog.text
    monkeypatch.setattr(os, "posix_fallocate", allocate)
    disk_reserve.fill()
    assert not disk_reserve.is_whole, "it was tried again at once"
    disk_reserve._next_try = 0.0
    disk_reserve.fill()
    assert disk_reserve.is_whole


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_IOERR_SHMSIZE, True),
        (sqlite3.SQLITE_IOERR_LOCK, False),
        (sqlite3.SQLITE_IOERR_NOMEM, False),
        (sqlite3.SQLITE_BUSY, False),
    ],
)
def test_an_input_output_error_about_a_lock_or_memory_is_no_full_disk(code: int, expected: bool) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    assert is_full(error) is expected
