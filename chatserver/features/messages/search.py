"""Search for the messages that contain every word of a text, of one author or of one day. There is no index.

The number of kept messages is bounded, so a search reads all of them, a bounded number of rows at a time.
From an index, recalled text would have to be erased too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chatserver.core.folding import fold
from chatserver.core.model import Message, Page, State
from chatserver.core.numbers import ID_MAX
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.messages import store

QUERY_MAX = 200
# Rows that one transaction reads, which takes a few milliseconds of the queue's time.
SEARCH_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Query:
    """Finds messages with all of `words` (folded), by the author of this name (folded; "" for any), in this time.

    A word may be any part of a message's text, in upper or lower case and with accents typed in any way, so that
    one Chinese character is found too. `from_ms` is included, `to_ms` is not.
    """

    words: tuple[str, ...] = ()
    author: str = ""
    from_ms: int = 0
    to_ms: int = ID_MAX

    @classmethod
    def of(cls, text: str, author: str, day: date | None, zone: ZoneInfo) -> Query:
        """`day` is a day of the room's time zone, which may have 23 or 25 hours; None for any."""
        words, name = tuple(fold(text).split()), fold(author.strip())
        if day is None:
            return cls(words, name)
        first = datetime(day.year, day.month, day.day, tzinfo=zone)
        return cls(words, name, _ms(first), _ms(first + timedelta(days=1)))

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.author or self.from_ms)

    def matches(self, message: Message) -> bool:
        if not self.from_ms <= message.created_ms < self.to_ms:
            return False
        if self.author and fold(message.author.name) != self.author:
            return False
        if not self.words:
            return True
        text = fold(message.text)
        return all(word in text for word in self.words)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


class Search:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, query: Query, before: int, limit: int) -> Page:
        """The newest `limit` live messages below id `before` that match, oldest first; none for an empty query."""
        found: list[Message] = []
        position: int | None = before
        while not query.is_empty and position is not None and len(found) < limit:
            below = position
            some, position = await self._database.run(lambda tx, b=below: _search(tx, query, b, SEARCH_ROWS))  # type: ignore[misc]
            found.extend(some)
        newest_first = found[:limit]
        return await self._database.run(lambda tx: _still_live(tx, reversed(newest_first)))

    async def first_of(self, query: Query) -> Page:
        """A page with the first live message in the query's time; an empty page if there is none."""
        return await self._database.run(lambda tx: _page_of_live(tx, store.first_since(tx, query.from_ms, query.to_ms)))


def _search(tx: Transaction, query: Query, below_id: int, rows: int) -> tuple[list[Message], int | None]:
    """The matches among the next `rows` live messages, and the id to continue from; None at the end."""
    read = store.live_below(tx, below_id, rows)
    return [message for message in read if query.matches(message)], read[-1].id if len(read) == rows else None


def _still_live(tx: Transaction, found: Iterable[Message]) -> Page:
    """Read the messages again, because a message may have been recalled between the transactions of the search."""
    fresh = [store.get(tx, message.id) for message in found]
    return _page_of_live(tx, fresh)


def _page_of_live(tx: Transaction, messages: Iterable[Message | None]) -> Page:
    now = sequence.read(tx)
    live = tuple(message for message in messages if message is not None and message.state is State.LIVE)
    return Page(live, now.seq, now.first_id, now.epoch)
