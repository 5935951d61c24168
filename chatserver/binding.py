"""Connects the tables that features declare (listeners, timers, frames, operations) to the parts that use them. A table
is an attribute of the feature's class, and its functions are methods of the feature."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from operator import attrgetter
from typing import Any

from chatserver.core.clock import Clock
from chatserver.core.deadline_timer import DeadlineTimer, Timer
from chatserver.http.client_frame import Direct, FrameHandler
from chatserver.ops.control.operations import Operation
from chatserver.realtime.publisher import Publisher


def subscribe(publisher: Publisher, features: Iterable[object]) -> None:
    """Subscribe the `LISTENERS` of all features to their events."""
    for feature in features:
        for kind, listener in getattr(feature, "LISTENERS", ()):
            publisher.subscribe(kind, listener.__get__(feature))


def timers(features: Iterable[object], publisher: Publisher, clock: Clock) -> list[DeadlineTimer]:
    """Make the timers of all features. An event that sets a nearer deadline wakes its timer."""
    found = []
    for feature in features:
        declared: tuple[Timer, ...] = getattr(feature, "TIMERS", ())
        for each in declared:
            timer = DeadlineTimer(each.name, clock, each.nearest.__get__(feature), each.act.__get__(feature))
            for kind, deadline in each.wakes_on.items():
                due = deadline if isinstance(deadline, attrgetter) else partial(deadline, feature)
                publisher.subscribe(kind, timer.woken_by(due))
            found.append(timer)
    return found


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
