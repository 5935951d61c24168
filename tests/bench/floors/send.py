"""*send*: one `send()` of a prepared frame for each socket and message, and nothing else.

python -m tests.bench.floors.send FRAME_FILE

Reads `accept N`, `go MESSAGES` and `drop` from standard input, and answers each with a line.
"""

from __future__ import annotations

import gc
import socket
import sys
from pathlib import Path


def main(frame: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print("listening", listener.getsockname()[1], flush=True)
    readers: list[socket.socket] = []
    gc.disable()
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "accept":
            print("accepting", flush=True)
            readers += [_accepted(listener) for _ in range(int(rest[0]))]
        elif word == "go":
            _send(readers, frame, int(rest[0]))
        elif word == "drop":
            while readers:
                readers.pop().close()
        print("done", flush=True)


def _accepted(listener: socket.socket) -> socket.socket:
    reader, _ = listener.accept()
    reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return reader


def _send(readers: list[socket.socket], frame: bytes, count: int) -> None:
    sends = [reader.send for reader in readers]
    for _ in range(count):
        for send in sends:
            send(frame)


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_bytes())
