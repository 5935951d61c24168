"""Asks the running server, or, when none has the data directory, opens it and does the thing itself."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from chatserver.core.clock import SystemClock
from chatserver.core.config import Config
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db import data_dir
from chatserver.db.data_lock import DataLock, DataLocked
from chatserver.db.database import Database
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.room import Room
from chatserver.features.settings.settings import Settings
from chatserver.media.files import MediaFiles
from chatserver.ops.control import commands

# A server that is just starting has the lock before it has the socket.
CONNECT_TRIES = 50
CONNECT_PAUSE_SECONDS = 0.1
# An answer is one line: a page of members with the longest names, escaped, and room to spare.
LINE_MAX = 4 * 1024 * 1024


class Unreachable(Exception):
    """Another process has the data directory but does not answer; the message is one line."""


async def operate(config: Config, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Carry out an operator's command, whether or not the server runs.

    Raises DomainError as the rules do, Unreachable, and storage.DatabaseUnusable.
    """
    data_dir.prepare(config.data_dir)
    for _ in range(CONNECT_TRIES):
        try:
            with DataLock(config.data_dir):
                return await _do(config, command, arguments)
        except DataLocked:
            pass
        try:
            return await ask(config, command, arguments)
        except OSError:
            await asyncio.sleep(CONNECT_PAUSE_SECONDS)
    raise Unreachable(f"{config.data_dir}: locked by another process that does not answer")


async def _do(config: Config, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    database = await Database.open(config.data_dir / "chat.db")
    hasher = PasswordHasher(config.bcrypt_rounds)
    try:
        media = MediaFiles(config.data_dir / "media")
        room = Room(database, Settings(config), SystemClock(), hasher, media.copy)
        await room.changing.load()
        return await commands.carry_out(room, command, arguments)
    finally:
        hasher.close()
        await database.close()
        await asyncio.to_thread(data_dir.give, config.data_dir, config.data_dir)


async def ask(config: Config, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Have the running server carry it out. Raises DomainError as the rules do, and OSError where none answers."""
    directory = os.open(config.data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{directory}/control.sock", limit=LINE_MAX)
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
