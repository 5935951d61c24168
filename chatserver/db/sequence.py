"""The one row of `room`: where the room stands in its history."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.db.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RoomState:
    epoch: str
    seq: int
    first_id: int


def read(tx: Transaction) -> RoomState:
    epoch, first_id = tx.one("SELECT epoch, first_id FROM room")
    return RoomState(epoch, seq(tx), first_id)


def seq(tx: Transaction) -> int:
    """The number of the last change, those of this batch included."""
    known = tx.batch.values.get("seq")
    if known is None:
        known = tx.batch.values["seq"] = tx.one("SELECT seq FROM room")[0]
    number: int = known
    return number


def next_seq(tx: Transaction, changes: int = 1) -> int:
    """Take the number of the change that is being made, or of the first of several. Written once a batch."""
    before = seq(tx)
    tx.batch.values["seq"] = before + changes
    tx.on_rollback(lambda: tx.batch.values.update(seq=before))
    tx.batch.endings["seq"] = _write_seq
    return before + 1


def touch(tx: Transaction) -> None:
    """Change nothing, and write it: to know whether the disk takes a write."""
    tx.execute("UPDATE room SET first_id = first_id")


def raise_first_id(tx: Transaction, first_id: int) -> int:
    """Move the start of the history up to `first_id`, never down; where it starts now."""
    row = tx.one("UPDATE room SET first_id = max(first_id, ?) RETURNING first_id", (first_id,))
    begins: int = row[0]
    return begins


def _write_seq(tx: Transaction) -> None:
    tx.execute("UPDATE room SET seq = ?", (tx.batch.values["seq"],))


def start_new_epoch(tx: Transaction) -> None:
    """Name a new line of history: what readers know of the old one is not to be continued."""
    tx.execute("UPDATE room SET epoch = lower(hex(randomblob(8)))")
