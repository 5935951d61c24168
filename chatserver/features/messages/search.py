"""Search: the messages that hold every word of a text. Nothing is indexed.

What is kept is bounded, so a search reads through it, a bounded number of rows at a time; an index
would have to be made to forget what was recalled.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatserver.core.folding import fold
from chatserver.core.model import Message, Page, State
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.messages import store

QUERY_MAX = 200
# Rows that one transaction reads: a few milliseconds of the queue's time.
SEARCH_ROWS = 2_000


class Search:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, text: str, before: int, limit: int) -> Page:
        """The newest `limit` live messages below id `before` that hold every word of `text`, oldest first.

        A word may be any part of a message's text, in any case and however accents were
        typed, so one Chinese character is found too.
        """
        words = fold(text).split()
        found: list[Message] = []
        position: int | None = before
        while words and position is not None and len(found) < limit:
            below = position
            some, position = await self._database.run(lambda tx, b=below: _search(tx, words, b, SEARCH_ROWS))  # type: ignore[misc]
            found.extend(some)
        newest_first = found[:limit]
        return await self._database.run(lambda tx: _still_live(tx, reversed(newest_first)))


def _search(tx: Transaction, words: list[str], below_id: int, rows: int) -> tuple[list[Message], int | None]:
    """What holds all `words` among the next `rows` live messages, and the id to go on from; None at the end."""
    read = store.live_below(tx, below_id, rows)
    found = [message for message in read if _holds(message, words)]
    return found, read[-1].id if len(read) == rows else None


def _holds(message: Message, words: list[str]) -> bool:
    text = fold(message.text)
    return all(word in text for word in words)


def _still_live(tx: Transaction, found: Iterable[Message]) -> Page:
    """Read again: a message may have been recalled between the transactions of the search."""
    fresh = [store.get(tx, message.id) for message in found]
    now = sequence.read(tx)
    live = tuple(message for message in fresh if message is not None and message.state is State.LIVE)
    return Page(live, now.seq, now.first_id, now.epoch)
