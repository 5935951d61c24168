"""A connection over the room's own TLS: reading, writing, and its end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.realtime import frames
from chatserver.realtime.connection import Connection
from chatserver.realtime.masking import unmask
from tests.fronts.proxies import NAME, certificate
from tests.realtime.connections import MING, Recorder
from tests.realtime.parsed import TEXT, close, frame
from tests.support import eventually

PATIENCE = 60


class Line(Recorder):
    """A connection, and the peer's socket."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def __init__(self) -> None:
        super().__init__()
        self.connection = Connection(MING, 1, "192.0.2.1", 0.0, unmask)
        self.connection.receiver = self
        self.is_lost = asyncio.Event()

    def close(self, code: int) -> None:
        super().close(code)
        self.connection.close(code, 0.0)

    def connection_lost(self) -> None:
        super().connection_lost()
        self.is_lost.set()

    async def until(self, count: int) -> None:
        await eventually(lambda: len(self.got) >= count)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    pair = await asyncio.to_thread(certificate, tmp_path, "tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    line = Line()
    server = await asyncio.get_running_loop().create_server(lambda: line.connection, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    line.reader, line.writer = await asyncio.open_connection("127.0.0.1", port, ssl=pair.trusting, server_hostname=NAME)
    yield line
    line.writer.close()
    line.connection.abort()
    await asyncio.wait_for(line.is_lost.wait(), PATIENCE)
    server.close()


async def test_frames_of_many_records_read_at_once_are_heard_in_their_order(line: Line) -> None:
    """asyncio reads several records into the buffer before it calls `buffer_updated`."""
    texts = [f"{number} {'x' * (number % 700)}" for number in range(2_000)]
    line.connection.pause_reading()
    for text in texts:
        line.writer.write(frame(TEXT, text.encode()))
    await asyncio.sleep(0.05)
    line.connection.resume_reading()
    await line.until(len(texts))
    assert line.got == texts


async def test_a_frame_longer_than_the_buffer_is_heard(line: Line) -> None:
    line.writer.write(frame(TEXT, b"x" * 65_536) * 3)
    await line.until(3)
    assert line.got == ["x" * 65_536] * 3


async def test_what_is_sent_arrives_and_a_close_is_answered(line: Line) -> None:
    for number in range(100):
        assert line.connection.send(b"%d," % number)
    line.writer.write(close(1000))
    expected = b"".join(b"%d," % number for number in range(100)) + frames.close(1000)
    assert await asyncio.wait_for(line.reader.read(-1), PATIENCE) == expected
    await asyncio.wait_for(line.is_lost.wait(), PATIENCE)


async def test_the_code_of_an_error_arrives_although_the_peer_sends_on(line: Line) -> None:
    line.writer.write(b"\x81\x00" + b"x" * 200_000)
    assert await asyncio.wait_for(line.reader.read(-1), PATIENCE) == frames.close(1002)
    await asyncio.wait_for(line.is_lost.wait(), PATIENCE)
