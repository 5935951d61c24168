"""Compares the frame parser with that of the package `websockets`, which must be installed."""

from __future__ import annotations

from websockets import protocol

from chatserver.realtime.frames import MESSAGE_MAX
from tests.realtime.parsed import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, cut, parse

HEADER_MAX = 14


def reference(stream: bytes) -> list[tuple[str, object]]:
    """The results of `websockets`, in the form of `parse`. This package does not join frames to messages, so it is done
    here."""
    peer = protocol.Protocol(protocol.SERVER, max_size=(None, MESSAGE_MAX))
    peer.receive_data(stream)
    found: list[tuple[str, object]] = []
    message, opcode = b"", TEXT
    for each in peer.events_received():
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
    # `websockets` accepts no close frame between the fragments of a message, but section 5.4 allows it.
    if peer.close_rcvd is not None:
        found.append(("close", None if peer.close_rcvd.code == 1005 else peer.close_rcvd.code))
    elif peer.parser_exc is not None:
        found.append(("failed", int(peer.close_sent.code)))
    return found


def _message(payload: bytes, opcode: int) -> tuple[str, object]:
    if opcode == BINARY:
        return "binary", payload
    try:
        return "text", payload.decode()
    except UnicodeDecodeError:
        return "failed", 1007


def compare(stream: bytes, places: list[int]) -> str:
    """Parse the stream, cut at `places`, with both. Returns the kind of the last result, or "nothing".

    `websockets` checks a frame when it is complete, this parser checks its header, so this parser may find an error
    earlier.
    """
    ours, theirs = parse(*cut(stream, places)), reference(stream)
    if ours != theirs:
        until_whole = bytes(HEADER_MAX + MESSAGE_MAX)
        assert ours[:-1] == theirs
        assert reference(stream + until_whole)[: len(ours)] == ours
    return ours[-1][0] if ours else "nothing"
