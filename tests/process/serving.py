"""The real program, started as an operator starts it, in a process of its own.

tests/browser/conftest.py starts it without an event loop, in the same environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.client import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
# Only ends a test that would hang.
PATIENCE = 60.0
CHEAP = ("--bcrypt-rounds", "4")


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a program that has ended."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The only line on standard error. Fails for a traceback or a second line."""
        assert self.err.endswith("\n") and self.err.count("\n") == 1, self.err
        return self.err.rstrip("\n")


def environment(**more: str) -> dict[str, str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
    return {**bare, "PYTHONDONTWRITEBYTECODE": "1", **more}


def address_of(line: str) -> str:
    """The address in the first line that `serve` prints; fails for any other line."""
    found = re.match(r"listening on (https?://\S+)", line)
    assert found, f"the server said {line!r}"
    return found[1]


async def start(*arguments: str, under: Sequence[str] = (), **variables: str) -> Process:
    """Start the program. `under` is a command that runs another one and replaces itself by it, such as `strace -D`."""
    return await asyncio.create_subprocess_exec(
        *under,
        sys.executable,
        "run.py",
        *arguments,
        cwd=ROOT,
        env=environment(**variables),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )


async def run(*arguments: str, stdin: str = "", **variables: str) -> Done:
    """Start the program and wait for its end."""
    return await ended(await start(*arguments, **variables), stdin)


async def make_administrator(data_dir: Path, name: str = "店长") -> Done:
    """Run `create-admin` with the password that the browsers of the tests use."""
    command = ("create-admin", name, "--password-stdin", "--data-dir", str(data_dir))
    return await run(*command, stdin=PASSWORD + "\n", CHAT_BCRYPT_ROUNDS="4")


async def prepare(folder: Path, name: str) -> None:
    """Make `data` in this folder, a room with one administrator, and `kept.tar`, a backup of it."""
    data = folder / "data"
    assert (await make_administrator(data, name)).code == 0
    assert (await run("backup", str(folder / "kept.tar"), "--data-dir", str(data))).code == 0


class Serving:
    """A server that accepts connections."""

    def __init__(self, process: Process, address: str) -> None:
        self.process = process
        self.address = address

    async def stop(self) -> Done:
        """Send SIGTERM, and return the result."""
        self.process.send_signal(signal.SIGTERM)
        return await ended(self.process)

    async def kill(self) -> None:
        """Send SIGKILL, so that no code of the program runs any more, as after a power failure."""
        self.process.kill()
        await ended(self.process)


@contextlib.asynccontextmanager
async def serving(data_dir: Path, *flags: str, under: Sequence[str] = (), **variables: str) -> AsyncIterator[Serving]:
    """`run.py serve` on a free port, killed at the end if it still runs."""
    command = ("serve", "--port", "0", "--data-dir", str(data_dir), *CHEAP, *flags)
    async with listening(await start(*command, under=under, **variables)) as server:
        yield server


@contextlib.asynccontextmanager
async def listening(process: Process) -> AsyncIterator[Serving]:
    """A process of `serve`, once it has said where it listens; killed at the end if it still runs."""
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        yield Serving(process, address_of(line or (await ended(process)).err))
    finally:
        if process.returncode is None:
            process.kill()
            await ended(process)


async def ended(process: Process, stdin: str = "") -> Done:
    """Write `stdin`, and wait until the process has ended."""
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate(stdin.encode() if stdin else b"")
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())
