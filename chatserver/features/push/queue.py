"""Messages that wait for `chatserver push`: in memory, bounded, a newer one in place of an older one of the same thing.

In memory, because a message that is minutes old is worth little, one that comes twice after a restart is worse than one
that is lost, and the words of a message are then in no file that a recall would have to clean.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

# An ordering window that opens in a room of 2,000 members with 5 devices each.
QUEUE_MAX = 10_000


class Push(NamedTuple):
    """A message for one subscription. `topic` says what it is about: a newer one with the same topic replaces it.

    `payload` is the JSON that the service worker gets (words.py). `urgency` is that of RFC 8030, section 5.3.
    """

    subscription_id: int
    topic: str
    payload: bytes
    urgency: str
    expires_ms: int


class PushQueue:
    """`added` is called when a message was added."""

    def __init__(self) -> None:
        self.added: Callable[[], None] = lambda: None
        self._waiting: OrderedDict[tuple[int, str], Push] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, push: Push) -> None:
        """Add to the end, in place of one with the same subscription and topic; a full queue drops its oldest."""
        self._waiting.pop((push.subscription_id, push.topic), None)
        if len(self._waiting) >= QUEUE_MAX:
            self._waiting.popitem(last=False)
        self._waiting[push.subscription_id, push.topic] = push
        self.added()

    def take(self, limit: int, now_ms: int) -> list[Push]:
        """Remove the oldest and return them, at most `limit`; those that have expired are dropped."""
        found: list[Push] = []
        while self._waiting and len(found) < limit:
            _, push = self._waiting.popitem(last=False)
            if push.expires_ms > now_ms:
                found.append(push)
        return found

    def drop(self, subscription_id: int, topic: str) -> bool:
        """Remove a message; False where it does not wait (any more)."""
        return self._waiting.pop((subscription_id, topic), None) is not None

    def drop_topic(self, topic: str) -> None:
        """Remove the messages of a topic to all subscriptions."""
        for key in [key for key in self._waiting if key[1] == topic]:
            del self._waiting[key]
