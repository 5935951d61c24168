"""Which files of the media directory the rows name."""

from __future__ import annotations

from chatserver.db.transaction import Transaction
from chatserver.features.accounts import store as account_store
from chatserver.features.announcements import store as announcement_store
from chatserver.features.messages import store


def in_use(tx: Transaction) -> list[str]:
    """The names of all of them: pictures, thumbnails, faces, and the room's own."""
    return store.all_files(tx) + announcement_store.all_files(tx) + account_store.avatars(tx)
