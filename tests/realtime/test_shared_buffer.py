"""Data for many sockets arrives whole and in order over real sockets, and its memory is freed."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from chatserver.realtime.connection import OUTBOX_MAX, Connection
from chatserver.realtime.hub import Hub
from chatserver.realtime.masking import unmask
from chatserver.realtime.shared_buffer import SHARED_MIN, SharedBuffer
from tests.support import FakeClock, eventually

READERS = 40
LONG = bytes(range(256)) * (SHARED_MIN // 256)


@pytest.fixture
async def peers() -> AsyncIterator[tuple[Hub, list[socket.socket]]]:
    """A hub with many connections, and the peers' sockets."""
    hub, clock, loop = Hub(FakeClock()), FakeClock(), asyncio.get_running_loop()
    ends: list[socket.socket] = []
    transports: list[asyncio.Transport] = []
    for number in range(READERS):
        ours, peer = socket.socketpair()
        peer.setblocking(False)
        connection = Connection(None, None, f"192.0.2.{number}", clock.monotonic(), unmask)
        transport, _ = await loop.create_connection(lambda: connection, sock=ours)  # noqa: B023 # called at once
        ends.append(peer)
        transports.append(transport)
        hub.join(connection)
        connection.send(b"hello,")
    yield hub, ends
    for transport in transports:
        transport.abort()
    for end in ends:
        end.close()
    await asyncio.sleep(0)


async def _read(peer: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    got = bytearray()
    while len(got) < size and (piece := await asyncio.wait_for(loop.sock_recv(peer, 1 << 20), 20)):
        got += piece
    return bytes(got)


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def _taken(hub: Hub) -> None:
    for connection in list(hub._live):
        await eventually(lambda taken=connection.transport: not taken.get_write_buffer_size())


async def _everybody_reads(peers: list[socket.socket], expected: bytes) -> None:
    for got in await asyncio.gather(*(_read(peer, len(expected)) for peer in peers)):
        assert got == expected


async def test_short_and_long_words_reach_all_in_their_order(peers: tuple[Hub, list[socket.socket]]) -> None:
    hub, ends = peers
    before = _descriptors()
    said = [b"short,", LONG, LONG[:-1], b"short,", LONG * 3]
    for word in said:
        hub.broadcast(word)
        await asyncio.sleep(0)
    await _everybody_reads(ends, b"hello," + b"".join(said))
    assert _descriptors() == before


async def test_what_a_socket_does_not_take_follows_later(peers: tuple[Hub, list[socket.socket]]) -> None:
    hub, ends = peers
    words = [bytes([65 + number]) * (OUTBOX_MAX // 2) for number in range(3)]
    reading = asyncio.create_task(_everybody_reads(ends, b"hello," + b"".join(words)))
    for word in words:
        hub.broadcast(word)
        await asyncio.wait_for(_taken(hub), 20)
    await reading
    assert hub.dropped == 0


@pytest.mark.parametrize("failing", ["memfd_create", "write"])
async def test_without_such_a_file_everybody_gets_a_copy(monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """Simulates that no descriptor or no memory is left."""
    ours, peer = socket.socketpair()
    before = _descriptors()
    with monkeypatch.context() as patch:
        patch.setattr(os, failing, _refuse)
        shared = SharedBuffer(LONG)
    assert _descriptors() == before
    with ours, peer:
        assert shared.send_to(ours.fileno()) == len(LONG)
        assert peer.recv(len(LONG), socket.MSG_WAITALL) == LONG
    shared.close()


async def test_what_was_sent_does_not_change_when_the_file_is_gone() -> None:
    ours, peer = socket.socketpair()
    with ours, peer:
        for word in (LONG, LONG[::-1]):
            shared = SharedBuffer(word)
            assert shared.send_to(ours.fileno()) == len(LONG)
            shared.close()
        assert peer.recv(len(LONG) * 2, socket.MSG_WAITALL) == LONG + LONG[::-1]


def _refuse(*_: object) -> Callable[..., int]:
    raise OSError(24, "Too many open files")
