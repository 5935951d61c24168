"""A token bucket (https://en.wikipedia.org/wiki/Token_bucket) that limits the frames of one member, or one address.

The limit is far above the rate of a person, and keeps one member from using the event loop alone, with however many
connections.
"""

from __future__ import annotations

from enum import Enum
from weakref import WeakValueDictionary

# A frame takes about 40 µs of the event loop, so one member can use 1 % of it.
FRAMES_PER_SECOND = 250.0
# A page that reconnects sends its stored outbox at once: less than 100 frames.
BURST = 1_000
# A client that ignores this many refusals in sequence is closed.
REFUSALS_MAX = 100


class Verdict(Enum):
    """What to do with a frame: handle it, refuse it (`too_fast`), or close the connection (1008)."""

    ALLOW = "allow"
    REFUSE = "refuse"
    CLOSE = "close"


class TokenBucket:
    """`burst` tokens, one for each action, refilled at `per_second`; by default for the frames of one member.

    The token of a stored message is given back: the setting `send_interval` limits messages, and
    where it is 0, this bucket must not limit them either.
    """

    __slots__ = ("__weakref__", "_refilled_at", "_refused", "_tokens", "burst", "per_second")

    def __init__(self, now: float, burst: float = BURST, per_second: float = FRAMES_PER_SECOND) -> None:
        self.burst = burst
        self.per_second = per_second
        self._tokens = float(burst)
        self._refilled_at = now
        self._refused = 0

    def take(self, now: float) -> Verdict:
        """Take a token for one action. `now` is the time of the monotonic clock in seconds."""
        tokens = self._tokens + (now - self._refilled_at) * self.per_second
        if tokens > self.burst:
            tokens = self.burst
        self._refilled_at = now
        if tokens > self.burst / 2:
            self._refused = 0  # the client waited, as the refusal asked
        if tokens >= 1:
            self._tokens = tokens - 1
            return Verdict.ALLOW
        self._tokens = tokens
        self._refused += 1
        return Verdict.REFUSE if self._refused <= REFUSALS_MAX else Verdict.CLOSE

    def give_back(self) -> None:
        """Return the token of a frame whose message was stored."""
        if self._tokens < self.burst - 1:
            self._tokens += 1
        else:
            self._tokens = self.burst

    @property
    def wait_ms(self) -> int:
        """The time in ms until the next token, rounded up; at least 1."""
        return max(1, int((1 - self._tokens) / self.per_second * 1000) + 1)


class SharedBuckets:
    """One bucket for each member, and one for the guests of each address, for as long as they are connected."""

    def __init__(self) -> None:
        self._buckets: WeakValueDictionary[int | str, TokenBucket] = WeakValueDictionary()

    def of(self, key: int | str, now: float) -> TokenBucket:
        """`key`: a member's id, or an address."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(now)
        return bucket
