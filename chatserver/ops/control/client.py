"""Calls an operation in the running server or, if no process uses the data directory, on the files."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from chatserver.core.config import Config
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db import data_dir
from chatserver.db.data_lock import DataLock, DataLocked
from chatserver.ops import dependencies
from chatserver.ops.control.operations import run_operation

# Try several times, because a starting server holds the lock before its socket exists.
CONNECT_TRIES = 50
CONNECT_PAUSE_SECONDS = 0.1
# An answer is one line. A page of members with the longest names, escaped, has less than half of these bytes.
LINE_MAX = 4 * 1024 * 1024


class Unreachable(Exception):
    """Another process has locked the data directory but does not answer. The message is one line."""


async def operate(config: Config, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call the operation `command`, whether or not the server runs.

    Raises DomainError as the operation does, CommandError, Unreachable, DatabaseUnusable and OSError.
    """
    data_dir.prepare(config.data_dir)
    for _ in range(CONNECT_TRIES):
        try:
            with DataLock(config.data_dir):
                return await _operate_on_files(config, command, arguments)
        except DataLocked:
            pass
        try:
            return await ask(config, command, arguments)
        except OSError:
            await asyncio.sleep(CONNECT_PAUSE_SECONDS)
    raise Unreachable(f"{config.data_dir}: locked by another process that does not answer")


async def _operate_on_files(config: Config, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    dependencies.check()
    # Imported here, because it imports the whole server, which is not needed to call a running server.
    from chatserver.server import open_operations

    try:
        async with open_operations(config) as operations:
            return await run_operation(operations, command, arguments)
    finally:
        await asyncio.to_thread(data_dir.give_to_owner, config.data_dir, config.data_dir)


async def ask(config: Config, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call the operation in the running server.

    Raises DomainError as the operation does, and OSError if no server answers.
    """
    return await ask_at(config.data_dir / "control.sock", command, arguments)


async def ask_at(socket: Path, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call the operation in the server at this socket, as `ask` does. Raises ValueError if the answer is not JSON."""
    # Open the socket through the directory's descriptor, because the path of a socket has at most 107 bytes.
    directory = os.open(socket.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{directory}/{socket.name}", limit=LINE_MAX)
    finally:
        os.close(directory)
    try:
        writer.write(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
        line = await reader.readline()
    finally:
        writer.close()
    if not line:
        raise ConnectionResetError("no answer")
    answer = json.loads(line)
    if "refused" in answer:
        raise DomainError(ErrorCode(answer["refused"]), **answer["details"])
    result: dict[str, Any] = answer["answer"]
    return result
