"""The frame `sync`: the changes that a client missed, or a page if they are not known or too many."""

from __future__ import annotations

from chatserver.core import json
from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.numbers import whole_number
from chatserver.features.messages.recent import PAGE, RecentMessages
from chatserver.realtime import frames

# Frames kept, of at most SYNC_BYTES_MAX each.
KEPT_MAX = 16


class SyncFrames:
    """A cache of frames until the next change, by the `seq` that they continue. After a restart all clients return at
    once, and most have missed the same changes.
    """

    def __init__(self, recent: RecentMessages) -> None:
        self._recent = recent
        self._kept: BoundedDict[int | None, bytes] = BoundedDict(KEPT_MAX)
        # The state from which the frames were made.
        self._page = b""
        self._seq = self._first_id = 0

    def frame(self, after: str, epoch: str) -> bytes:
        """The frame for a client with all changes up to `after`, a `seq` of `epoch`, both as the client sent them."""
        recent = self._recent
        self._drop_outdated()
        seq = whole_number(after) if epoch == recent.epoch else None
        frame = self._kept.get(seq)
        if frame is None:
            changes = None if seq is None else recent.changes_after(seq)
            messages = recent.sync_page() if changes is None else changes
            start = {"type": "sync", "first_id": recent.first_id, "complete": changes is not None}
            frame = self._kept[seq] = frames.text(json.dumps(start)[:-1] + b',"messages":' + messages + b"}")
        return frame

    def _drop_outdated(self) -> None:
        """Clear the cache after a change. Each change of a held message, also of a member, makes a new page object."""
        recent = self._recent
        page, seq, first_id = recent.newest(PAGE), recent.seq, recent.first_id
        if page is not self._page or (seq, first_id) != (self._seq, self._first_id):
            self._page, self._seq, self._first_id = page, seq, first_id
            self._kept.clear()
