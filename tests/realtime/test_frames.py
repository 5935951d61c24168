"""RFC 6455 frames, from server to client."""

from __future__ import annotations

import pytest

from chatserver.realtime import frames


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, "81 00"),
        (1, "81 01"),
        (125, "81 7d"),
        (126, "81 7e 00 7e"),
        (127, "81 7e 00 7f"),
        (65_535, "81 7e ff ff"),
        (65_536, "81 7f 00 00 00 00 00 01 00 00"),
    ],
)
def test_a_text_frame_names_its_length_in_the_shortest_way(size: int, header: str) -> None:
    payload = b"x" * size
    assert frames.text(payload) == bytes.fromhex(header) + payload


def test_the_examples_of_the_rfc() -> None:
    """Section 5.7: a single-frame unmasked text message, and an unmasked ping."""
    assert frames.text(b"Hello") == bytes.fromhex("81 05 48 65 6c 6c 6f")
    assert frames.ping(b"Hello") == bytes.fromhex("89 05 48 65 6c 6c 6f")
    assert frames.pong(b"Hello") == bytes.fromhex("8a 05 48 65 6c 6c 6f")


@pytest.mark.parametrize(("code", "frame"), [(1000, "88 02 03 e8"), (1013, "88 02 03 f5"), (4401, "88 02 11 31")])
def test_a_closing_frame_carries_its_code(code: int, frame: str) -> None:
    assert frames.close(code) == bytes.fromhex(frame)
