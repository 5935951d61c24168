"""All connections together: which get data, which are counted, which are dropped."""

from __future__ import annotations

import asyncio

import pytest

from chatserver.core.model import User
from chatserver.realtime import frames
from chatserver.realtime.connection import (
    CLOSING_SECONDS,
    OUTBOX_MAX,
    SILENT_SECONDS,
    STUCK_SECONDS,
    TRY_AGAIN_LATER,
    Connection,
)
from chatserver.realtime.hub import PING_SECONDS, Hub
from tests.realtime.connections import HONG, MING, FakeTransport, connect
from tests.support import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hub(clock: FakeClock) -> Hub:
    return Hub(clock)


def join(
    hub: Hub, clock: FakeClock, user: User | None = None, session_id: int | None = None, reads: bool = True
) -> tuple[Connection, FakeTransport]:
    connection, transport = connect(clock, user, session_id, reads=reads)
    hub.join(connection)
    return connection, transport


# Sending


async def test_a_broadcast_is_one_write_of_the_same_bytes_to_each(hub: Hub, clock: FakeClock) -> None:
    transports = [join(hub, clock, user)[1] for user in (MING, MING, HONG, None)]
    hub.broadcast(b"to all")
    assert [(transport.writes, transport.passed) for transport in transports] == [(1, b"to all")] * 4


async def test_a_private_word_reaches_every_tab_of_one_member(hub: Hub, clock: FakeClock) -> None:
    transports = [join(hub, clock, user)[1] for user in (MING, MING, HONG, None)]
    hub.send_to_user(MING.id, b"psst")
    hub.send_to_user(99, b"nobody")
    assert [transport.passed for transport in transports] == [b"psst", b"psst", b"", b""]


async def test_whoever_has_left_hears_nothing(hub: Hub, clock: FakeClock) -> None:
    connection, transport = join(hub, clock, MING)
    hub.leave(connection)
    hub.leave(connection)
    hub.broadcast(b"to all")
    assert transport.passed == b""
    assert len(hub) == 0


# Slow readers


async def test_an_answer_that_comes_after_the_goodbye_is_not_written(hub: Hub, clock: FakeClock) -> None:
    """The peer sends a ping and a close frame together: the close arrives while the pong is being sent."""
    connection, transport = join(hub, clock)
    hub.leave(connection)
    hub.send(connection, b"pong")
    assert transport.passed == b""


