"""The journal of a ledger: a chain of salted hashes, which still proves the count after text was erased from it.

An entry's `leaf` is SHA-256(salt + body), its `head` SHA-256(head of the entry before + leaf). For the first entry the
head before is 32 zero bytes. The salt makes it impossible to guess a short body by trying, so an erased entry
reveals nothing of its text.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chatserver.core.json import encode_text
from chatserver.core.model import User
from chatserver.db.transaction import Transaction, insert_rows
from chatserver.features.ordering.model import OrderContent

SALT_BYTES = 16
FIRST_HEAD = bytes(32)

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


class Entry(NamedTuple):
    """`salt` and `body` are None if the text of the entry was erased."""

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


def body_of(fields: dict[str, Any]) -> str:
    """Encode the fields as compact JSON, with the names in alphabetical order."""
    return _ENCODER.encode(fields)


def accepted_body(at_ms: int, no: int, user: User, words: OrderContent) -> str:
    """Encode the body for an accepted order, from parts that are already encoded."""
    priced, name = words.priced, encode_text(user.name)
    return (  # the names in alphabetical order
        f'{{"at_ms":{at_ms},"kind":"accepted","lines":{priced.json},"no":{no},"note":{words.note_json},"total":{priced.total_json}'
        f',"user":{name},"user_id":{user.id}}}'
    )


def salts(count: int) -> list[bytes]:
    """Random salts for `count` entries, drawn in one call, because each call is a system call that releases the GIL."""
    drawn = secrets.token_bytes(SALT_BYTES * count)
    return [drawn[begin : begin + SALT_BYTES] for begin in range(0, len(drawn), SALT_BYTES)]


def next_entry(head: bytes, salt: bytes, body: str) -> Entry:
    """The entry with this body that follows the entry with this `head`."""
    leaf = hashlib.sha256(salt + body.encode()).digest()
    return Entry(salt, body, leaf, hashlib.sha256(head + leaf).digest())


def entry_id(window_id: int, entry: int) -> int:
    """The id of an entry's row. The ids of one window are consecutive."""
    return (window_id << 32) | entry


def insert(tx: Transaction, window_id: int, first: int, entries: Sequence[tuple[int | None, Entry]]) -> None:
    """Append entries, numbered from `first`. Each comes with the number of the order whose text it holds, or None if
    its text stays when orders are changed or withdrawn."""
    rows = [(id_, order_no, *entry) for id_, (order_no, entry) in enumerate(entries, entry_id(window_id, first))]
    insert_rows(tx, "journal", ("id", "order_no", "salt", "body", "leaf", "head"), rows)


def erase_words(tx: Transaction, window_id: int, entry: int | None) -> None:
    """Erase the text of this entry; its hashes stay."""
    if entry is not None:
        tx.execute("UPDATE journal SET salt = NULL, body = NULL WHERE id = ?", (entry_id(window_id, entry),))


def entries(tx: Transaction, window_id: int) -> list[Entry]:
    rows = tx.execute(
        "SELECT salt, body, leaf, head FROM journal WHERE id BETWEEN ? AND ? ORDER BY id",
        (entry_id(window_id, 0), entry_id(window_id + 1, 0) - 1),
    )
    return [Entry._make(row) for row in rows]


def first_wrong(chain: Iterable[Entry]) -> int | None:
    """The number (from 1) of the first entry with a wrong hash; None if the chain is correct."""
    head = FIRST_HEAD
    for number, entry in enumerate(chain, 1):
        if entry.body is not None and entry.salt is not None:
            if hashlib.sha256(entry.salt + entry.body.encode()).digest() != entry.leaf:
                return number
        if hashlib.sha256(head + entry.leaf).digest() != entry.head:
            return number
        head = entry.head
    return None
