"""RFC 6455 frames. From client to server: parses bytes, which may be cut anywhere, to messages, or to the close code of
an error. From server to client: frames are not masked, so one encoded frame fits every connection.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from chatserver.realtime.masking import Unmask

# The maximum size of a message in bytes, in any number of frames.
MESSAGE_MAX = 64 * 1024

# Section 5.2.
_FINAL, _RESERVED, _OPCODE = 0x80, 0x70, 0x0F
_MASKED, _LENGTH = 0x80, 0x7F
_CONTINUATION, _TEXT, _BINARY = 0x0, 0x1, 0x2
_CLOSE, _PING, _PONG = 0x8, 0x9, 0xA
_OPCODES = frozenset((_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG))
_WHOLE_TEXT = _FINAL | _TEXT
_CONTROL = 0x8
_CONTROL_MAX = 125
_KEY_BYTES = 4

# Section 7.4.1.
NORMAL_CLOSURE = 1000
PROTOCOL_ERROR = 1002
UNSUPPORTED_DATA = 1003
INVALID_DATA = 1007
TOO_BIG = 1009
# Codes that a close frame may carry: the codes of section 7.4.1, and later codes of the IANA registry. 1004, 1005, 1006
# and 1015 may not be sent; 3000 to 4999 are for libraries and applications (section 7.4.2).
_REGISTERED_CODES = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014))
_FREE_CODES = range(3000, 5000)


_SHORT_HEADERS = [bytes((_WHOLE_TEXT, size)) for size in range(126)]
_TWO_BYTES = struct.Struct("!BBH").pack
_EIGHT_BYTES = struct.Struct("!BBQ").pack


def text(payload: bytes) -> bytes:
    """A whole text message in one frame; `payload` is UTF-8 (section 5.2)."""
    return _header(_TEXT, len(payload)) + payload


def texts(payloads: Iterable[bytes]) -> bytes:
    """Several text messages, each in a frame of its own."""
    parts: list[bytes] = []
    for payload in payloads:
        size = len(payload)
        # `_header` is written inline for the usual sizes, because this function runs for each message and each answer.
        if size < 126:
            parts += _SHORT_HEADERS[size], payload
        elif size < 65_536:
            parts += _TWO_BYTES(_WHOLE_TEXT, 126, size), payload
        else:
            parts += _header(_TEXT, size), payload
    return b"".join(parts)


def ping(payload: bytes = b"") -> bytes:
    return _header(_PING, len(payload)) + payload


def pong(payload: bytes) -> bytes:
    """A pong frame with the payload of the ping, at most 125 bytes (section 5.5.3)."""
    return _header(_PONG, len(payload)) + payload


def close(code: int) -> bytes:
    """A close frame without a reason, because clients act on the code (section 7.4)."""
    return _header(_CLOSE, 2) + struct.pack("!H", code)


def _header(opcode: int, length: int) -> bytes:
    if length < 126:
        return bytes((_FINAL | opcode, length))
    if length < 65_536:
        return _TWO_BYTES(_FINAL | opcode, 126, length)
    return _EIGHT_BYTES(_FINAL | opcode, 127, length)


class _InvalidFrame(Exception):
    """`code` is the close code to send."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class FrameParser:
    """Calls a method below for each message and control frame, in their order, as soon as its last byte has arrived.

    Calls `failed` for a frame that breaks a rule, as soon as its header has arrived. After that, and after a close
    frame, nothing is parsed. No byte of a message is kept after the message was handed on.
    """

    __slots__ = ("_fragments", "_is_over", "_is_paused", "_is_text", "_needed", "_unmask", "_unread")

    def __init__(self, unmask: Unmask) -> None:
        self._unmask = unmask
        # The payloads of a message whose last frame has not arrived.
        self._fragments: bytearray | None = None
        self._is_text = False
        # The beginning of a frame, or while paused all received bytes. It is parsed again from `_needed` bytes on.
        self._unread: bytearray | None = None
        self._needed = 0
        self._is_paused = False
        self._is_over = False

    def text_received(self, text: str) -> None:
        raise NotImplementedError

    def binary_received(self, payload: bytearray) -> None:
        raise NotImplementedError

    def fragment_received(self) -> None:
        """Called for a frame of a message that continues in another frame."""
        raise NotImplementedError

    def ping_received(self, payload: bytes) -> None:
        raise NotImplementedError

    def pong_received(self) -> None:
        raise NotImplementedError

    def close_received(self, code: int | None) -> None:
        """`code` is None if the frame had no code (section 7.1.5)."""
        raise NotImplementedError

    def failed(self, code: int) -> None:
        """The peer broke the protocol; `code` is the close code to send (section 7.1.7)."""
        raise NotImplementedError

    def feed(self, data: bytearray, size: int) -> None:
        """Parse the first `size` bytes of `data`, which the caller may use again afterwards."""
        if self._is_over:
            return
        unread = self._unread
        if unread is None:
            if self._is_paused:
                self._unread = data[:size]
                return
            taken = self._parse(data, size)
            if taken < size and not self._is_over:
                self._unread = data[taken:size]
        else:
            unread += data[:size]
            self._parse_unread()

    def _parse_unread(self) -> None:
        unread = self._unread
        if unread is None or self._is_paused or self._is_over or len(unread) < self._needed:
            return
        taken = self._parse(unread, len(unread))
        if taken == len(unread) or self._is_over:
            self._unread = None
        else:
            del unread[:taken]

    def _parse(self, data: bytearray, end: int) -> int:
        """Parse the whole frames in `data[:end]` until paused; returns how many bytes they took."""
        at = 0
        while end - at >= 2 and not self._is_paused and not self._is_over:
            first, second = data[at], data[at + 1]
            length, key_at = second & _LENGTH, at + 2
            try:
                if first != _WHOLE_TEXT or second < _MASKED:
                    _check_start(first, second)
                if length > _CONTROL_MAX:
                    key_at += 2 if length == 126 else 8
                    if key_at > end:
                        self._needed = key_at - at
                        return at
                    length = int.from_bytes(data[at + 2 : key_at], "big")
                payload_at = key_at + _KEY_BYTES
                next_at = payload_at + length
                if first != _WHOLE_TEXT or length > MESSAGE_MAX or self._fragments is not None:
                    self._check_header(first, length)
                if next_at > end:
                    self._needed = next_at - at
                    return at
                payload = data[payload_at:next_at]
                self._unmask(bytes(data[key_at:payload_at]), payload)
                at = next_at
                if first == _WHOLE_TEXT:
                    self.text_received(_text(payload))
                else:
                    self._handle(first, payload)
            except _InvalidFrame as error:
                self._is_over = True
                self.failed(error.code)
        self._needed = 2
        return at

    def _check_header(self, first: int, length: int) -> None:
        """Check the first byte and the payload length. Raises _InvalidFrame."""
        opcode = first & _OPCODE
        if length > MESSAGE_MAX:
            raise _InvalidFrame(TOO_BIG)
        if first & _RESERVED:  # section 5.2: no extension was negotiated
            raise _InvalidFrame(PROTOCOL_ERROR)
        if opcode & _CONTROL:
            if not first & _FINAL or length > _CONTROL_MAX:  # section 5.5
                raise _InvalidFrame(PROTOCOL_ERROR)
        elif opcode == _CONTINUATION:
            if self._fragments is None:  # section 5.4
                raise _InvalidFrame(PROTOCOL_ERROR)
            if len(self._fragments) + length > MESSAGE_MAX:
                raise _InvalidFrame(TOO_BIG)
        elif self._fragments is not None:  # section 5.4: messages are not interleaved
            raise _InvalidFrame(PROTOCOL_ERROR)

    def _handle(self, first: int, payload: bytearray) -> None:
        opcode = first & _OPCODE
        if opcode == _PING:
            self.ping_received(bytes(payload))
        elif opcode == _PONG:
            self.pong_received()
        elif opcode == _CLOSE:
            code = _close_code(payload)
            self._is_over = True
            self.close_received(code)
        elif opcode != _CONTINUATION:
            if first & _FINAL:
                self.binary_received(payload)
            else:
                self._fragments, self._is_text = payload, opcode == _TEXT
                self.fragment_received()
        elif self._fragments is not None:
            self._fragments += payload
            if first & _FINAL:
                whole, self._fragments = self._fragments, None
                if self._is_text:
                    self.text_received(_text(whole))
                else:
                    self.binary_received(whole)
            else:
                self.fragment_received()


def _check_start(first: int, second: int) -> None:
    """Check the two bytes that every frame begins with. Raises _InvalidFrame."""
    if first & _OPCODE not in _OPCODES:  # section 5.2
        raise _InvalidFrame(PROTOCOL_ERROR)
    if not second & _MASKED:  # section 5.1
        raise _InvalidFrame(PROTOCOL_ERROR)


def _text(payload: bytearray) -> str:
    """Decode a whole message, because a character may be split between two frames.

    Raises _InvalidFrame if it is not UTF-8 (section 8.1).
    """
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise _InvalidFrame(INVALID_DATA) from None


def _close_code(payload: bytearray) -> int | None:
    """The code of a close frame, None if it has no payload (section 5.5.1).

    Raises _InvalidFrame for half a code, a code that may not be sent, or a reason that is not UTF-8.
    """
    if not payload:
        return None
    if len(payload) == 1:
        raise _InvalidFrame(PROTOCOL_ERROR)
    code: int = struct.unpack_from("!H", payload)[0]
    _text(payload[2:])
    if code not in _REGISTERED_CODES and code not in _FREE_CODES:
        raise _InvalidFrame(PROTOCOL_ERROR)
    return code
