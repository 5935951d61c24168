"""Rate limits, in memory and of bounded size: a token bucket for the frames of one member or one address, an interval
between two actions of one member, a sliding window or a token bucket for each key.

The limit on frames is far above the rate of a person. It keeps one member from using the whole event loop, with any
number of connections.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from weakref import WeakValueDictionary

from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.clock import Clock

# A frame takes about 40 µs of the event loop, so one member can use 1 % of it.
FRAMES_PER_SECOND = 250.0
# A page that reconnects sends its stored outbox at once: less than 100 frames.
BURST = 1_000
# The server closes the connection of a client that gets this many refusals without a pause.
REFUSALS_MAX = 100


class Verdict(Enum):
    """What to do with a frame: handle it, refuse it (`too_fast`), or close the connection (1008)."""

    ALLOW = "allow"
    REFUSE = "refuse"
    CLOSE = "close"


class TokenBucket:
    """A token bucket (https://en.wikipedia.org/wiki/Token_bucket): each action takes one of `burst` tokens, which are
    refilled at `per_second`. The defaults are for the frames of one member.

    The token of a stored message is given back (`tokens += 1`; `take` limits them to `burst`), because the setting
    `send_interval` limits messages: if it is 0, this bucket must not limit messages either.
    """

    __slots__ = ("__weakref__", "_refilled_at", "_refused", "burst", "per_second", "tokens")

    def __init__(self, now: float, burst: float = BURST, per_second: float = FRAMES_PER_SECOND) -> None:
        self.burst = burst
        self.per_second = per_second
        self.tokens = float(burst)
        self._refilled_at = now
        self._refused = 0

    def take(self, now: float) -> Verdict:
        """Take a token for one action. `now` is the time of the monotonic clock in seconds."""
        tokens = self.tokens + (now - self._refilled_at) * self.per_second
        if tokens > self.burst:
            tokens = self.burst
        self._refilled_at = now
        if tokens > self.burst / 2:
            self._refused = 0  # the client waited as long as the refusal said
        if tokens >= 1:
            self.tokens = tokens - 1
            return Verdict.ALLOW
        self.tokens = tokens
        self._refused += 1
        return Verdict.REFUSE if self._refused <= REFUSALS_MAX else Verdict.CLOSE

    @property
    def wait_ms(self) -> int:
        """The time in ms until the next token, rounded up; at least 1."""
        return max(1, int((1 - self.tokens) / self.per_second * 1000) + 1)


class SharedBuckets:
    """One bucket for each member, and one for all guests of an address. A bucket lives as long as their connections."""

    def __init__(self) -> None:
        self._buckets: WeakValueDictionary[int | str, TokenBucket] = WeakValueDictionary()

    def of(self, key: int | str, now: float) -> TokenBucket:
        """`key`: a member's id, or an address."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(now)
        return bucket


# A recorded action: its time, and the time of the member's action before it. Seconds of the monotonic clock.
Action = tuple[float, float | None]


class MinInterval:
    """Requires a number of seconds between two actions of one member, on all connections and forms together.

    Remembers at most `members_max` members and forgets the member that acted longest ago.
    """

    def __init__(self, clock: Clock, members_max: int = 50_000) -> None:
        self._clock = clock
        self._members_max = members_max
        # Member id -> time of the last action, in the order of the actions.
        self._last: dict[int, float] = {}

    def wait_ms(self, member_id: int, seconds: float) -> int:
        """The time in ms until this member may act, if the interval is `seconds`; 0 if the member may act now."""
        last = self._last.get(member_id)
        if last is None or seconds <= 0:
            return 0
        # Rounded up, so that an action after exactly this wait is allowed.
        return max(0, -int(-(last + seconds - self._clock.monotonic()) * 1000 // 1))

    def record(self, member_id: int) -> Action:
        """Record an action of this member now. Returns a value for `restore`, to be used if the action fails later."""
        last, now = self._last, self._clock.monotonic()
        before = last.pop(member_id, None)
        last[member_id] = now
        if len(last) > self._members_max:
            del last[next(iter(last))]
        return now, before

    def restore(self, member_id: int, action: Action) -> None:
        """Undo the `record` that returned `action`, unless the member has acted again since then."""
        at, before = action
        if self._last.get(member_id) != at:
            return
        if before is None:
            del self._last[member_id]
        else:
            self._last[member_id] = before


class AttemptLimit:
    """Allows at most `limit` actions for one key within `seconds` (a sliding window); a `limit` of 0 allows all.

    Remembers at most `keys_max` keys and forgets the key that acted longest ago.
    """

    def __init__(self, clock: Clock, limit: int, seconds: float, keys_max: int = 20_000) -> None:
        self.limit = limit
        self._clock = clock
        self._seconds = seconds
        self._actions: BoundedDict[str, deque[float]] = BoundedDict(keys_max)

    def wait_ms(self, key: str) -> int:
        """The time in ms until the next action is allowed; 0 if it is allowed now."""
        actions = self._recent(key)
        if not self.limit or len(actions) < self.limit:
            return 0
        return max(1, int((actions[-self.limit] + self._seconds - self._clock.monotonic()) * 1000))

    def record(self, key: str) -> None:
        """Record an action now."""
        # A new deque of the present length: `limit` may have grown since the last action.
        self._actions[key] = deque((*self._recent(key), self._clock.monotonic()), max(self.limit, 1))

    def undo(self, key: str) -> None:
        """Forget the last recorded action of this key."""
        actions = self._actions.get(key)
        if actions:
            actions.pop()

    def clear(self, key: str) -> None:
        """Forget all actions of this key."""
        self._actions.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        actions = self._actions.get(key)
        if actions is None:
            return deque(maxlen=max(self.limit, 1))
        oldest = self._clock.monotonic() - self._seconds
        while actions and actions[0] <= oldest:
            actions.popleft()
        if not actions:
            del self._actions[key]
        return actions


class RateLimit:
    """A token bucket for each key. Remembers at most `keys_max` keys and forgets the key that acted longest ago."""

    def __init__(self, clock: Clock, keys_max: int = 20_000) -> None:
        self._clock = clock
        self._buckets: BoundedDict[str, TokenBucket] = BoundedDict(keys_max)

    def take(self, key: str, burst: float, per_second: float) -> int:
        """Count one action. Returns 0 if it is allowed, else the time in ms until the next action is allowed."""
        now = self._clock.monotonic()
        bucket = self._buckets.get(key) or TokenBucket(now, burst, per_second)
        bucket.burst, bucket.per_second = burst, per_second  # settings change while the server runs
        self._buckets[key] = bucket
        return 0 if bucket.take(now) is Verdict.ALLOW else bucket.wait_ms
