"""Plain HTTP: a few keep-alive connections that send the same request again and again."""

from __future__ import annotations

import http.client
import re
import select
import socket
import time
from dataclasses import dataclass

from tests.bench.sockets import BUFFER_BYTES, Target

CONNECTIONS = 8
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    content_type: str


def fetch(target: Target, path: str, cookie: str) -> Answer:
    connection = http.client.HTTPConnection(target.host, target.port, timeout=30)
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {body[:300]!r}")
        return Answer(body, answer.headers["Content-Type"])
    finally:
        connection.close()


def ask(target: Target, path: str, cookie: str, seconds: float) -> int:
    """The number of answers in that time, over CONNECTIONS connections. Each waits for an answer before its next
    request."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {target.host}:{target.port}"]
    request = "\r\n".join([*lines, *([f"Cookie: {cookie}"] if cookie else []), "", ""]).encode()
    poll = select.epoll()
    asking = {}
    for _ in range(CONNECTIONS):
        asker = _Asker(target, request)
        asking[asker.sock.fileno()] = asker
        poll.register(asker.sock.fileno(), select.EPOLLIN)
    buffer = bytearray(BUFFER_BYTES)
    deadline = time.perf_counter() + seconds
    answers = 0
    while time.perf_counter() < deadline:
        for fd, _ in poll.poll(0):
            answers += asking[fd].read(buffer)
    poll.close()
    for asker in asking.values():
        asker.sock.close()
    return answers


class _Asker:
    """One connection: sends the request, reads the whole answer, and repeats."""

    def __init__(self, target: Target, request: bytes) -> None:
        self.sock = socket.create_connection((target.host, target.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._missing = 0
        self.sock.send(request)

    def read(self, buffer: bytearray) -> bool:
        """True if the answer is complete. The next request has then been sent."""
        size = self.sock.recv_into(buffer)
        if not size:
            raise RuntimeError("the server closed a connection that it should have kept")
        if self._missing:
            self._missing -= size
        else:
            # The header arrives in one piece, because aiohttp writes it together with the start of the body.
            header = buffer.find(b"\r\n\r\n", 0, size)
            found = _LENGTH.search(buffer, 0, max(header, 0))
            if not buffer.startswith(b"HTTP/1.1 200") or found is None:
                raise RuntimeError(f"an unexpected answer: {bytes(buffer[:300])!r}")
            self._missing = int(found[1]) + header + 4 - size
        if self._missing:
            return False
        self.sock.send(self._request)
        return True
