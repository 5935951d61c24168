"""The only row of table `room`: the number of the last change, and where the history begins."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.core.export import ExportTable
from chatserver.db.transaction import Transaction

EXPORTS = (ExportTable("room", "room", ("epoch", "seq", "first_id"), "id"),)


@dataclass(frozen=True, slots=True)
class RoomState:
    epoch: str
    seq: int
    first_id: int


def read(tx: Transaction) -> RoomState:
    epoch, first_id = tx.one("SELECT epoch, first_id FROM room")
    return RoomState(epoch, seq(tx), first_id)


def seq(tx: Transaction) -> int:
    """The number of the last change, including the changes of this batch."""
    known = tx.batch.values.get("seq")
    if known is None:
        known = tx.batch.values["seq"] = tx.execute("SELECT seq FROM room").fetchone()[0]
    number: int = known
    return number


def next_seq(tx: Transaction, changes: int = 1) -> int:
    """Take the number for a change, or the first number for several. The row is written once in each batch."""
    before = seq(tx)
    tx.batch.values["seq"] = before + changes
    tx.on_rollback(lambda: tx.batch.values.update(seq=before))
    tx.batch.at_end["seq"] = _write_seq
    return before + 1


def touch(tx: Transaction) -> None:
    """Write the row without changing it, to see whether the disk accepts a write."""
    tx.execute("UPDATE room SET first_id = first_id")


def raise_first_id(tx: Transaction, first_id: int) -> int:
    """Raise the first id of the history to `first_id`, never lower it. Returns the first id afterwards."""
    row = tx.one("UPDATE room SET first_id = max(first_id, ?) RETURNING first_id", (first_id,))
    start: int = row[0]
    return start


def _write_seq(tx: Transaction) -> None:
    tx.execute("UPDATE room SET seq = ?", (tx.batch.values["seq"],))


def start_new_epoch(tx: Transaction) -> None:
    """Give the history a new epoch, so that clients load the whole history again instead of only the changes."""
    tx.execute("UPDATE room SET epoch = lower(hex(randomblob(8)))")
