"""The connections of one address are limited, and a response that its client does not read is aborted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chatserver.http import http_connections
from chatserver.http.http_connections import HttpConnections
from tests.client import PATIENCE, House, opened

GET = b"GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n"


class Peer:
    """One raw connection."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host = host.encode()
        self.reader = reader
        self.writer = writer

    async def send(self, line: bytes) -> None:
        self.writer.write(line.replace(b"%s", self._host))
        await self.writer.drain()

    async def status(self) -> int:
        await self.send(GET)
        return await self.answer()

    async def answer(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return int((await self.reader.readuntil(b"\r\n")).split()[1])

    async def is_closed(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def connecting(house: House) -> AsyncIterator[Callable[[], Awaitable[Peer]]]:
    """Yields a function that opens one more connection. All are closed at the end."""
    here = urlsplit(house.address)
    async with AsyncExitStack() as stack:

        async def connect() -> Peer:
            peer = Peer(here.netloc, *await asyncio.open_connection(here.hostname, here.port))
            stack.callback(peer.writer.close)
            return peer

        yield connect


async def test_the_oldest_that_waits_makes_room_for_a_new_one(tmp_path: Path) -> None:
    async with opened(tmp_path, connections_per_address=4) as house, connecting(house) as connect:
        peers = [await connect() for _ in range(4)]
        await peers[1].send(b"GET / HTTP/1.1\r\nHost: ")  # half of a header also counts as waiting
        newest = [await connect() for _ in range(2)]
        assert await peers[0].is_closed() and await peers[1].is_closed()
        assert [await peer.status() for peer in (*peers[2:], *newest)] == [200] * 4


async def test_one_too_many_is_refused_while_all_are_answered(tmp_path: Path) -> None:
    async with opened(tmp_path, connections_per_address=3) as house, connecting(house) as connect:
        peers = [await connect() for _ in range(3)]
        for peer in peers:
            await peer.send(b"POST /login/ HTTP/1.1\r\nHost: %s\r\nContent-Length: 20\r\n")
            await peer.send(b"Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n")
            await peer.send(b"Expect: 100-continue\r\n\r\n")
            assert await peer.answer() == 100  # from here on the server answers its request
            assert await peer.reader.readuntil(b"\r\n") == b"\r\n"
            await peer.send(b"username=")
        refused = await connect()
        assert await refused.answer() == 503
        rest = await refused.reader.read()
        assert b"Retry-After: 5\r\n" in rest and b'"code":"busy"' in rest and b'"retry_after_ms":5000' in rest
        await peers[0].send(b"12345678901")
        assert await peers[0].answer() in (400, 403)
        async with asyncio.timeout(PATIENCE):
            while (status := await (await connect()).status()) == 503:  # until peers[0] waits for a request again
                pass
        assert status == 200


async def test_websockets_are_not_counted(tmp_path: Path) -> None:
    async with opened(tmp_path, connections_per_address=3) as house, connecting(house) as connect:
        guest = await house.guest()
        sockets = [await guest.socket() for _ in range(3)]
        peers = [await connect() for _ in range(3)]
        assert [await peer.status() for peer in peers] == [200] * 3
        for socket in sockets:
            await socket.in_step()


async def test_a_trusted_proxy_may_have_any_number(tmp_path: Path) -> None:
    settings = {"connections_per_address": 2, "trusted_proxies": "127.0.0.1"}
    async with opened(tmp_path, **settings) as house, connecting(house) as connect:
        peers = [await connect() for _ in range(8)]
        assert [await peer.status() for peer in peers] == [200] * 8


async def test_no_limit_of_connections(tmp_path: Path) -> None:
    async with opened(tmp_path, connections_per_address=0) as house, connecting(house) as connect:
        peers = [await connect() for _ in range(300)]
        assert {await peer.status() for peer in peers} == {200}


async def test_responses_that_nobody_reads_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert http_connections.READ_GRACE_SECONDS == 60.0
    monkeypatch.setattr(http_connections, "READ_GRACE_SECONDS", 0.2)
    monkeypatch.setattr(http_connections, "LEAST_BYTES_PER_SECOND", 1_000_000_000)
    async with opened(tmp_path) as house, connecting(house) as connect:
        member = await house.member("小明")
        deaf = await connect()
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(PATIENCE):
            await _until_gone(deaf)
        assert (await member.get("/api/recent_messages/")).status == 200


async def _until_gone(peer: Peer) -> None:
    """Send requests and read nothing, until the server ends the connection."""
    try:
        while not peer.writer.is_closing():
            await peer.send(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" * 50)
            await asyncio.sleep(0.01)
    except ConnectionError:
        pass


class Reader:
    """A connection, as the limits use it."""

    is_waiting = False

    def __init__(self, address: str) -> None:
        self.address = address
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def test_bytes_that_wait_to_be_read_are_bounded_for_an_address_and_in_all() -> None:
    mib = 1024 * 1024
    connections = HttpConnections(lambda: 0)
    readers = [Reader("192.0.2.1") for _ in range(5)]
    assert connections.set_unread(readers[0], 4 * mib) == 60.0 + 4 * mib / 8192
    for reader in readers[1:]:
        connections.set_unread(reader, 4 * mib)
    assert [reader.aborted for reader in readers] == [True, False, False, False, False]
    connections.clear_unread(readers[1])
    connections.set_unread(readers[2], 8 * mib)  # counted once
    assert not any(reader.aborted for reader in readers[1:])
    others = [Reader(f"192.0.2.{number}") for number in range(2, 10)]
    for reader in others:
        connections.set_unread(reader, 15 * mib)
    # 16 + 8 x 15 = 136: the oldest of all was aborted first.
    assert readers[3].aborted and readers[4].aborted and not any(reader.aborted for reader in others)
    for reader in (*readers, *others):
        connections.remove(reader)
    proxied = [Reader("") for _ in range(9)]
    for reader in proxied:
        connections.set_unread(reader, 15 * mib)
    assert [reader.aborted for reader in proxied] == [True] + [False] * 8
