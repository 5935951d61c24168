"""SQL for templates (prepared windows)."""

from __future__ import annotations

import json
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.json import encode_value
from chatserver.db.transaction import Transaction
from chatserver.features.ordering import offer, store
from chatserver.features.ordering.offer import Offer

# A template holds up to 50 items, at most 12 KB.
TEMPLATES_MAX = 50


def find(tx: Transaction, template_id: int) -> Offer:
    """The offer of a template. Raises DomainError `not_found`."""
    row = tx.one("SELECT title, note, items, seconds FROM templates WHERE id = ?", (template_id,))
    if row is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    return _offer(*row)


def listed(tx: Transaction) -> list[dict[str, Any]]:
    """All templates as JSON, sorted by id."""
    rows = tx.all("SELECT id, title, note, items, seconds FROM templates ORDER BY id")
    return [as_json(template_id, _offer(*row)) for template_id, *row in rows]


def of_window(tx: Transaction, window_id: int) -> Offer:
    """The offer of a window. Raises DomainError: `not_found`, `gone`."""
    window = store.window(tx, window_id)
    if window is None:
        raise store.missing(tx, window_id)
    length_s = (window.closes_ms - window.opened_ms) // 1000
    seconds = length_s if 1 <= length_s <= offer.SECONDS_MAX else None
    items = tuple(item._replace(ordered=0) for item in store.items(tx, window_id))
    return Offer(window.title, window.note, items, seconds)


def insert(tx: Transaction, offered: Offer, by: int, now_ms: int) -> int:
    """Store a new template and return its id. Raises DomainError `over_limit`."""
    if tx.one("SELECT count(*) FROM templates")[0] >= TEMPLATES_MAX:
        raise DomainError(ErrorCode.OVER_LIMIT, item=None, limit=TEMPLATES_MAX, have=TEMPLATES_MAX, reason="templates")
    row = tx.one(
        "INSERT INTO templates (title, note, items, seconds, changed_ms, changed_by) VALUES (?, ?, ?, ?, ?, ?)"
        " RETURNING id",
        (*_values(offered), now_ms, by),
    )
    template_id: int = row[0]
    return template_id


def change(tx: Transaction, template_id: int, offered: Offer, by: int, now_ms: int) -> None:
    tx.execute(
        "UPDATE templates SET title = ?, note = ?, items = ?, seconds = ?, changed_ms = ?, changed_by = ? WHERE id = ?",
        (*_values(offered), now_ms, by, template_id),
    )


def remove(tx: Transaction, template_id: int) -> None:
    tx.execute("DELETE FROM templates WHERE id = ?", (template_id,))


def as_json(template_id: int, offered: Offer) -> dict[str, Any]:
    return {
        "id": template_id,
        "title": offered.title,
        "note": offered.note,
        "items": offered.items_json(),
        "seconds": offered.seconds,
    }


def _values(offered: Offer) -> tuple[str, str, str, int | None]:
    return offered.title, offered.note, encode_value(offered.items_json()), offered.seconds


def _offer(title: str, note: str, items: str, seconds: int | None) -> Offer:
    return offer.read({"title": title, "note": note, "items": json.loads(items), "seconds": seconds})
