"""When a planned window opens, as a table: time zones, changes of the clock, weekdays, the end of the year."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.features.planning import recurrence
from chatserver.features.planning.recurrence import Repeat, Schedule
from tests.stage import refuses


def ms(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000)


def daily(at: str) -> Schedule:
    return Schedule(Repeat.DAILY, at)


def weekly(at: str, *weekdays: int) -> Schedule:
    return Schedule(Repeat.WEEKLY, at, weekdays=weekdays)


def once(day: str, at: str) -> Schedule:
    return Schedule(Repeat.ONCE, at, day=date.fromisoformat(day))


SHANGHAI, BERLIN, ST_JOHNS, APIA = "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"
# The zone, the schedule, a moment in UTC, and the next openings in UTC.
TABLE: list[tuple[str, Schedule, str, list[str]]] = [
    (SHANGHAI, daily("18:00"), "2026-11-22 09:59:59", ["2026-11-22 10:00", "2026-11-23 10:00"]),
    (SHANGHAI, daily("18:00"), "2026-11-22 10:00:00", ["2026-11-23 10:00"]),
    (SHANGHAI, daily("00:00"), "2026-12-30 16:00:00", ["2026-12-31 16:00", "2027-01-01 16:00"]),
    (SHANGHAI, daily("23:59"), "2026-12-31 12:00:00", ["2026-12-31 15:59", "2027-01-01 15:59"]),
    (SHANGHAI, daily("18:00"), "2028-02-28 11:00:00", ["2028-02-29 10:00", "2028-03-01 10:00"]),
    (SHANGHAI, weekly("20:00", 5), "2026-11-27 11:59:00", ["2026-11-27 12:00", "2026-12-04 12:00"]),
    (SHANGHAI, weekly("20:00", 5), "2026-11-27 12:00:00", ["2026-12-04 12:00"]),
    (SHANGHAI, weekly("06:30", 1, 3, 7), "2026-12-29 00:00:00", ["2026-12-29 22:30", "2027-01-02 22:30"]),
    (SHANGHAI, weekly("06:30", 1, 3, 7), "2027-01-02 22:30:00", ["2027-01-03 22:30", "2027-01-05 22:30"]),
    (SHANGHAI, weekly("12:00", 1, 2, 3, 4, 5, 6, 7), "2026-12-31 04:00:00", ["2027-01-01 04:00", "2027-01-02 04:00"]),
    (SHANGHAI, once("2026-12-31", "23:59"), "2026-11-22 00:00:00", ["2026-12-31 15:59"]),
    (SHANGHAI, once("2026-12-31", "23:59"), "2026-12-31 15:59:00", []),
    # 2026-03-29 has no 02:00 to 02:59 in Berlin, 2026-10-25 has it twice.
    (BERLIN, daily("02:30"), "2026-03-28 00:00:00", ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]),
    (BERLIN, daily("02:00"), "2026-03-28 12:00:00", ["2026-03-29 01:00", "2026-03-30 00:00"]),
    (BERLIN, daily("03:00"), "2026-03-28 12:00:00", ["2026-03-29 01:00", "2026-03-30 01:00"]),
    (BERLIN, daily("01:59"), "2026-03-28 12:00:00", ["2026-03-29 00:59", "2026-03-29 23:59"]),
    (BERLIN, daily("02:30"), "2026-10-24 12:00:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
    (BERLIN, daily("02:30"), "2026-10-25 00:30:00", ["2026-10-26 01:30"]),
    (BERLIN, daily("02:30"), "2026-10-25 01:30:00", ["2026-10-26 01:30"]),
    (BERLIN, daily("18:00"), "2026-03-28 12:00:00", ["2026-03-28 17:00", "2026-03-29 16:00"]),
    (BERLIN, weekly("02:30", 7), "2026-10-25 00:30:00", ["2026-11-01 01:30"]),
    (BERLIN, once("2026-03-29", "02:30"), "2026-03-01 00:00:00", ["2026-03-29 01:00"]),
    # A half-hour offset: -03:30 in winter, -02:30 in summer.
    (ST_JOHNS, daily("18:00"), "2026-01-15 00:00:00", ["2026-01-15 21:30", "2026-01-16 21:30"]),
    (ST_JOHNS, daily("02:15"), "2026-03-07 12:00:00", ["2026-03-08 05:30", "2026-03-09 04:45"]),
    (ST_JOHNS, daily("01:15"), "2026-10-31 12:00:00", ["2026-11-01 03:45", "2026-11-02 04:45"]),
    (ST_JOHNS, daily("20:00"), "2026-12-31 22:00:00", ["2026-12-31 23:30", "2027-01-01 23:30"]),
    # A day that did not exist: 2011-12-30 in Samoa.
    (APIA, daily("18:00"), "2011-12-29 12:00:00", ["2011-12-30 04:00", "2011-12-30 10:00", "2011-12-31 04:00"]),
    (APIA, daily("00:00"), "2011-12-29 12:00:00", ["2011-12-30 10:00", "2011-12-31 10:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "schedule", "after", "expected"), TABLE)
def test_the_openings_after_a_moment(zone: str, schedule: Schedule, after: str, expected: list[str]) -> None:
    found, after_ms = [], ms(after)
    for _ in expected:
        day = schedule.day_after(after_ms, ZoneInfo(zone))
        assert day is not None
        after_ms = schedule.opening(day, ZoneInfo(zone))
        found.append(after_ms)
    assert found == [ms(utc) for utc in expected]


def test_one_date_has_nothing_after_it() -> None:
    assert once("2026-12-31", "23:59").day_after(ms("2026-12-31 15:59"), ZoneInfo(SHANGHAI)) is None


@pytest.mark.parametrize("zone", [SHANGHAI, BERLIN, ST_JOHNS, APIA, "America/Sao_Paulo", "Australia/Lord_Howe"])
@pytest.mark.parametrize("at", ["00:00", "00:30", "02:15", "18:00", "23:59"])
def test_a_year_of_days_has_one_opening_each(zone: str, at: str) -> None:
    known, schedule = ZoneInfo(zone), daily(at)
    found, after_ms = [], ms("2026-01-01 00:00")
    while (day := schedule.day_after(after_ms, known)) and day < date(2027, 1, 10):
        assert schedule.opening(day, known) > after_ms
        after_ms = schedule.opening(day, known)
        found.append(day)
    assert len(found) == len({*found}) >= 370
    assert all((later - day).days == 1 for day, later in pairwise(found))


def test_what_is_read_is_what_is_written() -> None:
    for schedule in (daily("18:00"), weekly("20:00", 1, 5), once("2026-12-31", "23:59")):
        assert recurrence.read(schedule.as_json()) == schedule
    unordered = {"repeat": "weekly", "at": "20:00", "weekdays": [5, 1, 5]}
    assert recurrence.read(unordered).weekdays == (1, 5)


GOOD: dict[str, Any] = {"repeat": "weekly", "at": "20:00", "weekdays": [5]}
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("repeat", {"repeat": None}),
    ("repeat", {"repeat": "monthly"}),
    ("repeat", {"repeat": ["once"]}),
    ("at", {"at": ""}),
    ("at", {"at": "24:00"}),
    ("at", {"at": "8:00"}),
    ("at", {"at": "20:00:00"}),
    ("at", {"at": "２０:00"}),
    ("at", {"at": 2000}),
    ("weekdays", {"weekdays": []}),
    ("weekdays", {"weekdays": [0]}),
    ("weekdays", {"weekdays": [8]}),
    ("weekdays", {"weekdays": [True]}),
    ("weekdays", {"weekdays": "5"}),
    ("weekdays", {"weekdays": [1] * 8}),
    ("date", {"repeat": "once", "date": None}),
    ("date", {"repeat": "once", "date": "2026-02-30"}),
    ("date", {"repeat": "once", "date": "20260228"}),
    ("date", {"repeat": "once", "date": "2026-W10-1"}),
    ("date", {"repeat": "once", "date": "0000-01-01"}),
]


@pytest.mark.parametrize(("field", "given"), WRONG)
def test_what_is_no_schedule_is_refused_at_its_field(field: str, given: dict[str, Any]) -> None:
    with refuses(ErrorCode.BAD_REQUEST) as refused:
        recurrence.read({**GOOD, **given})
    assert refused.details == {"field": field, "reason": f"plan_{field}"}
