"""Broadcast data reaches each connection once and in order, though not all connections at the same moment."""

from __future__ import annotations

import asyncio
import random

import pytest

from chatserver.realtime import fanout, frames
from chatserver.realtime.connection import OUTBOX_MAX, TRY_AGAIN_LATER, Connection
from chatserver.realtime.fanout import AT_A_TIME, PENDING_MAX
from chatserver.realtime.hub import Hub
from tests.realtime.connections import MING, FakeTransport, connect
from tests.support import FakeClock

CROWD = AT_A_TIME * 3 + 1


class Room:
    """A hub with many connections, in the order in which a round writes to them."""

    def __init__(self, readers: int = CROWD) -> None:
        self.clock = FakeClock()
        self.hub = Hub(self.clock)
        joined = dict(self.join() for _ in range(readers))
        # A round follows the order of the hub's set. Only this test relies on that order.
        self.crowd = [(reader, joined[reader]) for reader in self.hub._live]

    def join(self, reads: bool = True) -> tuple[Connection, FakeTransport]:
        connection, transport = connect(self.clock, MING, reads=reads)
        self.hub.join(connection)
        return connection, transport

    def reached(self, data: bytes) -> int:
        return sum(transport.passed == data for _, transport in self.crowd)


@pytest.fixture
async def room() -> Room:
    return Room()


async def _end_of_the_round() -> None:
    for _ in range(CROWD):
        await asyncio.sleep(0)


async def test_a_crowd_is_told_some_at_a_time_and_the_loop_goes_on_in_between(room: Room) -> None:
    room.hub.broadcast(b"one")
    reached = [room.reached(b"one")]
    for _ in range(3):
        await asyncio.sleep(0)
        reached.append(room.reached(b"one"))
    assert reached == [AT_A_TIME, AT_A_TIME * 2, AT_A_TIME * 3, CROWD]


async def test_a_room_of_a_few_is_told_at_once() -> None:
    room = Room(AT_A_TIME)
    room.hub.broadcast(b"one")
    assert room.reached(b"one") == AT_A_TIME


async def test_what_is_told_meanwhile_joins_the_round(room: Room) -> None:
    room.hub.broadcast(b"one")
    room.hub.broadcast(b"two")
    assert (room.reached(b"one"), room.reached(b"onetwo")) == (AT_A_TIME, 0)
    await _end_of_the_round()
    assert room.reached(b"onetwo") == CROWD
    writes = [transport.writes for _, transport in room.crowd]
    assert writes == [2] * AT_A_TIME + [1] * (CROWD - AT_A_TIME)


async def test_who_waits_for_an_answer_is_told_first(room: Room) -> None:
    sender, transport = room.crowd[-1]
    room.hub.broadcast(b"one", {sender: b"ack"})
    assert transport.passed == b"oneack"
    await _end_of_the_round()
    assert (transport.passed, transport.writes) == (b"oneack", 1)
    assert room.reached(b"one") == CROWD - 1


async def test_an_answer_never_overtakes_what_all_were_told_before(room: Room) -> None:
    reader, transport = room.crowd[-1]
    room.hub.broadcast(b"one")
    room.hub.send(reader, b"pong")
    room.hub.broadcast(b"two")
    await _end_of_the_round()
    assert transport.passed == b"onepongtwo"


async def test_who_comes_in_the_middle_hears_what_is_told_after_that(room: Room) -> None:
    room.hub.broadcast(b"one")
    _, transport = room.join()
    room.hub.broadcast(b"two")
    await _end_of_the_round()
    assert transport.passed == b"two"


async def test_who_leaves_in_the_middle_hears_no_more(room: Room) -> None:
    reader, transport = room.crowd[-1]
    room.hub.broadcast(b"one")
    room.hub.leave(reader)
    await _end_of_the_round()
    assert transport.passed == b""
    assert room.reached(b"one") == CROWD - 1


async def test_a_goodbye_comes_after_all_that_was_told(room: Room) -> None:
    room.hub.broadcast(b"one")
    room.hub.close_all(1001)
    room.hub.broadcast(b"to nobody")
    await _end_of_the_round()
    assert room.reached(b"one" + frames.close(1001)) == CROWD


async def test_a_slow_reader_in_a_crowd_costs_only_itself(room: Room) -> None:
    slow, stuck = room.join(reads=False)
    room.hub.send(slow, b"x" * OUTBOX_MAX)
    room.hub.broadcast(b"one")
    await _end_of_the_round()
    assert stuck.waiting == b"x" * OUTBOX_MAX + frames.close(TRY_AGAIN_LATER)
    assert (room.reached(b"one"), room.hub.dropped) == (CROWD, 1)


async def test_no_more_waits_than_the_bound(room: Room) -> None:
    """If more than PENDING_MAX bytes are pending, the round is finished at once."""
    part = b"x" * (PENDING_MAX // 4)
    for number in range(1, 10):
        room.hub.broadcast(part)
        reached = [len(transport.passed) // len(part) for _, transport in room.crowd]
        assert number - min(reached) <= 4
    await _end_of_the_round()
    assert room.reached(part * 9) == CROWD


async def test_one_word_longer_than_the_bound_reaches_all_at_once(room: Room) -> None:
    room.hub.broadcast(b"x" * (PENDING_MAX + 1))
    assert room.reached(b"x" * (PENDING_MAX + 1)) == CROWD


async def test_nothing_is_told_to_an_empty_room() -> None:
    room = Room(0)
    room.hub.broadcast(b"x" * (PENDING_MAX + 1))
    _, transport = room.join()
    room.hub.broadcast(b"one")
    assert transport.passed == b"one"


@pytest.mark.parametrize("seed", range(20))
async def test_everybody_hears_what_was_said_since_they_came_once_and_in_order(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """With anything between: replies, joining and leaving connections, long data, passes of the loop."""
    monkeypatch.setattr(fanout, "PENDING_MAX", 300)
    chance = random.Random(seed)
    room = Room(chance.choice((3, AT_A_TIME, CROWD)))
    heard = {reader: b"" for reader, _ in room.crowd}
    transports = dict(room.crowd)
    for number in range(300):
        word = b"%d," % number * chance.choice((1, 1, 1, 50))
        match chance.choice(("tell", "tell", "answer", "both", "come", "go", "wait", "wait")):
            case "tell":
                room.hub.broadcast(word)
                heard = {reader: had + word for reader, had in heard.items()}
            case "both" if heard:
                sender = chance.choice(list(heard))
                room.hub.broadcast(word, {sender: b"ack,"})
                heard = {reader: had + word + b"ack," * (reader is sender) for reader, had in heard.items()}
            case "answer" if heard:
                reader = chance.choice(list(heard))
                room.hub.send(reader, word)
                heard[reader] += word
            case "come":
                reader, transports[reader] = room.join()
                heard[reader] = b""
            case "go" if heard:
                reader = chance.choice(list(heard))
                room.hub.leave(reader)
                assert heard.pop(reader).startswith(transports[reader].passed)
            case _:
                await asyncio.sleep(0)
    await _end_of_the_round()
    assert all(transports[reader].passed == had for reader, had in heard.items())
