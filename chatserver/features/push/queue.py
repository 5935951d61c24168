"""The queue of messages for `chatserver push`: in memory and bounded. A newer message of a topic replaces the older
one.

The queue is not stored, for three reasons: a message that is minutes old is worth little, a duplicate after a restart
is worse than a lost message, and a file would hold text that a recall must erase.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

# Enough for an ordering window that opens in a room of 2,000 members with 5 devices each.
QUEUE_MAX = 10_000


class Push(NamedTuple):
    """A message for one subscription. A newer message with the same `topic` replaces it.

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
        """Append a message; replace a queued message of the same subscription and topic. A full queue drops its oldest
        message."""
        self._waiting.pop((push.subscription_id, push.topic), None)
        if len(self._waiting) >= QUEUE_MAX:
            self._waiting.popitem(last=False)
        self._waiting[push.subscription_id, push.topic] = push
        self.added()

    def take(self, limit: int, now_ms: int) -> list[Push]:
        """Remove and return the oldest messages, at most `limit`; expired messages are dropped."""
        found: list[Push] = []
        while self._waiting and len(found) < limit:
            _, push = self._waiting.popitem(last=False)
            if push.expires_ms > now_ms:
                found.append(push)
        return found

    def drop(self, subscription_id: int, topic: str) -> bool:
        """Remove a message. False if it is not in the queue."""
        return self._waiting.pop((subscription_id, topic), None) is not None

    def drop_topic(self, topic: str) -> None:
        """Remove the messages of a topic to all subscriptions."""
        for key in [key for key in self._waiting if key[1] == topic]:
            del self._waiting[key]
