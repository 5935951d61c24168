"""How fast one connection may send frames: far above what a person does, far below what costs others anything."""

from __future__ import annotations

from enum import Enum

# Some 40 µs of the loop each: one connection can have a hundredth of it.
FRAMES_PER_SECOND = 250.0
# A client that comes back sends what it has kept; nothing of ours sends a tenth of this at once.
BURST = 1_000
# Who goes on although every frame is refused is not a client that waits.
REFUSALS_MAX = 100


class Verdict(Enum):
    HEAR = "hear"
    REFUSE = "refuse"
    CLOSE = "close"


class TokenBucket:
    """A bucket of BURST frames that fills at FRAMES_PER_SECOND, for one connection.

    A message that was stored is given back: how often somebody may post is `send_interval`'s to say,
    and where the operator has turned that off, nothing here shall.
    """

    __slots__ = ("_filled_at", "_left", "_refused")

    def __init__(self, now: float) -> None:
        self._left = float(BURST)
        self._filled_at = now
        self._refused = 0

    def take(self, now: float) -> Verdict:
        """One frame has come, at this moment of the monotonic clock, in seconds."""
        self._left = min(BURST, self._left + (now - self._filled_at) * FRAMES_PER_SECOND)
        self._filled_at = now
        if self._left > BURST / 2:
            self._refused = 0  # it has waited, as it was asked to
        if self._left >= 1:
            self._left -= 1
            return Verdict.HEAR
        self._refused += 1
        return Verdict.REFUSE if self._refused <= REFUSALS_MAX else Verdict.CLOSE

    def give_back(self) -> None:
        """A frame that was taken did what the room is for."""
        self._left = min(BURST, self._left + 1)

    @property
    def wait_ms(self) -> int:
        """How long until the next frame is heard, rounded up."""
        return max(1, int((1 - self._left) / FRAMES_PER_SECOND * 1000) + 1)
