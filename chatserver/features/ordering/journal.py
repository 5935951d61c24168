"""The journal of a ledger: a chain of salted hashes, from which words can be erased and the count still be proved.

An entry's `leaf` is SHA-256(salt + body), its `head` SHA-256(head of the entry before + leaf); the first follows
32 zero bytes. The salt keeps a short body from being guessed by trying: an erased entry tells nothing of its words.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from typing import Any, NamedTuple

from chatserver.db.transaction import Transaction

SALT_BYTES = 16
FIRST_HEAD = bytes(32)

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


class Entry(NamedTuple):
    """`salt` and `body` are None where the words were erased."""

    salt: bytes | None
    body: str | None
    leaf: bytes
    head: bytes

    def as_json(self) -> dict[str, str | None]:
        return {
            "salt": None if self.salt is None else self.salt.hex(),
            "body": self.body,
            "leaf": self.leaf.hex(),
            "head": self.head.hex(),
        }


def next_entry(head: bytes, fields: dict[str, Any]) -> Entry:
    """The entry with these fields after the one whose head is given."""
    salt, body = secrets.token_bytes(SALT_BYTES), _ENCODER.encode(fields)
    leaf = hashlib.sha256(salt + body.encode()).digest()
    return Entry(salt, body, leaf, hashlib.sha256(head + leaf).digest())


def insert(tx: Transaction, window_id: int, number: int, order_no: int | None, entry: Entry) -> None:
    """`order_no` says whose words the entry holds; None for an entry that keeps them."""
    tx.execute(
        "INSERT INTO journal (window_id, entry, order_no, salt, body, leaf, head) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (window_id, number, order_no, *entry),
    )


def erase_words(tx: Transaction, window_id: int, order_no: int) -> None:
    """Erase what the entries so far say of this order; the chain stays."""
    tx.execute(
        "UPDATE journal SET salt = NULL, body = NULL WHERE window_id = ? AND order_no = ? AND body IS NOT NULL",
        (window_id, order_no),
    )


def entries(tx: Transaction, window_id: int) -> list[Entry]:
    rows = tx.execute("SELECT salt, body, leaf, head FROM journal WHERE window_id = ? ORDER BY entry", (window_id,))
    return [Entry._make(row) for row in rows]


def first_wrong(chain: Iterable[Entry]) -> int | None:
    """The number, from 1, of the first entry that does not fit; None for a whole chain."""
    head = FIRST_HEAD
    for number, entry in enumerate(chain, 1):
        if entry.body is not None and entry.salt is not None:
            if hashlib.sha256(entry.salt + entry.body.encode()).digest() != entry.leaf:
                return number
        if hashlib.sha256(head + entry.leaf).digest() != entry.head:
            return number
        head = entry.head
    return None
