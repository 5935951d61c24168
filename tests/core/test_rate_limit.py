"""Rate limits: how often a member or an address may act."""

from __future__ import annotations

import pytest

from chatserver.core.rate_limit import AttemptLimit, MinInterval
from tests.support import FakeClock

# A minimum interval between two actions


def test_the_first_act_is_free_and_the_second_waits() -> None:
    clock = FakeClock()
    interval = MinInterval(clock)
    assert interval.wait_ms(1, 2.0) == 0
    interval.record(1)
    assert interval.wait_ms(1, 2.0) == 2000
    assert interval.wait_ms(2, 2.0) == 0
    clock.forward(1.5)
    assert interval.wait_ms(1, 2.0) == 500
    clock.forward(0.5)
    assert interval.wait_ms(1, 2.0) == 0


@pytest.mark.parametrize("gone", [0.1, 0.0004, 1.9996, 1.3333])
def test_whoever_waits_as_long_as_told_is_let_through(gone: float) -> None:
    clock = FakeClock()
    interval = MinInterval(clock)
    interval.record(1)
    clock.forward(gone)
    clock.forward(interval.wait_ms(1, 2.0) / 1000 + 1e-9)
    assert interval.wait_ms(1, 2.0) == 0


def test_no_interval_is_no_wait() -> None:
    interval = MinInterval(FakeClock())
    interval.record(1)
    assert interval.wait_ms(1, 0) == 0


def test_an_act_that_came_to_nothing_is_given_back() -> None:
    clock = FakeClock()
    interval = MinInterval(clock)
    interval.restore(1, interval.record(1))
    assert interval.wait_ms(1, 2.0) == 0
    interval.record(1)
    clock.forward(2)
    interval.restore(1, interval.record(1))
    assert interval.wait_ms(1, 3.0) == 1000


def test_giving_back_an_act_does_not_give_back_a_later_one() -> None:
    clock = FakeClock()
    interval = MinInterval(clock)
    first = interval.record(1)
    clock.forward(2)
    interval.record(1)
    interval.restore(1, first)
    assert interval.wait_ms(1, 2.0) == 2000


def test_the_wall_clock_shortens_no_wait() -> None:
    clock = FakeClock()
    interval = MinInterval(clock)
    interval.record(1)
    clock.set_wall(clock.now_ms() + 3_600_000)
    assert interval.wait_ms(1, 2.0) == 2000


def test_members_remembered_are_bounded() -> None:
    interval = MinInterval(FakeClock(), members_max=2)
    for member in (1, 2, 1, 3):
        interval.record(member)
    assert [interval.wait_ms(member, 2.0) > 0 for member in (1, 2, 3)] == [True, False, True]


# A number of actions in a time span


def test_so_many_acts_and_then_a_wait_until_the_first_is_old() -> None:
    clock = FakeClock()
    attempts = AttemptLimit(clock, 3, 60)
    for _ in range(3):
        assert attempts.wait_ms("a") == 0
        attempts.record("a")
        clock.forward(10)
    assert attempts.wait_ms("a") == 30_000
    assert attempts.wait_ms("b") == 0
    clock.forward(30)
    assert attempts.wait_ms("a") == 0
    attempts.record("a")
    assert attempts.wait_ms("a") == 10_000


def test_zero_is_no_limit() -> None:
    attempts = AttemptLimit(FakeClock(), 0, 60)
    for _ in range(100):
        attempts.record("a")
    assert attempts.wait_ms("a") == 0


def test_an_act_can_be_taken_back_and_all_forgiven() -> None:
    attempts = AttemptLimit(FakeClock(), 2, 60)
    attempts.undo("a")  # nothing was recorded, so nothing changes
    attempts.record("a")
    attempts.record("a")
    attempts.undo("a")
    assert attempts.wait_ms("a") == 0
    attempts.record("a")
    assert attempts.wait_ms("a") == 60_000
    attempts.clear("a")
    assert attempts.wait_ms("a") == 0


@pytest.mark.parametrize(("before", "after"), [(1, 3), (0, 3), (5, 3)])
def test_a_limit_that_changes_holds_at_once(before: int, after: int) -> None:
    attempts = AttemptLimit(FakeClock(), before, 60)
    attempts.record("a")
    attempts.limit = after
    attempts.record("a")
    assert attempts.wait_ms("a") == 0
    attempts.record("a")
    assert attempts.wait_ms("a") > 0


def test_keys_remembered_are_bounded() -> None:
    attempts = AttemptLimit(FakeClock(), 1, 60, keys_max=2)
    for key in ("a", "b", "c"):
        attempts.record(key)
    assert [attempts.wait_ms(key) > 0 for key in ("a", "b", "c")] == [False, True, True]
