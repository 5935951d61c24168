"""*commits*: aiosqlite with one INSERT and one COMMIT at a time, in WAL with synchronous=FULL, without network.

python -m tests.bench.floors.commits DATABASE_FILE

Reads `go SECONDS`, and answers with the number of commits made in that time.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aiosqlite

TEXT = "x" * 200


async def main(path: str) -> None:
    async with aiosqlite.connect(path) as database:
        await database.execute("PRAGMA journal_mode = WAL")
        await database.execute("PRAGMA synchronous = FULL")
        await database.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        await database.commit()
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(await _commits(database, float(line.split()[1])), flush=True)


async def _commits(database: aiosqlite.Connection, seconds: float) -> int:
    deadline = time.perf_counter() + seconds
    count = 0
    while time.perf_counter() < deadline:
        await database.execute("INSERT INTO messages (text) VALUES (?)", (TEXT,))
        await database.commit()
        count += 1
    return count


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
