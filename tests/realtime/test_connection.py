"""One connection: the data that may wait for it, and when it counts as lost."""

from __future__ import annotations

from chatserver.realtime import frames
from chatserver.realtime.connection import CLOSING_SECONDS, OUTBOX_MAX, SILENT_SECONDS, STUCK_SECONDS
from tests.realtime.connections import connect
from tests.support import FakeClock


def test_what_is_sent_is_written_at_once_and_in_order() -> None:
    connection, transport = connect(FakeClock())
    assert all(connection.send(data) for data in (b"one", b"two", b"three"))
    assert transport.passed == b"onetwothree"


def test_an_outbox_takes_its_bound_and_not_one_byte_more() -> None:
    connection, transport = connect(FakeClock(), reads=False)
    assert connection.send(b"x" * (OUTBOX_MAX - 1))
    assert connection.send(b"y")
    assert not connection.send(b"z")
    assert len(transport.waiting) == OUTBOX_MAX
    transport.let_pass(1)
    assert connection.send(b"z")


def test_a_reader_who_reads_gets_any_number_of_bytes() -> None:
    connection, transport = connect(FakeClock())
    assert all(connection.send(b"x" * OUTBOX_MAX) for _ in range(4))
    assert len(transport.passed) == 4 * OUTBOX_MAX


def test_one_write_longer_than_the_bound_is_no_readers_fault() -> None:
    connection, transport = connect(FakeClock(), reads=False)
    assert connection.send(b"x" * (2 * OUTBOX_MAX))
    assert not connection.send(b"y")
    assert len(transport.waiting) == 2 * OUTBOX_MAX


def test_nothing_follows_a_closing_frame() -> None:
    connection, transport = connect(FakeClock())
    connection.close(1001, 0.0)
    connection.close(1013, 0.0)
    assert connection.send(b"late")
    assert transport.passed == frames.close(1001)
    assert connection.closing_code == 1001


def test_a_closing_handshake_has_a_deadline() -> None:
    clock = FakeClock()
    connection, _ = connect(clock)
    connection.close(1001, clock.monotonic())
    assert not connection.is_lost(clock.monotonic() + CLOSING_SECONDS - 0.001)
    assert connection.is_lost(clock.monotonic() + CLOSING_SECONDS)


def test_closing_again_does_not_put_off_the_deadline() -> None:
    clock = FakeClock()
    connection, _ = connect(clock)
    connection.close(1001, clock.monotonic())
    connection.close(1001, clock.monotonic() + 4)
    assert connection.is_lost(clock.monotonic() + CLOSING_SECONDS)


def test_a_reader_stuck_for_so_long_is_lost() -> None:
    connection, _ = connect(FakeClock(), reads=False)
    start = connection.received_at
    connection.send(b"waits")
    assert not connection.is_lost(start + STUCK_SECONDS - 0.001)
    assert connection.is_lost(start + STUCK_SECONDS)


def test_a_stuck_reader_is_lost_though_more_is_written_to_it() -> None:
    connection, _ = connect(FakeClock(), reads=False)
    for second in range(10):
        connection.send(b"more")
        assert not connection.is_lost(connection.received_at + second)
    assert connection.is_lost(connection.received_at + STUCK_SECONDS)


def test_a_slow_reader_who_still_reads_is_not_stuck() -> None:
    connection, transport = connect(FakeClock(), reads=False)
    connection.send(b"x" * 100)
    for second in range(1, 50):
        transport.let_pass(1)
        assert not connection.is_lost(connection.received_at + second)


def test_time_without_a_word_to_say_is_not_being_stuck() -> None:
    connection, transport = connect(FakeClock())
    assert not connection.is_lost(connection.received_at + 50)
    transport.reads = False
    connection.send(b"waits")
    assert not connection.is_lost(connection.received_at + 50 + STUCK_SECONDS - 1)
    assert connection.is_lost(connection.received_at + 50 + STUCK_SECONDS)


def test_a_silent_peer_is_lost_and_one_that_speaks_is_not() -> None:
    connection, _ = connect(FakeClock())
    start = connection.received_at
    assert not connection.is_lost(start + SILENT_SECONDS - 0.001)
    assert connection.is_lost(start + SILENT_SECONDS)
    connection.received_at = start + 1
    assert not connection.is_lost(start + SILENT_SECONDS)
