"""If another process has locked the database, the error is `busy` and not `storage_full`."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.storage_errors import refusal
from chatserver.features.status import health
from tests.client import HTML, House


@contextlib.contextmanager
def held(path: Path, how: str = "IMMEDIATE") -> Iterator[None]:
    """Lock the file as another program does that writes to it or copies it."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(f"BEGIN {how}")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def impatient(house: House) -> list[str]:
    """Let the server wait 20 ms for the lock instead of 5 s. Returns the statements that it runs after this call."""
    statements: list[str] = []

    def change(raw: sqlite3.Connection) -> None:
        raw.execute("PRAGMA busy_timeout = 20")
        raw.set_trace_callback(statements.append)

    await house.server.room.database.between_batches(change)
    return statements


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
async def test_a_held_database_is_busy_and_goes_on_when_it_is_free(
    house: House, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0)
    ming, hong = await house.member("小明"), await house.member("小红")
    socket = await hong.socket()
    said = await ming.say("先说一句")
    await impatient(house)
    with held(house.data_dir / "chat.db", how):
        answers = [
            await ming.post("/post/", {"text": "等一下", "client_id": "c-1"}),
            await ming.recall(said["id"]),
            await ming.post("/profile/", {"end_session": "99"}),
            await (await house.guest()).register("新人"),
            await ming.get("/readyz"),
        ]
        assert [(answer.status, answer.code) for answer in answers[:-1]] == [(503, "busy")] * 4
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers[:-1])
        assert answers[-1].status == 503
        await socket.send("post", text="也等一下", client_id="c-2")
        refused = await socket.expect("refused", client_id="c-2")
        assert (refused["code"], refused["retry_after_ms"] > 0) == ("busy", True)
        page = await ming.post("/post/", {"text": "x"}, headers=HTML)
        assert page.status == 503 and "磁盘" not in page.text
    assert (await ming.get("/readyz")).status == 200
    assert (await ming.post("/post/", {"text": "等一下", "client_id": "c-1"})).status == 201
    await socket.say("也等一下", "c-2")
    assert [message["text"] for message in await ming.messages()] == ["先说一句", "等一下", "也等一下"]


async def test_those_who_wait_together_wait_once(house: House) -> None:
    ming = await house.member("小明")
    await ming.token()
    statements = await impatient(house)
    with held(house.data_dir / "chat.db"):
        database = house.server.room.database
        waiting = [database.run(lambda tx: tx.one("SELECT 1")) for _ in range(50)]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert {getattr(answer, "code", None) for answer in answers} == {ErrorCode.BUSY}
    assert 1 <= len([each for each in statements if each.startswith("BEGIN")]) <= 5


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite raises it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sqlite_error(sqlite3.SQLITE_BUSY), ErrorCode.BUSY),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), ErrorCode.BUSY),
        (sqlite_error(sqlite3.SQLITE_BUSY_RECOVERY), ErrorCode.BUSY),
        (sqlite_error(sqlite3.SQLITE_LOCKED), ErrorCode.BUSY),
        (sqlite_error(sqlite3.SQLITE_NOMEM), ErrorCode.BUSY),
        (sqlite_error(sqlite3.SQLITE_IOERR_LOCK), ErrorCode.BUSY),
        (sqlite_error(sqlite3.SQLITE_FULL), ErrorCode.STORAGE_FULL),
        (sqlite_error(sqlite3.SQLITE_IOERR_WRITE), ErrorCode.STORAGE_FULL),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), ErrorCode.STORAGE_FULL),
        (sqlite_error(sqlite3.SQLITE_READONLY), ErrorCode.STORAGE_FULL),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), ErrorCode.STORAGE_FULL),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), ErrorCode.STORAGE_FULL),
        (OSError(errno.EIO, os.strerror(errno.EIO)), ErrorCode.STORAGE_FULL),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), ErrorCode.BUSY),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), ErrorCode.BUSY),
    ],
    ids=str,
)
def test_only_what_does_not_pass_is_a_full_disk(error: BaseException, code: ErrorCode) -> None:
    assert refusal(error).code is code
