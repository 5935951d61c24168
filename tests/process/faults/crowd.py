"""Many raw sockets: hundreds of them cost a test little, and some of them never read."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

_LINES = (
    "GET /ws/chat/{query} HTTP/1.1", "Host: {netloc}", "Origin: {address}", "Upgrade: websocket", "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
)  # fmt: skip

_ANSWER = re.compile(rb'\{"type":"(ack|refused)"')


def handshake(address: str, query: str = "", cookies: str = "") -> bytes:
    netloc = urlsplit(address).netloc
    lines = [line.format(query=query, netloc=netloc, address=address) for line in _LINES]
    return "\r\n".join([*lines, *([f"Cookie: {cookies}"] if cookies else []), "", ""]).encode()


class Guest:
    """One socket, which keeps the data that it received."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.got = b""

    async def until(self, word: bytes) -> bytes:
        """Read until `word` has come. "" is returned at the end of the stream."""
        while word not in self.got:
            piece = await self._reader.read(65_536)
            if not piece:
                raise ConnectionError(f"ended before {word!r}: {self.got[-300:]!r}")
            self.got += piece
        return self.got

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> dict[str, Any]:
        """The first `ack` or refusal that the socket receives."""
        while True:
            if found := _ANSWER.search(self.got):
                with suppress(ValueError):  # the rest of it has not arrived yet
                    frame: dict[str, Any]
                    frame, _ = json.JSONDecoder().raw_decode(self.got[found.start() :].decode("utf-8", "replace"))
                    return frame
            piece = await self._reader.read(65_536)
            if not piece:
                raise ConnectionError(f"ended without an answer: {self.got[-300:]!r}")
            self.got += piece

    async def to_the_end(self) -> bytes:
        while piece := await self._reader.read(65_536):
            self.got += piece
        return self.got

    def drop(self) -> None:
        self._writer.transport.abort()


async def guests(address: str, queries: Sequence[str], at_once: int = 100) -> list[Guest]:
    """Connect this number of guests. Each has received its `hello` (and `sync`, if its query requests one)."""
    door = asyncio.Semaphore(at_once)
    here = urlsplit(address)

    async def come(query: str) -> Guest:
        async with door:
            reader, writer = await asyncio.open_connection(here.hostname, here.port)
            guest = Guest(reader, writer)
            writer.write(handshake(address, query))
            await guest.until(b'"type":"sync"' if "after" in query else b'"type":"hello"')
            if not guest.got.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(guest.got[:300])
            return guest

    return await asyncio.gather(*(come(query) for query in queries))


def deaf(address: str) -> socket.socket:
    """A socket that is never read, with the smallest buffer that the kernel allows."""
    here = urlsplit(address)
    ear = socket.socket()
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ear.connect((here.hostname, here.port))
    ear.sendall(handshake(address))
    return ear
