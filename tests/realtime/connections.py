"""Connections over fake transports."""

from __future__ import annotations

import asyncio
from typing import Any

from chatserver.core.model import Role, User
from chatserver.realtime.connection import Connection
from chatserver.realtime.masking import unmask
from tests.support import FakeClock

MING = User(1, "小明", Role.MEMBER)
HONG = User(2, "小红", Role.MEMBER)


class FakeTransport(asyncio.Transport):
    """Written data waits in `waiting` until the test lets it pass, or passes at once."""

    def __init__(self, reads: bool = True) -> None:
        super().__init__()
        self.reads = reads
        self.passed = b""
        self.waiting = b""
        self.writes = 0
        self.is_aborted = False
        self.is_closed = False
        self.has_ended = False

    def write(self, data: Any) -> None:
        self.writes += 1
        if self.reads:
            self.passed += bytes(data)
        else:
            self.waiting += bytes(data)

    def let_pass(self, size: int) -> None:
        self.passed += self.waiting[:size]
        self.waiting = self.waiting[size:]

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def is_closing(self) -> bool:
        return self.is_closed or self.is_aborted

    def can_write_eof(self) -> bool:
        return False

    def write_eof(self) -> None:
        self.has_ended = True

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True
        self.waiting = b""


class Recorder:
    """A receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[object] = []

    def text_received(self, text: str) -> None:
        self.got.append(text)

    def fragment_received(self) -> None:
        pass

    def ping_received(self, payload: bytes) -> None:
        self.got.append(("ping", payload))

    def pong_received(self) -> None:
        self.got.append("pong")

    def close(self, code: int) -> None:
        self.got.append(("close", code))

    def connection_lost(self) -> None:
        self.got.append("lost")


def connect(
    clock: FakeClock,
    user: User | None = None,
    session_id: int | None = None,
    address: str = "192.0.2.1",
    reads: bool = True,
) -> tuple[Connection, FakeTransport]:
    transport = FakeTransport(reads)
    connection = Connection(user, session_id, address, clock.monotonic(), unmask)
    connection.connection_made(transport)
    return connection, transport
