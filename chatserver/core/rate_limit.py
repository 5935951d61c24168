"""Rate limits for actions: an interval for each member, a sliding window for each key. In memory, with bounded size."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.clock import Clock
from chatserver.core.token_bucket import TokenBucket, Verdict


class Action(NamedTuple):
    """A recorded action: when it was, and when the member's action before it was. Seconds of the monotonic clock."""

    at: float
    before: float | None


class MinInterval:
    """At least a number of seconds between two actions of one member, over all their connections and forms.

    Remembers at most `members_max` members and forgets the one that acted longest ago.
    """

    def __init__(self, clock: Clock, members_max: int = 50_000) -> None:
        self._clock = clock
        self._last: BoundedDict[int, float] = BoundedDict(members_max)

    def wait_ms(self, member_id: int, seconds: float) -> int:
        """The time in ms until this member may act, for an interval of `seconds`; 0 if the member may act now."""
        last = self._last.get(member_id)
        if last is None or seconds <= 0:
            return 0
        # Rounded up, so that an action after exactly this wait is allowed.
        return max(0, -int(-(last + seconds - self._clock.monotonic()) * 1000 // 1))

    def record(self, member_id: int) -> Action:
        """Record an action of this member now. Returns what to pass to `restore` if the action fails later."""
        action = Action(self._clock.monotonic(), self._last.get(member_id))
        self._last[member_id] = action.at
        return action

    def restore(self, member_id: int, action: Action) -> None:
        """Undo `record`, whose return value `action` is, unless the member has acted again since."""
        if self._last.get(member_id) != action.at:
            return
        if action.before is None:
            del self._last[member_id]
        else:
            self._last[member_id] = action.before


class AttemptLimit:
    """At most `limit` actions for one key within `seconds` (a sliding window); a `limit` of 0 allows all.

    Remembers at most `keys_max` keys and forgets the one that acted longest ago.
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
    """A token bucket for each key. Remembers at most `keys_max` keys and forgets the one that acted longest ago."""

    def __init__(self, clock: Clock, keys_max: int = 20_000) -> None:
        self._clock = clock
        self._buckets: BoundedDict[str, TokenBucket] = BoundedDict(keys_max)

    def take(self, key: str, burst: float, per_second: float) -> int:
        """Count one action; 0 if it is allowed, else the time in ms until one is."""
        now = self._clock.monotonic()
        bucket = self._buckets.get(key) or TokenBucket(now, burst, per_second)
        bucket.burst, bucket.per_second = burst, per_second  # settings change while the server runs
        self._buckets[key] = bucket
        return 0 if bucket.take(now) is Verdict.ALLOW else bucket.wait_ms
