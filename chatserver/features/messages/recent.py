"""The room's newest messages, ready to be sent: what a page, a newcomer and a returning client get.

Kept in memory, built from the same events that readers get and at the same moment, on the loop. So
a snapshot taken here and the events that follow it have neither a gap nor a repetition between
them, and no page view costs a query.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from chatserver.core.events import (
    AnnouncementChanged,
    Event,
    MemberChanged,
    MessageChanged,
    MessageDeleted,
    MessagePosted,
    MessageRecalled,
    MessagesExpired,
    WindowChanged,
)
from chatserver.core.model import Message, OrderingWindow, State
from chatserver.features.messages.history import Present
from chatserver.http import encode as wire
from chatserver.http.encode import Encoder, listed

# Rows held, deleted ones too. Some 2 KB each at the most usual, 40 KB at the very most.
ROWS_MAX = 500
# What a page shows at first, and what a client gets that cannot continue where it was.
PAGE = 100
# What the API gives when it is not told how many.
API_PAGE = 50
# A client further behind than this gets a page instead: it would scroll past the rest anyway.
CHANGES_MAX = 300
# What one `sync` holds at most: two thirds of a reader's outbox, so that live events find room behind it.
SYNC_BYTES_MAX = 512 * 1024


class _Entry(NamedTuple):
    message: Message
    json: bytes


class Feed:
    """`seq`, `first_id`, `window` and `announcement` are those of the last event applied."""

    def __init__(self, present: Present, wire: Encoder) -> None:
        self.epoch = present.epoch
        self.seq = present.seq
        self.first_id = present.first_id
        self.window: OrderingWindow | None = present.window
        self.announcement = present.announcement
        self._wire = wire
        # The newest change to a message that is not held here: who knows less cannot be told all.
        self._forgotten_seq = present.forgotten_seq
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        # Joined already, until the next change; for the usual counts only.
        self._pages: dict[int, bytes] = {}
        self._recent: dict[int, bytes] = {}
        for message in present.messages:
            self._hold(message)

    def apply(self, event: Event) -> bytes:
        """Take in what happened; the message as it is encoded if it was posted or changed, else nothing."""
        self._recent.clear()
        match event:
            case MessageChanged(message):
                self.seq = message.seq
                if message.id in self._entries:
                    return self._hold(message).json
                self._forgotten_seq = message.seq
                return self._wire.encoded(message)
            case MessagePosted(message):
                self.seq = message.seq
                return self._hold(message).json
            case MessageRecalled(message) | MessageDeleted(message):
                self.seq = message.seq
                if message.id in self._entries:
                    self._hold(message)
                else:
                    self._forgotten_seq = message.seq
            case MessagesExpired(_, first_id):
                self.first_id = first_id
                while self._entries and next(iter(self._entries)) < first_id:
                    self._entries.popitem(last=False)
                self._pages.clear()
            case WindowChanged(window):
                self.window = window if window.is_open else None
            case AnnouncementChanged(image):
                self.announcement = image
            case MemberChanged(user):
                for entry in list(self._entries.values()):
                    if entry.message.author.id == user.id:
                        self._hold(entry.message._replace(author=user))
            case _:
                pass
        return b""

    def newest(self, count: int) -> bytes:
        """A JSON list of the newest `count` messages, oldest first, deleted ones left out."""
        page = self._pages.get(count)
        if page is None:
            shown = [entry.json for entry in self._entries.values() if entry.message.state is not State.DELETED]
            page = listed(shown[-count:] if count else [])
            if count in (PAGE, API_PAGE):
                self._pages[count] = page
        return page

    def recent(self, count: int) -> bytes:
        """The newest `count` messages with the numbers that say where they stand: the API's answer."""
        answer = self._recent.get(count)
        if answer is None:
            answer = wire.page(self.newest(count), self.seq, self.first_id, self.epoch)
            if count == API_PAGE:
                self._recent[count] = answer
        return answer

    def page(self) -> bytes:
        """What a client shows that cannot continue where it was: the newest PAGE, or fewer very long ones."""
        whole = self.newest(PAGE)
        if len(whole) <= SYNC_BYTES_MAX:
            return whole
        shown: list[bytes] = []
        left = SYNC_BYTES_MAX
        for entry in reversed(self._entries.values()):
            if entry.message.state is not State.DELETED:
                left -= len(entry.json) + 1
                if left < 0:
                    break
                shown.append(entry.json)
        return listed(reversed(shown))

    def holds(self, count: int) -> bool:
        """True when no more of the newest `count` messages are kept than this feed holds."""
        if len(self._entries) < ROWS_MAX:
            return True
        shown = sum(entry.message.state is not State.DELETED for entry in self._entries.values())
        return shown >= count

    def has_more(self, count: int) -> bool:
        """True when messages older than the newest `count` may be kept."""
        oldest = next(iter(self._entries), self.first_id)
        return len(self._entries) > count or oldest > self.first_id

    def changes_after(self, seq: int) -> bytes | None:
        """A JSON list of all changes after `seq`, in their order; None when that cannot be told."""
        if not self._forgotten_seq <= seq <= self.seq:
            return None
        changed = [entry for entry in self._entries.values() if entry.message.seq > seq]
        if len(changed) > CHANGES_MAX or sum(len(entry.json) for entry in changed) > SYNC_BYTES_MAX:
            return None
        changed.sort(key=lambda entry: entry.message.seq)
        return listed(entry.json for entry in changed)

    def _hold(self, message: Message) -> _Entry:
        entry = _Entry(message, self._wire.encoded(message))
        self._entries[message.id] = entry
        self._pages.clear()
        if len(self._entries) > ROWS_MAX:
            _, oldest = self._entries.popitem(last=False)
            self._forgotten_seq = max(self._forgotten_seq, oldest.message.seq)
        return entry
