"""A photo is a file, a thumbnail and a row. After a kill between any two steps, every row has its files.

The program does not take part: the kernel kills it when it makes the system call.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.client import Browser, picture
from tests.process.faults.tracing import killing, needs_strace
from tests.process.serving import serving
from tests.support import eventually

# The calls that are made once or twice for a photo: for the files, their names, their directory, the row, and the
# removal.
STEPS = [("rename", 1), ("rename", 2), ("unlink", 2), ("fsync", 3), ("fsync", 4)]
FLAGS = ("--send-interval", "0", "--registrations-per-hour", "0")


@needs_strace
@pytest.mark.parametrize(("call", "number"), STEPS)
async def test_no_row_is_left_without_its_files_and_no_file_without_its_row(
    tmp_path: Path, call: str, number: int
) -> None:
    assert await killed_and_looked_after(tmp_path, call, number), "the server was not killed: the step is never taken"


async def killed_and_looked_after(data: Path, call: str, number: int) -> bool:
    """Post photos until the server dies at its `number`th `call`; start it again and check. False: it did not die."""
    acknowledged: list[str] = []
    died = await _post_until_killed(data, killing(call, number), acknowledged)
    async with serving(data, *FLAGS) as server, Browser(server.address) as guest:
        shown = [message for message in await guest.messages() if message["state"] == "live"]
        for message in shown:
            assert (await guest.get(message["image"])).status == 200
            assert (await guest.get(message["thumb"])).status == 200
        await eventually(lambda: files(data) == named(data))
        kept = {message["image"] for message in await guest.messages()}
        gone = {message["image"] for message in await guest.messages() if message["state"] != "live"}
        assert set(acknowledged[1:]) <= kept | gone, "a photo that was acknowledged is lost"
    return died


async def _post_until_killed(data: Path, under: list[str], acknowledged: list[str]) -> bool:
    """Post some photos and recall one. True if the server died meanwhile, or had died during its start."""
    async with AsyncExitStack() as stack:
        try:
            server = await stack.enter_async_context(serving(data, *FLAGS, under=under))
        except AssertionError:
            return True
        member = await stack.enter_async_context(Browser(server.address))
        try:
            await member.register("小明")
            for _ in range(6):
                acknowledged.append((await member.show(picture(60, 40)))["image"])
            await member.recall(1)
            await asyncio.sleep(1)
        except (aiohttp.ClientError, OSError):
            await asyncio.wait_for(server.process.wait(), 60)
            return True
    return False


def files(data: Path) -> set[str]:
    media = data / "media"
    return {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}


def named(data: Path) -> set[str]:
    with sqlite3.connect(f"file:{data / 'chat.db'}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT image, thumb FROM messages WHERE image <> ''").fetchall()
    database.close()
    return {name for row in rows for name in row}
