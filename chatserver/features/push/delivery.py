"""The state of `chatserver push`: whether it runs, and the outcomes of the messages that it took."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.push.queue import PushQueue
from chatserver.features.push.vapid import IS_INSTALLED

# A running process asks again within this time.
ASKED_SECONDS = 90.0
# Results of a message at a push service: it was accepted, it was refused for good, or its subscription is unknown.
OUTCOMES = ("sent", "failed", "gone")
_COUNT_MAX = 10**9


@dataclass(frozen=True, slots=True)
class PushFigures:
    """`outcomes` has a count of messages since the start for each of OUTCOMES.

    `last_sent_ms`: when `chatserver push` last reported a sent message, at most 20 s after sending it; None before the
    first report.
    """

    is_on: bool
    is_installed: bool
    is_running: bool
    waiting: int
    outcomes: dict[str, int]
    last_sent_ms: int | None


class Delivery:
    def __init__(self, settings: CurrentConfig, clock: Clock, queue: PushQueue) -> None:
        self._settings = settings
        self._clock = clock
        self._queue = queue
        self._asked_at = float("-inf")
        self._outcomes: Counter[str] = Counter()
        self._last_sent_ms: int | None = None

    @property
    def is_running(self) -> bool:
        return self._clock.monotonic() - self._asked_at < ASKED_SECONDS

    def on_asked(self, outcomes: Any) -> None:
        """Note that the process asked for messages, and count the outcomes that it reports for earlier messages.

        `outcomes`: name of OUTCOMES -> count, or None. Raises DomainError `bad_request`.
        """
        if outcomes is not None and not _are_counts(outcomes):
            raise DomainError(ErrorCode.BAD_REQUEST, field="outcomes")
        self._asked_at = self._clock.monotonic()
        self._outcomes.update(outcomes or {})
        if outcomes and outcomes.get("sent"):
            self._last_sent_ms = self._clock.now_ms()

    def figures(self) -> PushFigures:
        return PushFigures(
            is_on=self._settings.now.push == "on",
            is_installed=IS_INSTALLED,
            is_running=self.is_running,
            waiting=len(self._queue),
            outcomes={name: self._outcomes[name] for name in OUTCOMES},
            last_sent_ms=self._last_sent_ms,
        )

    async def tell(self, _: dict[str, Any]) -> dict[str, Any]:
        """The figures, for `chatserver doctor`."""
        return asdict(self.figures())

    OPERATIONS = {"push_figures": tell}


def _are_counts(value: object) -> bool:
    return isinstance(value, dict) and all(
        name in OUTCOMES and isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= _COUNT_MAX
        for name, count in value.items()
    )
