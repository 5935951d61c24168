"""The rows of the room's own pictures: the announcement picture and the preset picture."""

from __future__ import annotations

from chatserver.core.events import ContentErased
from chatserver.core.model import StoredImage, User
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.audit.record import AuditAct, record

ANNOUNCEMENT = "announcement"
PRESET = "preset"


def get(tx: Transaction, name: str) -> StoredImage | None:
    row = tx.one("SELECT image, thumb, width, height FROM pictures WHERE name = ?", (name,))
    return StoredImage(*row) if row else None


def replace(tx: Transaction, actor: User, name: str, picture: StoredImage, now_ms: int) -> None:
    """Store the picture; the files of the old picture are erased.

    Raises DomainError: `forbidden`, `banned`, `muted`.
    """
    actor = permissions.require_speaking_administrator(tx, actor, now_ms)
    before = get(tx, name)
    tx.execute(
        "INSERT INTO pictures (name, image, thumb, width, height, changed_ms, changed_by) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET image = excluded.image, thumb = excluded.thumb, width = excluded.width,"
        " height = excluded.height, changed_ms = excluded.changed_ms, changed_by = excluded.changed_by",
        (name, picture.image, picture.thumb, picture.width, picture.height, now_ms, actor.id),
    )
    record(tx, now_ms, AuditAct(f"picture.{name}"), actor)
    if before:
        tx.announce(ContentErased((before.image, before.thumb)))


def all_files(tx: Transaction) -> list[str]:
    return [name for row in tx.all("SELECT image, thumb FROM pictures") for name in row if name]
