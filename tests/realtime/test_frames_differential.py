"""The frame parser gives the same results as that of the package `websockets` for random streams."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.realtime.parsed import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, cut, frame, header

pytest.importorskip("websockets", reason="the package websockets is not installed")  # before the modules that import it

from tests.realtime.random_streams import compared
from tests.realtime.reference import compare

keys = st.binary(min_size=4, max_size=4)
opcodes = st.sampled_from((TEXT, TEXT, CONTINUATION, CONTINUATION, BINARY, CLOSE, PING, PONG, 0x3, 0xB))
codes = st.one_of(st.sampled_from((1000, 1001, 1005, 1006, 1015, 2999, 3000, 4999, 5000)), st.integers(0, 65_535))
texts = st.text(max_size=80).map(str.encode)
payloads = st.one_of(
    texts,
    st.binary(max_size=140),
    st.builds(lambda code, reason: struct.pack("!H", code) + reason, codes, texts),
    st.sampled_from((125, 126, 65_535, 65_536, 65_537, 40_000)).map(lambda size: b"x" * size),
)
mostly = st.sampled_from((True, True, True, False))
reserved = st.sampled_from((0,) * 20 + (0x40, 0x10))
any_frame = st.builds(frame, opcodes, payloads, mostly, reserved, keys)


@st.composite
def messages(draw: Any) -> bytes:
    """A valid message in fragments, with control frames between them."""
    payload, opcode = (
        draw(st.one_of(texts, st.text(max_size=300).map(str.encode))),
        draw(st.sampled_from((TEXT, BINARY))),
    )
    pieces = cut(payload, draw(st.lists(st.integers(1, 300), max_size=5)))
    stream = b""
    for index, piece in enumerate(pieces):
        stream += frame(opcode if index == 0 else CONTINUATION, piece, index == len(pieces) - 1, key=draw(keys))
        stream += draw(st.sampled_from((b"", b"", frame(PING, b"?"), frame(PONG))))
    return stream


lies = st.builds(header, opcodes, st.integers(0, 2**64 - 1), mostly, reserved, keys)
unmasked = st.binary(min_size=2, max_size=12)
streams = st.lists(st.one_of(messages(), messages(), messages(), any_frame, lies, unmasked), max_size=12).map(b"".join)


@settings(max_examples=600, deadline=None)
@given(streams, st.lists(st.integers(0, 2_000), max_size=12))
def test_streams_of_frames_right_and_wrong(stream: bytes, places: list[int]) -> None:
    event(compare(stream, places))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=12))
def test_streams_of_any_bytes(stream: bytes, places: list[int]) -> None:
    event(compare(stream, places))


@settings(max_examples=150, deadline=None)
@given(st.lists(any_frame, max_size=8).map(b"".join))
def test_a_stream_cut_after_each_byte_is_the_same_stream(stream: bytes) -> None:
    short = stream[:600]
    event(compare(short, list(range(len(short)))))


def test_streams_from_a_seed() -> None:
    """A short run of the workbench's row `streams`."""
    assert set(compared(seed=0, count=3_000)) == {"text", "binary", "ping", "pong", "close", "failed", "nothing"}
