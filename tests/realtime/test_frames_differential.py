"""Random streams give the same in the parser here and in that of the package `websockets`."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from chatserver.realtime.frame_parser import MESSAGE_MAX
from tests.realtime.parsed import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, cut, frame, header, parse

websockets = pytest.importorskip("websockets.protocol", reason="the package websockets is not installed")

HEADER_MAX = 14
KINDS = {PING: "ping", PONG: "pong"}


def reference(stream: bytes) -> list[tuple[str, object]]:
    """What `websockets` finds, in the words of `parse`. It leaves it to its caller to join frames to messages."""
    protocol = websockets.Protocol(websockets.SERVER, max_size=(None, MESSAGE_MAX))
    protocol.receive_data(stream)
    found: list[tuple[str, object]] = []
    message, opcode = b"", TEXT
    for each in protocol.events_received():
        if each.opcode == PING:
            found.append(("ping", bytes(each.data)))
        elif each.opcode == PONG:
            found.append(("pong", None))
        elif each.opcode != CLOSE:
            message, opcode = (message, opcode) if each.opcode == CONTINUATION else (b"", each.opcode)
            message += each.data
            if len(message) > MESSAGE_MAX:
                return [*found, ("failed", 1009)]
            if each.fin:
                found.append(_message(message, opcode))
                if found[-1][0] == "failed":
                    return found
    # Between the fragments of a message `websockets` takes no close frame; section 5.4 allows it.
    if protocol.close_rcvd is not None:
        found.append(("close", None if protocol.close_rcvd.code == 1005 else protocol.close_rcvd.code))
    elif protocol.parser_exc is not None:
        found.append(("failed", int(protocol.close_sent.code)))
    return found


def _message(payload: bytes, opcode: int) -> tuple[str, object]:
    if opcode == BINARY:
        return "binary", payload
    try:
        return "text", payload.decode()
    except UnicodeDecodeError:
        return "failed", 1007


def compare(stream: bytes, places: list[int]) -> None:
    """`websockets` looks at a frame when it is whole, the parser here at its header, so it may be one error ahead."""
    ours, theirs = parse(*cut(stream, places)), reference(stream)
    event(ours[-1][0] if ours else "nothing")
    if ours != theirs:
        until_whole = bytes(HEADER_MAX + MESSAGE_MAX)
        assert ours[:-1] == theirs
        assert reference(stream + until_whole)[: len(ours)] == ours


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
    """A message that is right, in fragments, with control frames between them."""
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
    compare(stream, places)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=12))
def test_streams_of_any_bytes(stream: bytes, places: list[int]) -> None:
    compare(stream, places)


@settings(max_examples=150, deadline=None)
@given(st.lists(any_frame, max_size=8).map(b"".join))
def test_a_stream_cut_after_each_byte_is_the_same_stream(stream: bytes) -> None:
    short = stream[:600]
    compare(short, list(range(len(short))))