async def test_a_slow_reader_costs_only_itself(hub: Hub, clock: FakeClock) -> None:
    _, good = join(hub, clock, HONG)
    slow, stuck = join(hub, clock, MING, reads=False)
    _, other = join(hub, clock)
    part = b"x" * (OUTBOX_MAX // 4)
    for _ in range(6):
        hub.broadcast(part)
    assert good.passed == other.passed == part * 6
    assert stuck.waiting == part * 4 + frames.close(TRY_AGAIN_LATER)
    assert slow.closing_code == TRY_AGAIN_LATER
    assert (hub.dropped, len(hub), hub.online) == (1, 2, 1)


async def test_a_reader_that_is_too_slow_is_aborted_and_its_memory_freed(hub: Hub, clock: FakeClock) -> None:
    _, stuck = join(hub, clock, MING, reads=False)
    hub.broadcast(b"x" * OUTBOX_MAX)
    hub.broadcast(b"x")
    clock.forward(CLOSING_SECONDS)
    hub.beat()
    assert stuck.is_aborted and stuck.waiting == b""
    await asyncio.wait_for(hub.wait_until_empty(), 1)


async def test_an_answer_to_a_slow_reader_drops_it_as_well(hub: Hub, clock: FakeClock) -> None:
    connection, _ = join(hub, clock, MING, reads=False)
    hub.send(connection, b"x" * OUTBOX_MAX)
    hub.send_to_user(MING.id, b"x")
    assert (connection.closing_code, len(hub)) == (TRY_AGAIN_LATER, 0)


# The heartbeat


async def test_the_stuck_the_silent_and_the_never_ending_are_dropped(hub: Hub, clock: FakeClock) -> None:
    stuck, stuck_transport = join(hub, clock, MING, reads=False)
    hub.send(stuck, b"waits")
    closing, closing_transport = join(hub, clock, HONG)
    good, good_transport = join(hub, clock)
    hub.beat()
    hub.close(closing, 1001)
    clock.forward(CLOSING_SECONDS)
    hub.beat()
    assert [t.is_aborted for t in (stuck_transport, closing_transport, good_transport)] == [False, True, False]
    clock.forward(STUCK_SECONDS - CLOSING_SECONDS)
    hub.beat()
    assert [t.is_aborted for t in (stuck_transport, good_transport)] == [True, False]
    clock.forward(SILENT_SECONDS - STUCK_SECONDS - 1)
    good.received_at = clock.monotonic()
    clock.forward(SILENT_SECONDS - 1)
    hub.beat()
    assert not good_transport.is_aborted
    clock.forward(1)
    hub.beat()
    assert good_transport.is_aborted
    assert len(hub) == 0


async def test_everyone_is_pinged_in_time_and_not_more_often(hub: Hub, clock: FakeClock) -> None:
    connection, transport = join(hub, clock, MING)
    for _ in range(round(PING_SECONDS) * 3):
        clock.forward(1)
        connection.received_at = clock.monotonic()
        hub.beat()
    assert transport.passed == frames.ping() * 3


async def test_a_silent_peer_was_pinged_before_it_is_dropped(hub: Hub, clock: FakeClock) -> None:
    _, transport = join(hub, clock, MING)
    while not transport.is_aborted:
        clock.forward(1)
        hub.beat()
    assert transport.passed == frames.ping()
    assert clock.monotonic() - 1000 == SILENT_SECONDS


# Presence


async def test_a_member_with_several_tabs_is_there_once(hub: Hub, clock: FakeClock) -> None:
    one, _ = join(hub, clock, MING)
    two, _ = join(hub, clock, MING)
    join(hub, clock, HONG)
    join(hub, clock)
    join(hub, clock)
    assert (hub.online, hub.guests, names(hub)) == (2, 2, ["小明", "小红"])
    hub.leave(one)
    assert (hub.online, names(hub)) == (2, ["小明", "小红"])
    hub.leave(two)
    assert (hub.online, hub.guests, names(hub)) == (1, 2, ["小红"])


async def test_every_coming_and_going_is_told_once(hub: Hub, clock: FakeClock) -> None:
    told: list[tuple[int, int]] = []
    hub.changed = lambda: told.append((hub.online, hub.guests))
    member, _ = join(hub, clock, MING)
    guest, _ = join(hub, clock)
    hub.leave(guest)
    hub.close(member, 1001)
    hub.leave(member)
    assert told == [(1, 0), (1, 1), (1, 0), (0, 0)]


async def test_sockets_are_counted_by_address(hub: Hub, clock: FakeClock) -> None:
    ours = [connect(clock, address="192.0.2.1")[0] for _ in range(2)]
    other = connect(clock, address="192.0.2.2")[0]
    for connection in (*ours, other):
        hub.join(connection)
    assert [hub.of_address(f"192.0.2.{n}") for n in (1, 2, 3)] == [2, 1, 0]
    hub.leave(ours[0])
    hub.leave(ours[0])
    assert hub.of_address("192.0.2.1") == 1


# Closing


async def test_the_sockets_of_ended_logins_are_closed_and_no_others(hub: Hub, clock: FakeClock) -> None:
    transports = [join(hub, clock, user, session)[1] for user, session in ((MING, 1), (MING, 1), (MING, 2), (HONG, 3))]
    guest = join(hub, clock)[1]
    hub.close_sessions((1, 3, 99), 4401)
    hub.broadcast(b"after")
    goodbye = frames.close(4401)
    assert [transport.passed for transport in transports] == [goodbye, goodbye, b"after", goodbye]
    assert guest.passed == b"after"
    assert (names(hub), len(hub)) == (["小明"], 2)


async def test_at_the_end_everyone_is_told_and_waited_for(hub: Hub, clock: FakeClock) -> None:
    connections = [join(hub, clock, user) for user in (MING, None)]
    hub.close_all(1001)
    assert [transport.passed for _, transport in connections] == [frames.close(1001)] * 2
    waiting = asyncio.create_task(hub.wait_until_empty())
    for connection, _ in connections:
        await asyncio.sleep(0)
        assert not waiting.done()
        hub.leave(connection)
    await asyncio.wait_for(waiting, 1)


async def test_an_empty_hub_is_emptied_already(hub: Hub) -> None:
    await asyncio.wait_for(hub.wait_until_empty(), 1)


async def test_aborting_reaches_those_who_are_closing_too(hub: Hub, clock: FakeClock) -> None:
    closing, first = join(hub, clock, MING)
    _, second = join(hub, clock)
    hub.close(closing, 1001)
    hub.abort_all()
    assert first.is_aborted and second.is_aborted


def names(hub: Hub) -> list[str]:
    return [user.name for user in hub.users()]
