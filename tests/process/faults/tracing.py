"""The real server under strace: its system calls in order; or a kill at one of them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

STRACE = shutil.which("strace")

needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed: apt-get install strace")


def watching(log: Path, calls: str) -> list[str]:
    """A command that runs the server and logs `calls`, with the paths of descriptors and long texts."""
    return [STRACE or "strace", "-D", "-f", "-qq", "-y", "-s", "8192", "-e", f"trace={calls}", "-o", str(log)]


def killing(calls: str, number: int) -> list[str]:
    """A command that runs the server, and sends SIGKILL when it makes the `number`th of each of `calls`.

    The kernel delivers the signal before the call has any effect.
    """
    kill = f"inject={calls}:signal=SIGKILL:when={number}"
    return [STRACE or "strace", "-D", "-f", "-qq", "-e", f"trace={calls}", "-e", kill, "-o", "/dev/null"]


@contextlib.asynccontextmanager
async def killing_from_now(pid: int, call: str, number: int) -> AsyncIterator[None]:
    """Send SIGKILL to a running process when one of its threads makes the `number`th `call` from now on."""
    command = killing(call, number)
    strace = await asyncio.create_subprocess_exec(
        *(word for word in command if word not in ("-D", "-qq")), "-p", str(pid), stderr=PIPE
    )
    try:
        assert strace.stderr is not None
        line = await asyncio.wait_for(strace.stderr.readline(), 60)
        assert b"attached" in line, line
        yield
    finally:
        # strace ends with the process. If it were told to end while the process dies, it would never release the
        # process.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(strace.wait(), 10)
        if strace.returncode is None:
            strace.terminate()
            await strace.wait()


@dataclass(frozen=True, slots=True)
class Call:
    """One system call. `begun` and `ended` are line numbers of the log, where the calls of several threads overlap."""

    name: str
    words: str
    begun: int
    ended: int


def calls(log: Path) -> Iterator[Call]:
    """The calls in the log, each with the lines where it began and ended."""
    begun: dict[tuple[str, str], tuple[int, str]] = {}
    for number, line in enumerate(log.read_text("utf-8", "replace").splitlines()):
        thread, _, rest = line.partition(" ")
        rest = rest.lstrip()
        if resumed := re.match(r"<\.\.\. (\w+) resumed>", rest):
            start, words = begun.pop((thread, resumed[1]), (number, ""))
            yield Call(resumed[1], words, start, number)
        elif call := re.match(r"(\w+)\((.*)", rest):
            if rest.endswith("<unfinished ...>"):
                begun[thread, call[1]] = (number, call[2])
            else:
                yield Call(call[1], call[2], number, number)
