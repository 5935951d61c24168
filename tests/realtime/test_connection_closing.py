"""The end of a connection over a real socket: which side closes, and that the close frame arrives."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from chatserver.realtime import frames
from chatserver.realtime.connection import CLOSING_SECONDS, Connection
from chatserver.realtime.hub import Hub
from chatserver.realtime.masking import unmask
from tests.realtime.connections import MING, FakeTransport, Recorder, connect
from tests.realtime.parsed import BINARY, CLOSE, TEXT, close, feed, frame, header
from tests.support import FakeClock, eventually

PATIENCE = 60


class Room(Recorder):
    """Handles the end of a connection as the frame reader does."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub
        self.lost = asyncio.Event()
        self.connection: Connection

    def close(self, code: int) -> None:
        super().close(code)
        self.hub.close(self.connection, code)

    def connection_lost(self) -> None:
        super().connection_lost()
        self.hub.leave(self.connection)
        self.lost.set()


class Line:
    """A connection of the hub, and the peer's socket."""

    def __init__(self, room: Room, peer: socket.socket, clock: FakeClock) -> None:
        self.room, self.peer, self.clock = room, peer, clock

    async def send(self, data: bytes) -> None:
        await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self.peer, data), PATIENCE)

    async def to_the_end(self) -> bytes:
        """Everything that the peer receives. Raises ConnectionResetError if the kernel dropped the rest."""
        got = b""
        while piece := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.peer, 1 << 16), PATIENCE):
            got += piece
        return got

    async def lost(self) -> None:
        await asyncio.wait_for(self.room.lost.wait(), PATIENCE)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """Over TCP, because the kernel handles unread bytes differently for other sockets."""
    clock = FakeClock()
    hub = Hub(clock)
    room = Room(hub)
    room.connection = connection = Connection(MING, 1, "192.0.2.1", clock.monotonic(), unmask)
    connection.receiver = room
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    peer.setblocking(False)
    await asyncio.get_running_loop().create_connection(lambda: connection, sock=ours)
    hub.join(connection)
    yield Line(room, peer, clock)
    peer.close()
    connection.abort()
    await asyncio.wait_for(room.lost.wait(), PATIENCE)


async def test_a_close_is_answered_with_its_code_and_the_server_closes_first(line: Line) -> None:
    await line.send(close(4000, b"bye") + frame(TEXT, b"late"))
    assert await line.to_the_end() == frames.close(4000)
    await line.lost()
    assert line.room.got == [("close", 4000), "lost"]
    assert len(line.room.hub) == 0 and line.room.hub.is_empty


async def test_a_close_without_a_code_is_answered_with_1000(line: Line) -> None:
    await line.send(frame(CLOSE))
    assert await line.to_the_end() == frames.close(1000)


async def test_the_answer_to_the_servers_close_ends_the_connection_and_is_not_answered_again(line: Line) -> None:
    line.room.hub.close(line.room.connection, 1001)
    await line.send(frame(TEXT, b"on its way") + close(1001))
    assert await line.to_the_end() == frames.close(1001)
    await line.lost()
    assert line.room.hub.is_empty


async def test_what_was_broadcast_before_stands_before_the_close_frame(line: Line) -> None:
    line.room.hub.broadcast(b"to all,")
    await line.send(close(1000))
    assert await line.to_the_end() == b"to all," + frames.close(1000)


@pytest.mark.parametrize(("wrong", "code"), [(b"\x81\x00", 1002), (frame(TEXT, b"\xff"), 1007)])
async def test_the_code_of_an_error_arrives_although_the_peer_sends_on(line: Line, wrong: bytes, code: int) -> None:
    """A socket that is closed with unread bytes is reset. Then the peer's kernel drops the data that it has
    received."""
    await line.send(wrong + b"x" * 200_000)
    assert await line.to_the_end() == frames.close(code)
    assert not line.room.lost.is_set()  # until the peer closes its side
    line.peer.shutdown(socket.SHUT_WR)
    await line.lost()


async def test_a_peer_that_does_not_end_after_an_error_is_aborted(line: Line) -> None:
    await line.send(header(TEXT, 65_537))
    assert await line.to_the_end() == frames.close(1009)
    line.clock.forward(CLOSING_SECONDS)
    line.room.hub.beat()
    await line.lost()


async def test_a_binary_message_is_closed_with_1003_and_the_peers_close_is_heard(line: Line) -> None:
    await line.send(frame(BINARY, b"x") + close(1000))
    assert await line.to_the_end() == frames.close(1003)
    await line.lost()


async def test_a_peer_that_ends_its_side_without_a_close_frame_is_told_goodbye(line: Line) -> None:
    line.peer.shutdown(socket.SHUT_WR)
    assert await line.to_the_end() == frames.close(1000)
    await line.lost()
    assert line.room.got == [("close", 1000), "lost"]


async def test_a_peer_that_is_gone_leaves_nothing_behind(line: Line) -> None:
    line.peer.close()
    await line.lost()
    assert line.room.hub.is_empty
    assert line.room.connection.receiver is None
    assert line.room.connection.send(b"late")


async def test_the_transport_is_read_no_further_while_frames_wait(line: Line) -> None:
    connection = line.room.connection
    connection.pause_reading()
    text, count = "x" * 60_000, 400  # more than the kernel's buffers can hold
    sending = asyncio.create_task(line.send(frame(TEXT, text.encode()) * count))
    await asyncio.sleep(0.05)
    assert not sending.done() and line.room.got == []
    connection.resume_reading()
    await asyncio.wait_for(sending, PATIENCE)
    await eventually(lambda: len(line.room.got) >= count)
    assert line.room.got == [text] * count


async def test_a_close_is_heard_though_the_connection_was_paused(line: Line) -> None:
    line.room.connection.pause_reading()
    line.room.hub.close(line.room.connection, 4401)
    await line.send(close(4401))
    assert await line.to_the_end() == frames.close(4401)
    await line.lost()


async def test_over_tls_a_broken_stream_closes_the_transport() -> None:
    """TLS cannot be closed for writing only, so asyncio reads on until the peer closes."""
    connection, transport = connect(FakeClock())
    connection.receiver = receiver = Recorder()
    feed(connection, b"\x81\x00" + frame(TEXT, b"late"))
    assert receiver.got == [("close", 1002)]
    assert (transport.is_closed, transport.has_ended) == (True, False)


class Halved(FakeTransport):
    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        raise OSError(107, "Transport endpoint is not connected")


async def test_a_peer_that_is_gone_when_its_error_is_answered_is_no_error_here() -> None:
    connection = Connection(MING, 1, "192.0.2.1", 0.0, unmask)
    connection.connection_made(Halved())
    connection.receiver = receiver = Recorder()
    feed(connection, b"\x81\x00")
    assert receiver.got == [("close", 1002)]


async def test_what_is_sent_between_a_failure_and_the_loss_is_dropped_without_a_warning(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """asyncio warns of the fifth write to a transport that has failed."""
    line.room.connection.abort()
    for _ in range(10):
        line.room.hub.broadcast(b"x" * 10_000_000)
    assert caplog.text == ""
    await line.lost()
