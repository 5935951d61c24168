"""An unusable database: the program prints one line that names it, exits with 78, and does not change a byte of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.client import Browser
from tests.process.faults.disk import mounted
from tests.process.serving import run, serving


async def made(data: Path) -> None:
    """A room with content. Its server was killed, so the write-ahead log was not merged."""
    async with serving(data, "--send-interval", "0") as server, Browser(server.address) as member:
        await member.register("小明")
        for number in range(20):
            await member.say(f"message {number} " + "x" * 500)
        await server.kill()


def content(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in data.glob("chat.db*")}


async def refused(data: Path) -> str:
    done = await run("serve", "--port", "0", "--data-dir", str(data))
    assert (done.code, done.out) == (78, ""), done.err
    assert str(data / "chat.db") in done.complaint
    return done.complaint


async def test_a_read_only_file_system_is_one_line_and_78(tmp_path: Path) -> None:
    try:
        with mounted(tmp_path / "small", mib=32) as disk:
            await made(disk.path / "data")
            subprocess.run(["mount", "-o", "remount,ro", str(disk.path)], check=True)
            before = content(disk.path / "data")
            assert "read-only" in (await refused(disk.path / "data")).lower()
            assert content(disk.path / "data") == before
    except PermissionError as error:
        pytest.skip(f"no small file system could be mounted ({error})")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write what is read-only")
async def test_a_read_only_database_is_one_line_and_78(tmp_path: Path) -> None:
    await made(tmp_path)
    (tmp_path / "chat.db").chmod(0o400)
    tmp_path.chmod(0o500)
    before = content(tmp_path)
    await refused(tmp_path)
    assert content(tmp_path) == before


@pytest.mark.parametrize("damage", ["a page", "the header", "cut short"])
async def test_a_corrupted_database_is_one_line_and_78(tmp_path: Path, damage: str) -> None:
    async with serving(tmp_path, "--send-interval", "0") as server, Browser(server.address) as member:
        await member.register("小明")
        for number in range(50):
            await member.say(f"message {number} " + "x" * 1_000)
        assert (await server.stop()).code == 0
    path = tmp_path / "chat.db"
    whole = path.read_bytes()
    middle = len(whole) // 8192 * 4096
    path.write_bytes(
        {
            "a page": whole[:middle] + b"\xa5" * 4096 + whole[middle + 4096 :],
            "the header": b"\xa5" * 100 + whole[100:],
            "cut short": whole[:middle],
        }[damage]
    )
    before = content(tmp_path)
    await refused(tmp_path)
    assert content(tmp_path) == before
