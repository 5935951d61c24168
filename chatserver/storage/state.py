"""The one row of `room`: where the room stands in its history."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class RoomState:
    epoch: str
    seq: int
    first_id: int


def read(tx: Transaction) -> RoomState:
    return RoomState(*tx.one("SELECT epoch, seq, first_id FROM room"))


def next_seq(tx: Transaction) -> int:
    """The number of the change that is about to be made."""
    seq: int = tx.one("UPDATE room SET seq = seq + 1 RETURNING seq")[0]
    return seq


def begin_at(tx: Transaction, first_id: int) -> int:
    """Move the start of the history up to `first_id`, never down; where it starts now."""
    row = tx.one("UPDATE room SET first_id = max(first_id, ?) RETURNING first_id", (first_id,))
    begins: int = row[0]
    return begins


def begin_anew(tx: Transaction) -> None:
    """Name a new line of history: what readers know of the old one is not to be continued."""
    tx.execute("UPDATE room SET epoch = lower(hex(randomblob(8)))")
