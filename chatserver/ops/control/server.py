"""The operator's socket: a Unix socket in the data directory, for the server's own user alone.

One line of JSON asks, one line answers: `{"command": …, "arguments": {…}}`, then `{"answer": {…}}`
or `{"refused": CODE, "details": {…}}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.room import Room
from chatserver.ops.control import commands

log = logging.getLogger(__name__)

LINE_MAX = 64 * 1024
SECONDS_MAX = 30.0


class ControlServer:
    """`address` is where the room itself listens, for the answers that name it."""

    def __init__(self, path: Path, room: Room, address: str) -> None:
        self._path = path
        self._room = room
        self._address = address

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._path.unlink(missing_ok=True)  # left by a server that was killed; the lock says that none runs
        # Reached through the directory's descriptor: the path of a socket may have 107 bytes at most.
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            short = f"/proc/self/fd/{directory}/{self._path.name}"
            server = await asyncio.start_unix_server(self._serve, short, limit=LINE_MAX)
            self._path.chmod(0o600)
        finally:
            os.close(directory)
        try:
            yield
        finally:
            server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                line = await reader.readline()
            answer = await self._answer(line)  # a snapshot of a large room takes its time
            async with asyncio.timeout(SECONDS_MAX):
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ValueError, OSError, TimeoutError):
            pass  # whoever it was has gone, or said nothing, or far too much
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            command, arguments = asked["command"], asked["arguments"]
        except (ValueError, LookupError, TypeError):
            return {"refused": ErrorCode.BAD_REQUEST.value, "details": {}}
        try:
            return {"answer": await commands.carry_out(self._room, command, arguments, self._address)}
        except DomainError as refusal:
            return {"refused": refusal.code.value, "details": refusal.details}
        except Exception:
            log.exception("operator command failed")
            return {"refused": ErrorCode.INTERNAL.value, "details": {}}
