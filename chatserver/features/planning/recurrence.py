"""When a planned window opens: once, daily or weekly, at a minute of the room's time zone. No clock and no database.

A local time that does not exist (the clock is set forward) means the first moment after the gap. A local time that
exists twice (the clock is set back) means the first of the two moments. So each day has exactly one moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from chatserver.core.errors import DomainError, ErrorCode

# How many days a date may be ahead.
DAYS_AHEAD_MAX = 400
_DAY = timedelta(days=1)
_AT = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Repeat(StrEnum):
    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"


class Schedule(NamedTuple):
    """`at` is "HH:MM". `day` is set only for `once`, and `weekdays` only for `weekly`: 1 (Monday) to 7, ascending."""

    repeat: Repeat
    at: str
    day: date | None = None
    weekdays: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The fields as `read` takes them."""
        return {
            "repeat": self.repeat.value,
            "at": self.at,
            "date": self.day.isoformat() if self.day else None,
            "weekdays": list(self.weekdays),
        }

    def opening(self, day: date, zone: ZoneInfo) -> int:
        """When it opens on this day, in Unix ms."""
        return moment(datetime.combine(day, time.fromisoformat(self.at)), zone)

    def day_after(self, after_ms: int, zone: ZoneInfo) -> date | None:
        """The first day whose opening is later than `after_ms` (Unix ms); None if there is no such day."""
        start = datetime.fromtimestamp(after_ms / 1000, zone).date() - _DAY
        return next((day for day in self._days(start) if self.opening(day, zone) > after_ms), None)

    def _days(self, start: date) -> Iterator[date]:
        """The days on which it opens, from `start` to a day that is certainly late enough for `day_after`."""
        if self.day:
            yield self.day
            return
        # 10 days: a week, the day before it, and two days that may be lost when the clock changes.
        for number in range(10):
            day = start + number * _DAY
            if self.repeat is Repeat.DAILY or day.isoweekday() in self.weekdays:
                yield day


def read(fields: Mapping[str, Any]) -> Schedule:
    """Read the fields `repeat`, `at`, `date`, `weekdays`. Raises DomainError `bad_request` (`field`, `reason`)."""
    repeat, at = fields.get("repeat"), fields.get("at")
    if repeat not in list(Repeat):
        raise _wrong("repeat")
    if not isinstance(at, str) or not _AT.fullmatch(at):
        raise _wrong("at")
    if repeat == Repeat.ONCE:
        return Schedule(Repeat.ONCE, at, day=_day(fields.get("date")))
    if repeat == Repeat.WEEKLY:
        return Schedule(Repeat.WEEKLY, at, weekdays=_weekdays(fields.get("weekdays")))
    return Schedule(Repeat.DAILY, at)


def moment(local: datetime, zone: ZoneInfo) -> int:
    """Convert a naive local time to Unix ms: the first of two moments; for a time in a gap, the end of the gap."""
    found = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local:
        return _unix_ms(found)
    # Inside a gap, `fold=0` uses the offset before the gap, which gives a moment after the gap's end. `fold=1` uses the
    # offset after the gap, which gives a moment before the gap (PEP 495).
    return _unix_ms(_change_of_offset(local.replace(tzinfo=zone, fold=1).astimezone(UTC), found, zone))


def _change_of_offset(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second with the offset of `after`. Both times are in UTC, with one change of offset between them."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def _unix_ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000


def _day(given: Any) -> date:
    if not isinstance(given, str) or not _DATE.fullmatch(given):
        raise _wrong("date")
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise _wrong("date") from None


def _weekdays(given: Any) -> tuple[int, ...]:
    if not isinstance(given, list) or not given or len(given) > 7:
        raise _wrong("weekdays")
    if any(type(each) is not int or not 1 <= each <= 7 for each in given):
        raise _wrong("weekdays")
    return tuple(sorted({*given}))


def _wrong(field: str) -> DomainError:
    return DomainError(ErrorCode.BAD_REQUEST, field=field, reason=f"plan_{field}")
