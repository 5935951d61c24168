"""What the rules of ordering announce."""

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
    """Orders of the window came, changed or went. Readers get its new numbers later, at most once a second."""

    window: OrderingWindow


@dataclass(frozen=True, slots=True)
class LedgerErased(Event):
    """The ledger of the window is not kept any more."""

    window_id: int


@dataclass(frozen=True, slots=True)
class TemplatesChanged(Event):
    """A template was changed or removed: what a plan opens may be another by now."""
