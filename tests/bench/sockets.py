"""Thousands of readers in one thread: raw sockets, one epoll, one big buffer, and a mark to count.

The load polls (`poll(0)`) and never sleeps. To wake a sleeping process is work of the process that sends to it, and
would count as time of the server and of the floors.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tests.bench.frames import ACK, MARK, PONG, REFUSED, handshake

BUFFER_BYTES = 1 << 20
# The number of events is small, so that a sender in the same thread does not wait long.
EVENTS = 256
# The end of the last piece is kept, because a mark may begin in it and end in the next piece.
_TAIL = len(MARK) - 1
_ACK_START = _TAIL - (len(ACK) - 1)
STALL_SECONDS = 30.0
# From linux/in.h: choose the port at connect, by both addresses, instead of at bind.
_IP_BIND_ADDRESS_NO_PORT = 24


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect. A connection is open when `opened` has come after the answer's header; "" for the header alone.

    With an empty `path` there is no handshake: the *send* floor sends frames from the start.
    """

    host: str
    port: int
    path: str
    opened: bytes = b""

    def request(self, cookie: str = "") -> bytes:
        return handshake(self.host, self.port, self.path, cookie)

    def at(self, path: str) -> Target:
        return replace(self, path=path)


class Peer:
    """One connection. `log` and `kept`, if they are not None, collect arrivals and all bytes.

    `refused`, if it is not None, collects all bytes from the first refusal on.
    """

    __slots__ = ("acks", "kept", "log", "marks", "recv_into", "refused", "sends", "sock", "tail")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.recv_into = sock.recv_into
        self.marks = 0
        self.acks = 0
        self.tail = bytearray(_TAIL)
        self.sends = False
        self.log: list[tuple[float, int]] | None = None
        self.kept: bytearray | None = None
        self.refused: bytearray | None = None


