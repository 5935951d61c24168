"""Pages of messages as JSON, encoded a few messages at a time, one page after the other.

A thousand messages take 8 ms to read and 8 ms to encode. When forty clients asked for them at once, one batch of the
database answered all forty, and the event loop encoded everything in one tick. It took a third of a second, in which
the loop read no other frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count as counting

from chatserver.core.json import join_list
from chatserver.core.model import Page
from chatserver.features.messages.encode import ANSWER_BYTES_MAX, MessageEncoder, newest_within, page_json

# Messages encoded in one tick of the event loop, which takes 0.8 ms.
AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class _Answer:
    count: int
    begun: int
    body: bytes


class ChunkedPages:
    """`read` returns the newest messages that are kept, as of one commit."""

    def __init__(self, encoder: MessageEncoder, read: Callable[[int], Awaitable[Page]]) -> None:
        self._encoder = encoder
        self._read = read
        # A request that waited for a lock continues in a later tick. There are two locks, so that a short page does not
        # wait for a long page.
        self._page_turn = asyncio.Lock()
        self._newest_turn = asyncio.Lock()
        # Numbers the requests and the starts of encoding, in their order.
        self._order = counting()
        self._waiting = 0
        self._last: _Answer | None = None

    async def page(self, page: Page) -> bytes:
        """The page as the API answers it; the oldest messages are left out beyond ANSWER_BYTES_MAX."""
        async with self._page_turn:
            return await self._encoded(page)

    async def newest(self, count: int) -> bytes:
        """The newest `count` messages, as of this call or later. Calls made before a read share its result.

        Only one count is read and encoded at a time.
        """
        asked = next(self._order)
        self._waiting += 1
        try:
            async with self._newest_turn:
                last = self._last
                if last is None or last.count != count or last.begun < asked:
                    self._last = None
                    begun = next(self._order)
                    self._last = last = _Answer(count, begun, await self._encoded(await self._read(count)))
                return last.body
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._last = None

    async def _encoded(self, page: Page) -> bytes:
        encoded: list[bytes] = []
        for begin in range(0, len(page.messages), AT_A_TIME):
            encoded.extend(map(self._encoder, page.messages[begin : begin + AT_A_TIME]))
            # after the last chunk too, so that the next waiting request continues in another tick
            await asyncio.sleep(0)
        messages = join_list(newest_within(ANSWER_BYTES_MAX, encoded))
        return page_json(messages, page.seq, page.first_id, page.epoch)
