"""The control socket: its file exists while the server runs, and not afterwards."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from tests.client import opened


async def test_its_file_is_removed_and_nothing_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Longer than the path of a socket may be.
    path = tmp_path / ("d" * 100) / "control.sock"
    caplog.set_level(logging.ERROR)
    async with opened(path.parent):
        assert path.stat().st_mode & 0o777 == 0o600
        # If the server has closed its descriptor of the directory, one of these has its number, until the server ends.
        others = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
        directory = os.open(path.parent, os.O_RDONLY)
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{directory}/{path.name}")
        # asyncio of Python 3.13 looks at this name at the end; an error other than "not found" is logged.
        assert inode(writer.get_extra_info("peername")) == inode(path)
        writer.write(b"{}\n")
        assert b"bad_request" in await reader.readline()
        writer.close()
        os.close(directory)
    for descriptor in others:
        os.close(descriptor)
    assert not path.exists()
    assert caplog.text == ""


def inode(path: Path | str) -> int:
    return os.stat(path).st_ino