class Crowd:
    """Connections that are read together. `marks` is the count of all of them, `lost` the number of closed
    connections."""

    def __init__(self, sockets: Iterable[socket.socket]) -> None:
        self._poll = select.epoll()
        self._buffer = bytearray(_TAIL + BUFFER_BYTES)
        self._view = memoryview(self._buffer)[_TAIL:]
        self._of_fd: dict[int, Peer] = {}
        self.peers: list[Peer] = []
        self.marks = 0
        self.lost = 0
        for sock in sockets:
            self.add(sock)

    def add(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        peer = Peer(sock)
        self.peers.append(peer)
        self._of_fd[sock.fileno()] = peer
        self._poll.register(sock.fileno(), select.EPOLLIN)

    def pump(self, timeout: float = 0.0) -> bool:
        """Read once from each connection that has data. False if none had data."""
        buffer, view, of_fd, now = self._buffer, self._view, self._of_fd, time.perf_counter
        events = self._poll.poll(timeout, EVENTS)
        for fd, _ in events:
            peer = of_fd[fd]
            try:
                size = peer.recv_into(view)
            except BlockingIOError:
                continue
            except OSError:
                size = 0
            if not size:
                self._poll.unregister(fd)
                self.lost += 1
                continue
            end = _TAIL + size
            buffer[:_TAIL] = peer.tail
            peer.tail = buffer[size:end]
            marks = buffer.count(MARK, 0, end)
            if marks:
                peer.marks += marks
                self.marks += marks
                if peer.log is not None:
                    peer.log.append((now(), peer.marks))
            if peer.sends:
                peer.acks += buffer.count(ACK, _ACK_START, end)
            if peer.kept is not None:
                peer.kept += buffer[_TAIL:end]
            if peer.refused:
                peer.refused += buffer[_TAIL:end]
            elif peer.refused is not None and (start := buffer.find(REFUSED, 0, end)) >= 0:
                peer.refused += buffer[start:end]
        return bool(events)

    def until(self, is_done: Callable[[], bool], *, or_quiet: bool = False) -> None:
        """Read until `is_done`. If nothing comes any more: return if `or_quiet`, else raise RuntimeError."""
        quiet_since = time.perf_counter()
        allowed = 3.0 if or_quiet else STALL_SECONDS
        while not is_done():
            if self.pump():
                quiet_since = time.perf_counter()
            elif time.perf_counter() - quiet_since > allowed:
                if or_quiet:
                    return
                raise RuntimeError(f"nothing came for {allowed:g} s ({self.marks} marks, {self.lost} closed)")

    def settle(self, quiet: float = 0.3, most: float = 20.0) -> None:
        """Read until nothing has come for `quiet` seconds: presence, and the last frames of the turn before."""
        started = last = time.perf_counter()
        while (now := time.perf_counter()) - last < quiet and now - started < most:
            if self.pump(0.02):
                last = now

    def begin(self) -> None:
        """Start a turn: send a pong on each connection, read the remaining data, and reset the counts."""
        for peer in self.peers:
            peer.sock.send(PONG)
        self.settle()
        self.begin_counting()

    def begin_counting(self) -> None:
        self.marks = 0
        for peer in self.peers:
            peer.marks = peer.acks = 0
            if peer.log is not None:
                peer.log = []
            if peer.kept is not None:
                peer.kept = bytearray()
            if peer.refused is not None:
                peer.refused = bytearray()

    def close(self) -> None:
        """Reset the connections, because an orderly close would keep ten thousand ports for a minute."""
        self._poll.close()
        for peer in self.peers:
            hang_up(peer.sock)


def hang_up(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def connect(target: Target, cookies: Sequence[str], count: int, *, in_flight: int = 64, turn: int = 0) -> Crowd:
    """`count` open connections with the cookies in turn; `turn` changes the source address, so that ports are free."""
    return Crowd(open_sockets(target, requests_of(target, cookies, count), in_flight, turn))


def requests_of(target: Target, cookies: Sequence[str], count: int) -> Iterator[bytes]:
    """`count` handshakes with the cookies in turn; empty handshakes for the *send* floor."""
    requests = [target.request(cookie) for cookie in cookies] if target.path else [b""]
    return (requests[number % len(requests)] for number in range(count))


def open_sockets(
    target: Target,
    requests: Iterable[bytes],
    in_flight: int,
    turn: int = 0,
    is_open: Callable[[bytearray], bool] | None = None,
) -> list[socket.socket]:
    """Connect and shake hands, `in_flight` at a time, until each is open. Raises RuntimeError on a refusal.

    Data that came together with the end of the handshake is read and dropped.
    """
    is_open = is_open or _opener(target)
    poll = select.epoll()
    waiting: dict[int, tuple[socket.socket, bytearray]] = {}
    done: list[socket.socket] = []
    pending = iter(requests)
    more = True
    quiet_since = time.perf_counter()
    while more or waiting:
        while more and len(waiting) < in_flight:
            request = next(pending, None)
            if request is None:
                more = False
                break
            sock = _connected(target, turn)
            if not request:
                done.append(sock)
                continue
            sock.send(request)
            sock.setblocking(False)
            waiting[sock.fileno()] = (sock, bytearray())
            poll.register(sock.fileno(), select.EPOLLIN)
        events = poll.poll(0, EVENTS) if waiting else []
        if not events and waiting and time.perf_counter() - quiet_since > STALL_SECONDS:
            raise RuntimeError(f"{len(waiting)} handshakes were not answered in {STALL_SECONDS:g} s")
        for fd, _ in events:
            quiet_since = time.perf_counter()
            sock, got = waiting[fd]
            piece = sock.recv(BUFFER_BYTES)
            got += piece
            if not piece or (len(got) > 12 and not got.startswith(b"HTTP/1.1 101")):
                raise RuntimeError(f"a handshake was refused: {bytes(got[:300])!r}")
            if is_open(got):
                poll.unregister(fd)
                del waiting[fd]
                done.append(sock)
    poll.close()
    return done


def _opener(target: Target) -> Callable[[bytearray], bool]:
    def is_open(got: bytearray) -> bool:
        header = got.find(b"\r\n\r\n")
        return header >= 0 and (not target.opened or got.find(target.opened, header) >= 0)

    return is_open


def _connected(target: Target, turn: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.bind((f"127.0.0.{2 + turn % 200}", 0))
    sock.connect((target.host, target.port))
    return sock
