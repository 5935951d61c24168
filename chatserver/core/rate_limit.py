"""How often somebody may do something. In memory, bounded, on the monotonic clock."""

from __future__ import annotations

from collections import OrderedDict, deque

from chatserver.core.clock import Clock


class MinInterval:
    """At most one act of a member in so many seconds, over all their sockets and forms."""

    def __init__(self, clock: Clock, members_max: int = 50_000) -> None:
        self._clock = clock
        self._last: OrderedDict[int, float] = OrderedDict()
        self._members_max = members_max

    def wait_ms(self, member_id: int, seconds: float) -> int:
        """How long this member still has to wait, in ms; 0 when they may act now."""
        last = self._last.get(member_id)
        if last is None or seconds <= 0:
            return 0
        # Rounded up: somebody who waits that long is let through.
        return max(0, -int(-(last + seconds - self._clock.monotonic()) * 1000 // 1))

    def note(self, member_id: int) -> float | None:
        """The member acts now. Returns what to give to `restore` should the act come to nothing."""
        before = self._last.pop(member_id, None)
        self._last[member_id] = self._clock.monotonic()
        if len(self._last) > self._members_max:
            self._last.popitem(last=False)
        return before

    def restore(self, member_id: int, before: float | None) -> None:
        if before is None:
            self._last.pop(member_id, None)
        else:
            self._last[member_id] = before


class AttemptLimit:
    """At most `most` acts under one key within `seconds`; 0 is no limit."""

    def __init__(self, clock: Clock, most: int, seconds: float, keys_max: int = 20_000) -> None:
        self.most = most
        self._clock = clock
        self._seconds = seconds
        self._keys_max = keys_max
        self._acts: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_ms(self, key: str) -> int:
        """0 when another act is allowed now, else how long until one is, in ms."""
        acts = self._recent(key)
        if not self.most or len(acts) < self.most:
            return 0
        return max(1, int((acts[-self.most] + self._seconds - self._clock.monotonic()) * 1000))

    def note(self, key: str) -> None:
        # Made anew with room for `most`, which may have grown since the last act.
        self._acts[key] = deque((*self._recent(key), self._clock.monotonic()), max(self.most, 1))
        self._acts.move_to_end(key)
        if len(self._acts) > self._keys_max:
            self._acts.popitem(last=False)

    def roll_back(self, key: str) -> None:
        """One act was no offence after all."""
        acts = self._acts.get(key)
        if acts:
            acts.pop()

    def clear(self, key: str) -> None:
        self._acts.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        acts = self._acts.get(key)
        if acts is None:
            return deque(maxlen=max(self.most, 1))
        oldest = self._clock.monotonic() - self._seconds
        while acts and acts[0] <= oldest:
            acts.popleft()
        if not acts:
            del self._acts[key]
        return acts
