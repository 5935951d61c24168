"""What is kept, for how long, and how to look back at it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatserver.core.clock import Clock
from chatserver.core.events import ContentErased, MessagesExpired
from chatserver.core.model import Message, OrderingWindow, Page, State
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.announcements import store as announcement_store
from chatserver.features.messages import store as messages
from chatserver.features.messages.clock_skew import ClockSkew
from chatserver.features.ordering import store as window_store
from chatserver.features.settings.settings import Settings

# Rows that one search reads in one go: a few milliseconds of the queue's time.
SEARCH_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Present:
    """All that a page shows, as of one commit: the newest messages, deleted ones too, and the rest.

    `forgotten_seq` is the newest change to any message that is not among `messages`.
    """

    messages: tuple[Message, ...]
    epoch: str
    seq: int
    first_id: int
    forgotten_seq: int
    window: OrderingWindow | None
    announcement: str


class History:
    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock_skew = ClockSkew(clock)

    async def present(self, limit: int) -> Present:
        """The newest `limit` rows and all else that a page shows."""
        return await self._database.run(lambda tx: _present(tx, limit))

    async def older(self, before: int, limit: int) -> Page:
        """The `limit` messages just before id `before`, deleted ones left out."""

        def unit(tx: Transaction) -> Page:
            return _page(tx, messages.before(tx, before, limit))

        return await self._database.run(unit)

    async def newest(self, count: int) -> Page:
        """The newest `count` messages that are kept, deleted ones left out."""
        count = min(count, self._settings.now.history_limit)
        return await self._database.run(lambda tx: _page(tx, messages.newest(tx, count)))

    async def search(self, text: str, before: int, limit: int) -> Page:
        """Live messages below id `before` that hold every word of `text`, the newest `limit` of them.

        Words are parts of text, in any case and of any length, so one Chinese character finds too.
        What is kept is bounded, so it is read through, some rows at a time; an index would have to
        be made to forget what was recalled, and this has nothing to forget.
        """
        words = text.casefold().split()
        found: list[Message] = []
        position: int | None = before
        while words and position is not None and len(found) < limit:
            below = position
            some, position = await self._database.run(lambda tx, b=below: messages.search(tx, words, b, SEARCH_ROWS))  # type: ignore[misc]
            found.extend(some)
        newest_first = found[:limit]
        return await self._database.run(lambda tx: _page(tx, _still_live(tx, reversed(newest_first))))

    async def state_of_media(self, media_key: str) -> State | None:
        return await self._database.run(lambda tx: messages.state_of_media(tx, media_key))

    async def expire(self) -> None:
        """Erase what is too old. `trim` does the same in every batch that changes something."""
        await self._database.run(self.trim, frees=True)

    async def next_expiry(self) -> int | None:
        """When the oldest message becomes too old, in ms of the wall clock."""
        oldest = await self._database.run(messages.next_expiry)
        return None if oldest is None else oldest + self._settings.now.history_ms + self._clock_skew.behind_ms

    def trim(self, tx: Transaction) -> None:
        """Erase what is too old or beyond the count: true of every commit, so no list is ever too long."""
        config = self._settings.now
        since_ms = self._clock_skew.now_ms(tx, config.history_ms) - config.history_ms
        first_id = messages.oldest_to_keep(tx, config.history_limit, since_ms)
        expired = messages.erase_below(tx, first_id) if first_id > 1 else None
        if expired and expired.ids:
            tx.announce(MessagesExpired(expired.ids, sequence.raise_first_id(tx, first_id)))
            tx.announce(ContentErased(expired.files))


def _present(tx: Transaction, limit: int) -> Present:
    now = sequence.read(tx)
    newest = messages.newest(tx, limit, deleted_too=True)
    forgotten = messages.newest_change_below(tx, newest[0].id) if newest else 0
    window = window_store.current(tx)
    announcement = announcement_store.get(tx, announcement_store.ANNOUNCEMENT)
    return Present(
        messages=tuple(newest),
        epoch=now.epoch,
        seq=now.seq,
        first_id=now.first_id,
        forgotten_seq=forgotten,
        window=window[0] if window else None,
        announcement=announcement.image if announcement else "",
    )


def _still_live(tx: Transaction, found: Iterable[Message]) -> list[Message]:
    """Other changes may have come between the parts of a search; what was recalled is not shown."""
    fresh = [messages.get(tx, message.id) for message in found]
    return [message for message in fresh if message is not None and message.state is State.LIVE]


def _page(tx: Transaction, found: list[Message]) -> Page:
    now = sequence.read(tx)
    return Page(tuple(found), now.seq, now.first_id, now.epoch)
