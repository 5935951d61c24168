"""The control socket: a Unix socket in the data directory, only for the server's user. The push socket is separate.

A request is one line of JSON, `{"command": NAME, "arguments": {…}}`. The answer is also one line, `{"answer": {…}}`
or `{"refused": CODE, "details": {…}}`.
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
from chatserver.ops.control.operations import Operations, run_operation

log = logging.getLogger(__name__)

# The path relative to the data directory.
PUSH_SOCKET = Path("push") / "push.sock"

LINE_MAX = 64 * 1024
SECONDS_MAX = 30.0


class ControlServer:
    """`address` is the server's own address. It replaces an `address` of "" in an answer.

    If no public address is set, an operation answers "", because only the server knows where it listens. `mode` is the
    mode of the socket's file.
    """

    def __init__(self, path: Path, operations: Operations, address: str, mode: int = 0o600) -> None:
        self._path = path
        self._operations = operations
        self._address = address
        self._mode = mode

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        # A killed server left it. No server uses it now, because this process has the lock.
        self._path.unlink(missing_ok=True)
        # Open the socket through the directory's descriptor, because the path of a socket has at most 107 bytes. Keep
        # the descriptor open until the end, because asyncio of Python 3.13 uses the path again when the server closes.
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
            answer = await self._answer(line)  # No time limit, because a large snapshot takes minutes.
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
            answer = await run_operation(self._operations, command, arguments)
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
    """Serve the socket for `chatserver push`, which may run as another user. `stop` answers a waiting request.

    Any process that can reach the file may connect. Only the server's user can enter the data directory; the push unit
    gets access only to the directory of the socket (docs/deploy/chat-push.service). If other users may enter the data
    directory, only the server's user may connect.
    """
    async with ControlServer(data_dir / PUSH_SOCKET, operations, "", _push_mode(data_dir)).running():
        try:
            yield
        finally:
            stop()


def _push_mode(data_dir: Path) -> int:
    """Create the directory of the push socket, and return the mode of the socket."""
    is_shut_in = not data_dir.stat().st_mode & 0o077
    directory = (data_dir / PUSH_SOCKET).parent
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755 if is_shut_in else 0o700)
    return 0o666 if is_shut_in else 0o600
