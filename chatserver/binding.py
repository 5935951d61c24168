"""Binds what features declare as plain data to the parts that call it: each table belongs to a class, and its
functions are methods of the feature."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from chatserver.core.clock import Clock
from chatserver.core.deadline_timer import DeadlineTimer, Timer
from chatserver.core.events import Event
from chatserver.http.client_frame import Direct
from chatserver.http.frame_reader import FrameHandler
from chatserver.ops.control.operations import Operation
from chatserver.realtime.publisher import Publisher


def subscribe(publisher: Publisher, features: Iterable[object]) -> None:
    """Connect the `LISTENERS` of all features."""
    for feature in features:
        for kind, listener in getattr(feature, "LISTENERS", ()):
            publisher.subscribe(kind, listener.__get__(feature))


def timers(features: Iterable[object], publisher: Publisher, clock: Clock) -> list[DeadlineTimer]:
    """The timers of all features, each woken by the events that set a nearer deadline."""
    found = []
    for feature in features:
        declared: tuple[Timer, ...] = getattr(feature, "TIMERS", ())
        for each in declared:
            timer = DeadlineTimer(each.name, clock, each.nearest.__get__(feature), each.act.__get__(feature))
            for kind, deadline in each.wakes_on.items():
                publisher.subscribe(kind, partial(_wake, timer, deadline, feature))
            found.append(timer)
    return found


def _wake(timer: DeadlineTimer, deadline: Callable[[Any, Any], int | None], feature: object, event: Event) -> None:
    due_ms = deadline(feature, event)
    if due_ms is not None:
        timer.wake_by(due_ms)


def frame_handlers(features: Iterable[object]) -> dict[str, FrameHandler]:
    """The `FRAMES` of all features, by type of frame."""
    return {
        name: _bound(handler, feature)
        for feature in features
        for name, handler in getattr(feature, "FRAMES", {}).items()
    }


def operations(features: Iterable[object]) -> dict[str, Operation]:
    """The `OPERATIONS` of all features, by name."""
    return {
        name: operation.__get__(feature)
        for feature in features
        for name, operation in getattr(feature, "OPERATIONS", {}).items()
    }


def _bound(handler: Any, feature: object) -> FrameHandler:
    if isinstance(handler, Direct):
        return Direct(handler.handler.__get__(feature))
    bound: FrameHandler = handler.__get__(feature)
    return bound
