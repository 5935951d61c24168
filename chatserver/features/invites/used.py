"""Which members used which invitation. The last use deletes an invitation, but its row in `used_invites` stays."""

from __future__ import annotations

import json
from dataclasses import dataclass

from chatserver.db.transaction import Transaction

# Limits of the page: the newest used invitations, and the first names for each.
LISTED_MAX = 200
NAMES_MAX = 50


@dataclass(frozen=True, slots=True)
class Joined:
    """The members who used one invitation: the first NAMES_MAX names, and the number of members."""

    names: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class UsedInvite:
    """An invitation that members used and that is no longer valid. `made_by` is "" for the operator."""

    id: str
    created_ms: int
    made_by: str
    joined: Joined


NONE_JOINED = Joined((), 0)


def record(tx: Transaction, code_hash: bytes) -> int:
    """The id of the row of an invitation that is about to be used. Its first use adds the row."""
    tx.execute(
        "INSERT INTO used_invites (code_hash, created_ms, made_by)"
        " SELECT code_hash, created_ms, made_by FROM invites WHERE code_hash = ? ON CONFLICT (code_hash) DO NOTHING",
        (code_hash,),
    )
    (row_id,) = tx.one("SELECT id FROM used_invites WHERE code_hash = ?", (code_hash,))
    return int(row_id)


def assign(tx: Transaction, user_id: int, used_invite_id: int) -> None:
    """Store that this member used that invitation."""
    tx.execute("UPDATE users SET used_invite_id = ? WHERE id = ?", (used_invite_id, user_id))


def joined(tx: Transaction, ids: list[str]) -> dict[str, Joined]:
    """Invitation's id -> the members who used it. `ids` are code hashes in hexadecimal; unused ids are left out."""
    rows = tx.all(
        "SELECT id, name, total FROM (SELECT lower(hex(i.code_hash)) AS id, u.name AS name,"
        " count(*) OVER (PARTITION BY i.id) AS total, row_number() OVER (PARTITION BY i.id ORDER BY u.id) AS place"
        " FROM used_invites i JOIN users u ON u.used_invite_id = i.id"
        " WHERE lower(hex(i.code_hash)) IN (SELECT value FROM json_each(?))) WHERE place <= ? ORDER BY id, place",
        (json.dumps(ids), NAMES_MAX),
    )
    names: dict[str, list[str]] = {}
    totals: dict[str, int] = {}
    for invite_id, name, total in rows:
        names.setdefault(invite_id, []).append(name)
        totals[invite_id] = total
    return {invite_id: Joined(tuple(found), totals[invite_id]) for invite_id, found in names.items()}


def closed(tx: Transaction, opened: list[str]) -> list[UsedInvite]:
    """The newest LISTED_MAX used invitations that are not in `opened` (code hashes in hexadecimal)."""
    rows = tx.all(
        "SELECT lower(hex(i.code_hash)), i.created_ms, coalesce(m.name, '') FROM used_invites i"
        " LEFT JOIN users m ON m.id = i.made_by"
        " WHERE EXISTS (SELECT 1 FROM users u WHERE u.used_invite_id = i.id)"
        " AND lower(hex(i.code_hash)) NOT IN (SELECT value FROM json_each(?))"
        " ORDER BY i.created_ms DESC, i.id DESC LIMIT ?",
        (json.dumps(opened), LISTED_MAX),
    )
    members = joined(tx, [row[0] for row in rows])
    return [UsedInvite(invite_id, created_ms, made_by, members[invite_id]) for invite_id, created_ms, made_by in rows]
