"""Row 13: from nothing to `listening on`, against importing aiohttp and doing nothing with it."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from pathlib import Path

from chatserver.core.model import Kind, Role, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.messages import store as message_store
from tests.bench.bench import Bench
from tests.bench.processes import Process
from tests.bench.results import Result, at_most

MESSAGES = 100_000
UNIT = 1_000
IMPORT = [sys.executable, "-c", "import aiohttp; print('imported', flush=True)"]


def run(bench: Bench) -> Result:
    count = bench.size(MESSAGES, 2_000)
    empty, full = bench.work / "cold-empty", bench.work / "cold-full"
    shutil.copytree(bench.data, full)
    asyncio.run(_fill(full / "chat.db", count))

    def of_empty() -> float:
        shutil.rmtree(empty, ignore_errors=True)
        return _served(bench, empty)

    found = bench.in_turns(
        imported=lambda: _until_a_word(bench, IMPORT), empty=of_empty, full=lambda: _served(bench, full)
    )
    result = Result()
    floor, floor_ms = "`import aiohttp`", found["imported"]
    result.line("start with no room yet, until `listening on`", "ms", found["empty"], floor, floor_ms, at_most(2.5))
    what = f"start of a room with {count:,} messages, all of them kept"
    result.line(what, "ms", found["full"], floor, floor_ms, at_most(2.5))
    return result


def _served(bench: Bench, data: Path) -> float:
    command = [sys.executable, "run.py", "serve", "--port", "0", "--data-dir", str(data)]
    return _until_a_word(bench, [*command, "--history-limit", str(MESSAGES), "--log-level", "warning"])


def _until_a_word(bench: Bench, command: list[str]) -> float:
    """Milliseconds from the start of a process until its first line."""
    begun = time.perf_counter()
    with Process(command, bench.cores.server, bench.work / "cold.log") as process:
        process.read_line()
        return (time.perf_counter() - begun) * 1000


async def _fill(path: Path, count: int) -> None:
    database = await Database.open(path)
    try:
        for first in range(0, count, UNIT):
            await database.run(lambda tx, first=first: _insert(tx, first))  # type: ignore[misc]
    finally:
        await database.close()


def _insert(tx: Transaction, first: int) -> None:
    author_id, name = tx.one("SELECT id, name FROM users LIMIT 1")
    author, now_ms = User(author_id, name, Role.MEMBER, ""), time.time_ns() // 1_000_000
    for number in range(first, first + UNIT):
        text = f"message {number} of a room that has been talking for a while"
        new = message_store.NewMessage(author, Kind.TEXT, text, None, "", None, "", None, now_ms, now_ms)
        message_store.insert(tx, new)
