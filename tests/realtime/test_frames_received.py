"""RFC 6455 frames from client to server, by the sections of the RFC."""

from __future__ import annotations

import struct

import pytest

from chatserver.realtime.frames import MESSAGE_MAX
from tests.realtime.parsed import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Parsed,
    close,
    cut,
    feed,
    frame,
    header,
    parse,
)

WRONG = ("failed", 1002)


# Section 5.1: a client masks all its frames


@pytest.mark.parametrize("start", [b"\x81\x05", b"\x81\x7e", b"\x81\x7f", b"\x89\x00", b"\x88\x02", b"\x00\x01"])
def test_5_1_a_frame_without_a_mask_fails_with_its_second_byte(start: bytes) -> None:
    assert parse(start) == [WRONG]
    assert parse(frame(TEXT, b"first"), start[:1], start[1:]) == [("text", "first"), WRONG]


# Section 5.2: the header


@pytest.mark.parametrize("opcode", [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF])
def test_5_2_an_opcode_that_is_not_defined_fails(opcode: int) -> None:
    assert parse(frame(opcode, b"x")) == [WRONG]


@pytest.mark.parametrize("reserved", [0x40, 0x20, 0x10, 0x70])
@pytest.mark.parametrize("opcode", [TEXT, BINARY, CLOSE, PING, PONG])
def test_5_2_a_reserved_bit_fails_as_no_extension_was_negotiated(reserved: int, opcode: int) -> None:
    assert parse(header(opcode, 5, reserved=reserved)) == [WRONG]


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 125, 126, 127, 65_535, 65_536])
def test_5_2_a_payload_of_every_size_of_the_length_field_is_read(size: int) -> None:
    text = "0123456789abcdef"[: size % 16] + "x" * (size - size % 16)
    assert parse(frame(TEXT, text.encode())) == [("text", text)]


def test_5_2_a_length_that_is_longer_than_it_needs_to_be_is_read() -> None:
    """The RFC forbids a client to send this code, and does not say what the server must do."""
    assert parse(struct.pack("!BBH", 0x81, 0x80 | 126, 2) + b"\0\0\0\0hi") == [("text", "hi")]


def test_5_2_a_frame_cut_anywhere_is_the_same_frame() -> None:
    stream = frame(TEXT, "写作".encode() * 50) + frame(PING, b"?") + frame(TEXT, b"")
    for place in range(len(stream) + 1):
        assert parse(*cut(stream, [place])) == [("text", "写作" * 50), ("ping", b"?"), ("text", "")]
    assert parse(*cut(stream, range(len(stream)))) == [("text", "写作" * 50), ("ping", b"?"), ("text", "")]


# Section 5.3: the mask


