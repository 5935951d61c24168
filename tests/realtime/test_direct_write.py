"""A connection over a real socket: frames bypass the transport while its buffer is empty, and never overtake other
frames."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from chatserver.realtime.connection import OUTBOX_MAX, Connection
from chatserver.realtime.hub import Hub
from chatserver.realtime.masking import unmask
from tests.realtime.connections import MING, Recorder
from tests.support import FakeClock


class Line:
    """One connection, and the peer's socket, which reads only when the test tells it to."""

    def __init__(self, peer: socket.socket, connection: Connection, lost: asyncio.Event) -> None:
        self.peer = peer
        self.lost = lost
        self.connection = connection
        self.transport = connection.transport

    async def read(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        got = bytearray()
        while len(got) < size and (piece := await asyncio.wait_for(loop.sock_recv(self.peer, 1 << 20), 20)):
            got += piece
        return bytes(got)


class _Noting(Recorder):
    def __init__(self, lost: asyncio.Event) -> None:
        super().__init__()
        self._lost = lost

    def connection_lost(self) -> None:
        self._lost.set()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    ours, peer = socket.socketpair()
    peer.setblocking(False)
    lost = asyncio.Event()
    connection = Connection(MING, 1, "192.0.2.1", 0.0, unmask)
    connection.receiver = _Noting(lost)
    await asyncio.get_running_loop().create_connection(lambda: connection, sock=ours)
    yield Line(peer, connection, lost)
    connection.abort()
    await lost.wait()
    peer.close()


@pytest.fixture
def transport_writes(monkeypatch: pytest.MonkeyPatch, line: Line) -> list[int]:
    """The lengths of the data that went through the transport's own `write`."""
    lengths: list[int] = []
    write: Callable[[bytes], None] = line.transport.write

    def noting(data: bytes) -> None:
        lengths.append(len(data))
        write(data)

    monkeypatch.setattr(line.transport, "write", noting)
    return lengths


async def test_a_reader_who_keeps_up_is_written_to_without_the_transport(
    line: Line, transport_writes: list[int]
) -> None:
    for number in range(10):
        assert line.connection.send(b"%d" % number)
    assert await line.read(10) == b"0123456789"
    assert transport_writes == []


async def test_nothing_overtakes_what_waits(line: Line, transport_writes: list[int]) -> None:
    """The kernel takes a part of a frame. The rest, and all later frames, go through the transport's buffer."""
    pieces = [bytes([65 + number % 26]) * 50_000 for number in range(30)]
    for piece in pieces[:15]:
        assert line.connection.send(piece)
    assert line.transport.get_write_buffer_size() > 0
    reading = asyncio.create_task(line.read(sum(map(len, pieces))))
    for piece in pieces[15:]:
        await asyncio.sleep(0)
        assert line.connection.send(piece)
    assert await reading == b"".join(pieces)
    assert len(transport_writes) < len(pieces)


async def test_it_is_straight_again_when_nothing_waits_any_more(line: Line, transport_writes: list[int]) -> None:
    assert line.connection.send(b"x" * 600_000)
    assert await line.read(600_000) == b"x" * 600_000
    for _ in range(3):
        assert line.connection.send(b"y")
    assert await line.read(3) == b"yyy"
    [rest] = transport_writes  # the rest of the first frame, which the kernel did not take
    assert rest < 600_000


async def test_the_bound_holds_over_a_real_socket(line: Line) -> None:
    sent = 0
    while line.connection.send(b"x" * 65_536):
        sent += 65_536
    assert OUTBOX_MAX - 65_536 < line.transport.get_write_buffer_size() <= OUTBOX_MAX
    assert await line.read(sent) == b"x" * sent


async def test_a_closed_socket_is_never_written_to_though_its_number_is_another_files(line: Line) -> None:
    line.connection.send(b"first")
    number = line.transport.get_extra_info("socket").fileno()
    line.transport.abort()
    await line.lost.wait()
    # The kernel assigns the lowest free number, so it soon assigns this one again.
    others = [end for _ in range(100) for end in socket.socketpair()]
    try:
        [taken] = [place for place, end in enumerate(others) if end.fileno() == number]
        peer = others[taken ^ 1]
        peer.setblocking(False)
        assert line.connection.send(b"late")
        with pytest.raises(BlockingIOError):
            peer.recv(10)
    finally:
        for end in others:
            end.close()


async def test_a_peer_that_is_gone_costs_no_other_reader_anything(line: Line) -> None:
    hub = Hub(FakeClock())
    hub.join(line.connection)
    line.connection.send(b"first")
    line.peer.close()
    for _ in range(3):
        hub.broadcast(b"to nobody")
    await asyncio.wait_for(line.lost.wait(), 20)


async def test_over_tls_everything_goes_through_the_transport(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    known = line.transport.get_extra_info
    monkeypatch.setattr(
        line.transport, "get_extra_info", lambda name: object() if name == "sslcontext" else known(name)
    )
    encrypting: list[bytes] = []
    monkeypatch.setattr(line.transport, "write", encrypting.append)
    connection = Connection(MING, 1, "192.0.2.1", 0.0, unmask)
    connection.connection_made(line.transport)
    for word in (b"one", b"two", b"three"):
        assert connection.send(word)
    assert encrypting == [b"one", b"two", b"three"]
