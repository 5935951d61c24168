"""The one row of `clock`: how the wall clock stood against the machine's steady one."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from chatserver.db.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ClockState:
    """`boot` names the machine's boot that `steady_ms` and `leapt_ms` count from.

    Messages age by the wall clock less `behind_ms`, since the wall clock leapt at `leapt_ms`.
    """

    boot: str
    wall_ms: int
    steady_ms: int
    behind_ms: int = 0
    leapt_ms: int = 0


def read(tx: Transaction) -> ClockState | None:
    row = tx.one("SELECT boot, wall_ms, steady_ms, behind_ms, leapt_ms FROM clock")
    return ClockState(*row) if row else None


def put(tx: Transaction, mark: ClockState) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO clock (id, boot, wall_ms, steady_ms, behind_ms, leapt_ms) VALUES (1, ?, ?, ?, ?, ?)",
        astuple(mark),
    )