@pytest.mark.parametrize("key", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04"])
def test_5_3_the_key_repeats_every_four_bytes(key: bytes) -> None:
    assert parse(frame(TEXT, b"Hello, world", key=key)) == [("text", "Hello, world")]


def test_5_7_the_example_of_the_rfc() -> None:
    assert parse(bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")) == [("text", "Hello")]


# Section 5.4: fragmentation


def test_5_4_a_message_in_fragments_is_one_message() -> None:
    stream = frame(TEXT, b"one ", final=False) + frame(CONTINUATION, b"", final=False) + frame(CONTINUATION, b"two")
    assert parse(stream + frame(TEXT, b"three")) == [("text", "one two"), ("text", "three")]
    assert parse(frame(BINARY, b"\xff", final=False) + frame(CONTINUATION, b"\xfe")) == [("binary", b"\xff\xfe")]


def test_5_4_fragments_are_counted_as_they_come() -> None:
    parser = Parsed()
    feed(parser, frame(TEXT, b"one", final=False) + frame(CONTINUATION, final=False) * 3)
    assert (parser.fragments, parser.found) == (4, [])
    feed(parser, frame(CONTINUATION))
    assert (parser.fragments, parser.found) == (4, [("text", "one")])


def test_5_4_control_frames_between_fragments_are_handled_at_once() -> None:
    stream = frame(TEXT, b"one ", final=False) + frame(PING, b"1") + frame(PONG, b"2") + frame(CONTINUATION, b"two")
    assert parse(stream) == [("ping", b"1"), ("pong", None), ("text", "one two")]


def test_5_4_a_close_between_fragments_ends_the_message_too() -> None:
    assert parse(frame(TEXT, b"one ", final=False) + close(1000) + frame(CONTINUATION, b"two")) == [("close", 1000)]


@pytest.mark.parametrize("final", [True, False])
def test_5_4_a_continuation_of_nothing_fails(final: bool) -> None:
    assert parse(header(CONTINUATION, 3, final)) == [WRONG]
    assert parse(frame(TEXT, b"whole") + header(CONTINUATION, 3, final)) == [("text", "whole"), WRONG]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("final", [True, False])
def test_5_4_a_message_inside_another_fails(opcode: int, final: bool) -> None:
    assert parse(frame(TEXT, b"one", final=False) + header(opcode, 3, final)) == [WRONG]


# Section 5.5: control frames


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_5_5_a_control_frame_has_at_most_125_bytes_and_is_not_fragmented(opcode: int) -> None:
    assert parse(header(opcode, 126)) == [WRONG]
    assert parse(header(opcode, 65_535)) == [WRONG]
    assert parse(header(opcode, 1, final=False)) == [WRONG]
    assert len(parse(frame(opcode, struct.pack("!H", 1000) + b"x" * 123))) == 1


def test_5_5_1_nothing_is_read_after_a_close_frame() -> None:
    assert parse(close(1001) + frame(TEXT, b"late") + b"\x81\x00") == [("close", 1001)]
    assert parse(close(1001), frame(TEXT, b"late")) == [("close", 1001)]


def test_5_5_1_a_close_frame_may_be_empty_and_not_half_a_code() -> None:
    assert parse(frame(CLOSE)) == [("close", None)]
    assert parse(frame(CLOSE, b"\x03")) == [WRONG]


def test_5_5_1_the_reason_is_utf_8() -> None:
    assert parse(close(1000, "再见".encode())) == [("close", 1000)]
    assert parse(close(1000, b"\xff")) == [("failed", 1007)]


def test_5_5_2_a_ping_brings_its_payload() -> None:
    assert parse(frame(PING) + frame(PING, b"\x00\xff" * 62)) == [("ping", b""), ("ping", b"\x00\xff" * 62)]


def test_5_5_3_a_pong_that_nobody_asked_for_is_no_error() -> None:
    assert parse(frame(PONG, b"!") + frame(TEXT, b"after")) == [("pong", None), ("text", "after")]


# Section 7.1.7: a broken stream


def test_7_1_7_nothing_is_read_after_an_error() -> None:
    assert parse(frame(0x3) + frame(TEXT, b"late"), frame(TEXT, b"later")) == [WRONG]


def test_7_1_7_what_came_before_an_error_is_heard() -> None:
    assert parse(frame(TEXT, b"good") + frame(PING) + frame(0xB)) == [("text", "good"), ("ping", b""), WRONG]


# Section 7.4: codes

SENDABLE = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
FORBIDDEN = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]


@pytest.mark.parametrize("code", SENDABLE)
def test_7_4_a_code_that_may_be_sent_is_taken(code: int) -> None:
    assert parse(close(code, b"why")) == [("close", code)]


@pytest.mark.parametrize("code", FORBIDDEN)
def test_7_4_a_code_that_may_not_be_sent_fails(code: int) -> None:
    assert parse(close(code)) == [WRONG]


# Section 8.1: UTF-8


@pytest.mark.parametrize(
    "wrong",
    [b"\x80", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe5\x86", b"ok \xf0\x9f\x98"],
)
def test_8_1_a_text_that_is_not_utf_8_fails(wrong: bytes) -> None:
    assert parse(frame(TEXT, wrong)) == [("failed", 1007)]
    for place in range(len(wrong)):
        pieces = frame(TEXT, wrong[:place], final=False) + frame(CONTINUATION, wrong[place:])
        assert parse(pieces) == [("failed", 1007)]


def test_8_1_a_character_may_be_split_between_fragments() -> None:
    text = "é写😀"
    payload = text.encode()
    fragments = [frame(CONTINUATION, payload[at : at + 1], final=False) for at in range(1, len(payload))]
    stream = frame(TEXT, payload[:1], final=False) + b"".join(fragments) + frame(CONTINUATION)
    assert parse(stream) == [("text", text)]


def test_8_1_binary_is_not_looked_at() -> None:
    assert parse(frame(BINARY, b"\xff\xfe")) == [("binary", b"\xff\xfe")]


# Section 10.4: limits


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_10_4_a_message_longer_than_the_limit_fails_with_its_header(opcode: int) -> None:
    assert parse(header(opcode, MESSAGE_MAX + 1)) == [("failed", 1009)]
    assert parse(struct.pack("!BBQ", 0x80 | opcode, 0xFF, 2**64 - 1)) == [("failed", 1009)]


def test_10_4_fragments_count_together() -> None:
    start = frame(TEXT, b"x" * 40_000, final=False)
    rest = MESSAGE_MAX - 40_000
    assert parse(start + header(CONTINUATION, rest + 1)) == [("failed", 1009)]
    assert parse(start + frame(CONTINUATION, b"x" * rest)) == [("text", "x" * MESSAGE_MAX)]


def test_10_4_the_next_message_has_the_whole_limit_again() -> None:
    whole = frame(TEXT, b"x" * MESSAGE_MAX)
    assert parse(whole + whole) == [("text", "x" * MESSAGE_MAX)] * 2


# Backpressure


class Pausing(Parsed):
    """Takes one message, then pauses until the test tells it to continue."""

    def text_received(self, text: str) -> None:
        super().text_received(text)
        self._is_paused = True

    def go_on(self) -> None:
        self._is_paused = False
        self._parse_unread()


def test_a_pause_in_the_middle_of_what_was_read_loses_nothing_and_keeps_the_order() -> None:
    parser = Pausing()
    texts = [str(number) for number in range(20)]
    stream = b"".join(frame(TEXT, text.encode()) for text in texts)
    for piece in cut(stream, [3, 50, 51, 100]):
        feed(parser, piece)
    assert parser.found == [("text", "0")]
    for _ in texts:
        parser.go_on()
    assert parser.found == [("text", text) for text in texts]
    feed(parser, frame(TEXT, b"after"))
    parser.go_on()
    assert parser.found[-1] == ("text", "after")


def test_a_message_in_single_bytes_is_looked_at_when_it_is_whole() -> None:
    """The parser knows how many bytes it needs, so that slow bytes cost no more than fast ones."""
    parser = Parsed()
    stream = frame(TEXT, b"x" * 1000)
    looked: list[int] = []
    parse_now = parser._parse

    def counting(data: bytearray, end: int) -> int:
        looked.append(end)
        return parse_now(data, end)

    parser._parse = counting  # type: ignore[method-assign]
    for at in range(len(stream)):
        feed(parser, stream[at : at + 1])
    assert parser.found == [("text", "x" * 1000)]
    assert len(looked) <= 5
