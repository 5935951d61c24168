"""The control socket: a Unix socket in the data directory, for the server's user alone. The push socket is another one.

A request is one line of JSON, `{"command": NAME, "arguments": {…}}`; so is the answer, `{"answer": {…}}` or
`{"refused": CODE, "details": {…}}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.ops.control.operations import Operations, carry_out

log = logging.getLogger(__name__)

# Below the data directory.
PUSH_SOCKET = Path("push") / "push.sock"

LINE_MAX = 64 * 1024
SECONDS_MAX = 30.0


class ControlServer:
    """`address` is the server's own; it replaces an `address` of "" in an answer.

    An operation answers "" where no public address is set: only a server knows where it listens. `mode` is that of the
    socket's file.
    """

    def __init__(self, path: Path, operations: Operations, address: str, mode: int = 0o600) -> None:
        self._path = path
        self._operations = operations
        self._address = address
        self._mode = mode

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._path.unlink(missing_ok=True)  # left by a server that was killed: this process has the lock
        # Reached through the directory's descriptor: the path of a socket may have 107 bytes at most. It stays open
        # until the end, because asyncio of Python 3.13 looks at the path again when the server closes.
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            short = f"/proc/self/fd/{directory}/{self._path.name}"
            server = await asyncio.start_unix_server(self._serve, short, limit=LINE_MAX)
            try:
                self._path.chmod(self._mode)
                yield
            finally:
                server.close()
                self._path.unlink(missing_ok=True)
        finally:
            os.close(directory)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                line = await reader.readline()
            answer = await self._answer(line)  # without a time limit: a large snapshot takes minutes
            async with asyncio.timeout(SECONDS_MAX):
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ValueError, OSError, TimeoutError):
            pass  # the client disconnected, sent nothing, or sent a line that is too long
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            command, arguments = request["command"], request["arguments"]
        except (ValueError, LookupError, TypeError):
            return {"refused": ErrorCode.BAD_REQUEST.value, "details": {}}
        try:
            answer = await carry_out(self._operations, command, arguments)
            if answer.get("address") == "":
                answer = {**answer, "address": self._address}
            return {"answer": answer}
        except DomainError as refusal:
            return {"refused": refusal.code.value, "details": refusal.details}
        except Exception:
            log.exception("operator command failed")
            return {"refused": ErrorCode.INTERNAL.value, "details": {}}


@contextlib.asynccontextmanager
async def push_socket(data_dir: Path, operations: Operations, stop: Callable[[], None]) -> AsyncIterator[None]:
    """The socket for `chatserver push`, which may run as another user. `stop` answers a request that waits.

    Who can reach the file may connect: the data directory lets in the server's user alone, and a unit is given the
    directory of the socket alone (docs/deploy/chat-push.service). Where others may enter the data directory, the socket
    is for the server's user.
    """
    async with ControlServer(data_dir / PUSH_SOCKET, operations, "", _push_mode(data_dir)).running():
        try:
            yield
        finally:
            stop()


def _push_mode(data_dir: Path) -> int:
    """The mode of the push socket, whose directory is created."""
    is_shut_in = not data_dir.stat().st_mode & 0o077
    directory = (data_dir / PUSH_SOCKET).parent
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755 if is_shut_in else 0o700)
    return 0o666 if is_shut_in else 0o600
