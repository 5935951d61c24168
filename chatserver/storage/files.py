"""Which files of the media directory the rows name."""

from __future__ import annotations

from chatserver.storage import messages, pictures, users
from chatserver.storage.transaction import Transaction


def in_use(tx: Transaction) -> list[str]:
    """The names of all of them: pictures, thumbnails, faces, and the room's own."""
    return messages.all_files(tx) + pictures.all_files(tx) + users.avatars(tx)
