"""A frame as the real server sends it. The floors send it, so that both send the same bytes."""

from __future__ import annotations

from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.frames import payloads
from tests.bench.senders import Sender, one_at_a_time
from tests.bench.server import Server
from tests.bench.sockets import connect

TEXT_BYTES = 200


def ready_frame(bench: Bench, server: Server, size: int = TEXT_BYTES) -> Path:
    """A file with one whole `message` frame of this server, for a text of `size` bytes."""
    crowd = connect(server.target, bench.cookies, 2)
    try:
        crowd.settle()
        crowd.peers[1].kept = bytearray()
        one_at_a_time(crowd, Sender(crowd.peers[0], size), 1)
        kept = bytes(crowd.peers[1].kept)
    finally:
        crowd.close()
    payload = next(p for p in payloads(kept) if p.startswith(b'{"type":"message"'))
    start = kept.index(payload) - (4 if len(payload) < 65_536 else 10)
    path = bench.work / f"frame-{size}"
    path.write_bytes(kept[start : start + len(payload) + kept.index(payload) - start])
    return path


def payload_of(frame: Path) -> Path:
    """A file with only the JSON of the frame, for floors that frame it themselves."""
    path = frame.with_suffix(".json")
    path.write_bytes(next(payloads(frame.read_bytes())))
    return path
