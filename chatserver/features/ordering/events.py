"""Events of ordering windows, orders, ledgers and templates."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.events import Event
from chatserver.features.ordering.model import OrderingWindow


@dataclass(frozen=True, slots=True)
class WindowChanged(Event):
    """The window was opened, moved or closed. Frame `window`; its `now_ms` is the time of encoding."""

    window: OrderingWindow
    clock: Clock = field(compare=False, repr=False)

    def frame(self) -> bytes:
        return json.dumps({"type": "window", **self.window.as_json(self.clock.now_ms())})


@dataclass(frozen=True, slots=True)
class OrdersCounted(Event):
    """Orders were placed, changed or withdrawn. Readers get the window's new counts later, at most once a second."""

    window: OrderingWindow


@dataclass(frozen=True, slots=True)
class LedgerErased(Event):
    """The ledger of the window was erased."""

    window_id: int


@dataclass(frozen=True, slots=True)
class TemplatesChanged(Event):
    """A template was changed or removed, so that a plan may open another offer, or none, now."""
