"""The newest messages, encoded and in memory, for pages, new connections and returning clients.

They are updated on the event loop by the same events that readers get, at the same moment. So there is
neither a gap nor a repetition between a snapshot from here and the events that follow it, and no page
view costs a query.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from chatserver.core.errors import DomainError
from chatserver.core.json import join_list
from chatserver.core.model import Message, Reaction, State
from chatserver.core.numbers import ID_MAX
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts.events import MemberChanged
from chatserver.features.messages import store
from chatserver.features.messages.encode import (
    ANSWER_BYTES_MAX,
    MessageChange,
    MessageEncoder,
    newest_within,
    page_json,
)
from chatserver.features.messages.expiry import MessagesExpired
from chatserver.features.messages.post import MessagePosted

# Held messages that a page shows: usually at most 2 KB each, 40 KB in the worst case. Deletions reduce their number;
# below REFILL_BELOW, older messages are read.
ROWS_MAX = 500
REFILL_BELOW = 250
# Held deleted messages, for returning clients: 0.3 KB each. Held separately, so that they displace no other message.
DELETED_MAX = 500
# Messages that a page shows at first, and that a client gets if it cannot continue where it was.
PAGE = 100
# Messages in the API's answer if no count is given.
API_PAGE = 50
# A client that missed more changes gets a page instead, because its reader would skip the other changes anyway.
CHANGES_MAX = 300
# Maximum size of one `sync`: two thirds of a connection's outbox, so that live events have room behind it.
SYNC_BYTES_MAX = 512 * 1024


class _Entry(NamedTuple):
    message: Message
    json: bytes


class RecentMessages:
    """`seq` and `first_id` are those of the last event applied. Call `load` before all other methods."""

    def __init__(self, encoder: MessageEncoder) -> None:
        self.epoch = ""
        self.seq = 0
        self.first_id = 0
        # Messages posted since the start.
        self.posted = 0
        self._encoder = encoder
        self._database: Database | None = None
        # `seq` of the newest change to a message that is not held. If a client's `seq` is lower, it cannot get all
        # changes from here.
        self._forgotten_seq = 0
        # The newest messages without deleted ones, in the order of their ids. No id up to `_below` is held.
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        self._below = 0
        # Deleted messages, in the order of their deletions. Expired messages may still be here.
        self._deleted: OrderedDict[int, _Entry] = OrderedDict()
        self._is_refilling = False
        # Cache of lists and API answers for the usual counts, until the next change.
        self._lists: dict[int, bytes] = {}
        self._answers: dict[int, bytes] = {}

    async def load(self, database: Database) -> None:
        """Read the newest messages, as of one commit. Call it before the first event is published."""
        self._database = database
        await database.run(self._load)

    def on_change(self, event: MessageChange) -> None:
        message, is_new = event.message, isinstance(event, MessagePosted)
        self.posted += is_new
        self.seq = message.seq
        self._answers.clear()
        if message.state is State.DELETED:
            self._hold_deleted(message, event.json)
            self._refill()
        elif is_new or message.id in self._entries:
            self._lists.clear()
            self._entries[message.id] = _Entry(message, event.json)
            if len(self._entries) > ROWS_MAX:
                self._below, oldest = self._entries.popitem(last=False)
                self._forgotten_seq = max(self._forgotten_seq, oldest.message.seq)
        else:
            self._forgotten_seq = message.seq

    def on_expired(self, event: MessagesExpired) -> None:
        self.first_id = event.first_id
        while self._entries and next(iter(self._entries)) < event.first_id:
            self._entries.popitem(last=False)
        self._lists.clear()
        self._answers.clear()

    def on_member_changed(self, event: MemberChanged) -> None:
        """Update the member in all their messages, and their name in reactions and recalls."""
        for held in (self._entries, self._deleted):
            for message_id, entry in held.items():
                message = _with_member(entry.message, event)
                if message is not entry.message:
                    held[message_id] = _Entry(message, self._encoder(message))
        self._lists.clear()
        self._answers.clear()

    def hello_fields(self) -> dict[str, Any]:
        """Fields of `hello` and of the page."""
        return {"epoch": self.epoch, "seq": self.seq, "first_id": self.first_id}

    def newest(self, count: int) -> bytes:
        """A JSON list of the newest `count` messages, oldest first, without deleted ones."""
        encoded = self._lists.get(count)
        if encoded is None:
            shown = [entry.json for entry in self._entries.values()]
            encoded = join_list(newest_within(ANSWER_BYTES_MAX, shown[-count:] if count else []))
            if count in (PAGE, API_PAGE):
                self._lists[count] = encoded
        return encoded

    def newest_messages(self, count: int) -> list[Message]:
        """The newest `count` messages, oldest first, without deleted ones, not encoded."""
        newest = [entry.message for entry in islice(reversed(self._entries.values()), count)]
        newest.reverse()
        return newest

    def answer(self, count: int) -> bytes:
        """The API's answer: the newest `count` messages, with the numbers of their place in the history."""
        answer = self._answers.get(count)
        if answer is None:
            answer = page_json(self.newest(count), self.seq, self.first_id, self.epoch)
            if count == API_PAGE:
                self._answers[count] = answer
        return answer

    def sync_page(self) -> bytes:
        """The page for a client that cannot continue where it was: PAGE messages, or fewer if they are very long."""
        whole = self.newest(PAGE)
        if len(whole) <= SYNC_BYTES_MAX:
            return whole
        shown = [entry.json for entry in self._entries.values()]
        return join_list(newest_within(SYNC_BYTES_MAX, shown))

    def holds(self, count: int) -> bool:
        """True when the newest `count` messages that are kept are all held here."""
        return len(self._entries) >= count or not self._has_older

    def has_more(self, count: int) -> bool:
        """True if messages older than the newest `count` are kept, or may be kept."""
        return len(self._entries) > count or self._has_older

    def changes_after(self, seq: int) -> bytes | None:
        """A JSON list of all changes after `seq`, in their order; None if some are not known here, or too many."""
        if not self._forgotten_seq <= seq <= self.seq:
            return None
        changed = [entry for entry in self._entries.values() if entry.message.seq > seq]
        changed += [
            entry for entry in self._deleted.values() if entry.message.seq > seq and entry.message.id >= self.first_id
        ]
        if len(changed) > CHANGES_MAX or sum(len(entry.json) for entry in changed) > SYNC_BYTES_MAX:
            return None
        changed.sort(key=lambda entry: entry.message.seq)
        return join_list(entry.json for entry in changed)

    @property
    def _has_older(self) -> bool:
        """True when messages that are kept are not held here."""
        return self._below >= self.first_id

    def _load(self, tx: Transaction) -> None:
        now = sequence.read(tx)
        self.epoch, self.seq, self.first_id = now.epoch, now.seq, now.first_id
        self._hold_older(*_page_below(tx, ID_MAX, ROWS_MAX))
        deleted = store.newest_deleted(tx, DELETED_MAX)
        oldest_seq = deleted[0].seq if len(deleted) == DELETED_MAX else 0
        self._forgotten_seq = store.last_change(tx, self._below, oldest_seq)
        for message in deleted:
            self._hold_deleted(message, self._encoder(message))

    def _hold_deleted(self, message: Message, encoded: bytes) -> None:
        if self._entries.pop(message.id, None):
            self._lists.clear()
        self._deleted[message.id] = _Entry(message, encoded)
        if len(self._deleted) > DELETED_MAX:
            _, oldest = self._deleted.popitem(last=False)
            self._forgotten_seq = max(self._forgotten_seq, oldest.message.seq)

    def _refill(self) -> None:
        """Read older messages to replace deleted messages.

        `_refilled` is called before the events of its batch, so that the messages read are never newer than those held.
        """
        if self._is_refilling or len(self._entries) >= REFILL_BELOW or not self._has_older or self._database is None:
            return
        below, wanted = self._below, ROWS_MAX - len(self._entries)
        with suppress(DomainError):  # if the database is busy, the next deletion tries again
            self._database.submit(
                lambda tx: _page_below(tx, below + 1, wanted), lambda found, error: self._refilled(below, found)
            )
            self._is_refilling = True

    def _refilled(self, below: int, found: tuple[list[Message], int] | None) -> None:
        self._is_refilling = False
        # If `_below` differs, so many messages were posted meanwhile that the held messages begin at another id now.
        if found is not None and below == self._below:
            self._hold_older(*found)

    def _hold_older(self, messages: list[Message], below: int) -> None:
        """Add `messages` (oldest first): all messages that are kept between `below` and the oldest held message."""
        for message in reversed(messages):
            self._entries[message.id] = _Entry(message, self._encoder(message))
            self._entries.move_to_end(message.id, last=False)
        self._below = below
        self._lists.clear()
        self._answers.clear()

    LISTENERS = (
        (MessageChange, on_change),
        (MessagesExpired, on_expired),
        (MemberChanged, on_member_changed),
    )


def _page_below(tx: Transaction, message_id: int, limit: int) -> tuple[list[Message], int]:
    """The `limit` messages just below `message_id`, oldest first, and the id of the next older message, else 0."""
    found = store.before(tx, message_id, limit + 1)
    return (found[1:], found[0].id) if len(found) > limit else (found, 0)


def _with_member(message: Message, event: MemberChanged) -> Message:
    """The message with the changed member; the same object if the member does not occur in it."""
    if message.author.id == event.user.id:
        message = message._replace(author=event.user)
    if event.was:
        name = {event.was: event.user.name}
        reactions = tuple(
            Reaction(each.emoji, tuple(sorted(name.get(one, one) for one in each.names))) for each in message.reactions
        )
        ended_by = name.get(message.ended_by, message.ended_by)
        if (reactions, ended_by) != (message.reactions, message.ended_by):
            message = message._replace(reactions=reactions, ended_by=ended_by)
    return message
