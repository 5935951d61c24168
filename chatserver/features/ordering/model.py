"""Windows, items, lines and orders. Prices are in cents, quantities in hundredths; readers get them as decimals."""

from __future__ import annotations

import json as stdlib_json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from chatserver.core.json import encode_text, encode_value
from chatserver.features.ordering import amounts


class Item(NamedTuple):
    """An item that a window offers. None means no price, unlimited stock, or no limit for each member.

    `ordered`: the quantity in standing orders.
    """

    id: int
    name: str
    unit: str
    price: int | None
    stock: int | None
    limit: int | None
    ordered: int = 0

    @property
    def left(self) -> int | None:
        return None if self.stock is None else max(0, self.stock - self.ordered)

    def as_offered(self) -> dict[str, Any]:
        """The fields that its window offers; they never change."""
        return {
            "id": self.id,
            "name": self.name,
            "unit": self.unit,
            "price": amounts.optional_money(self.price),
            "stock": amounts.optional_quantity(self.stock),
            "limit": amounts.optional_quantity(self.limit),
        }

    def as_json(self) -> dict[str, Any]:
        return {**self.as_offered(), "left": amounts.optional_quantity(self.left)}


class Line(NamedTuple):
    """A quantity of an item, at the price of its window."""

    item: Item
    quantity: int

    @property
    def amount(self) -> int | None:
        return amounts.line_amount(self.quantity, self.item.price)

    def as_json(self) -> dict[str, Any]:
        """The fields in alphabetical order, as the journal writes its fields."""
        return {
            "item": self.item.id,
            "name": self.item.name,
            "price": amounts.optional_money(self.item.price),
            "quantity": amounts.quantity(self.quantity),
            "unit": self.item.unit,
        }


class PricedLines(NamedTuple):
    """The lines of an order in each form that is needed.

    `shown`: the lines as readers get them; `json`: `shown` as JSON; `said`: `shown` as text; `total`: the sum of the
    lines that have a price; `total_json`: `total` as JSON. `quantities`: item's id -> hundredths.
    """

    lines: tuple[Line, ...]
    shown: list[dict[str, Any]]
    json: str
    said: str
    total: int | None
    total_json: str
    quantities: Mapping[int, int]

    @classmethod
    def of(cls, lines: tuple[Line, ...]) -> PricedLines:
        shown = [line.as_json() for line in lines]
        total = amounts.total([line.amount for line in lines])
        quantities = {line.item.id: line.quantity for line in lines}
        return cls(lines, shown, encode_value(shown), describe_lines(shown), total, total_json(total), quantities)


class OrderContent(NamedTuple):
    """The content of an order: its lines, and the member's own note, also as JSON."""

    priced: PricedLines
    note: str
    note_json: str

    @property
    def text(self) -> str:
        """The text for clients that do not support orders, for example `蓝莓 2盒，草莓 1.5斤；备注：…`."""
        return describe(self.priced.said, self.note)

    def as_json(self) -> dict[str, Any]:
        priced = self.priced
        return {"lines": priced.shown, "note": self.note, "total": amounts.optional_money(priced.total)}


def describe_lines(lines: Iterable[Mapping[str, Any]]) -> str:
    """Join lines, as readers get them, to one text."""
    return "，".join(f"{line['name']} {line['quantity']}{line['unit']}" for line in lines)


def describe(said: str, note: str) -> str:
    """Join the text of the lines and the note."""
    return f"{said}；备注：{note}" if said and note else said or note


class Order(NamedTuple):
    """A row of the ledger. `lines`: the JSON list that readers get; `user`: the member's name; `entry`: the number of
    the journal's entry that holds the order's text, None after a withdrawal."""

    id: int
    window_id: int
    no: int
    user_id: int
    user: str
    is_standing: bool
    lines: str
    note: str
    total: int | None
    created_ms: int
    changed_ms: int
    posted_seq: int
    receipt: bytes
    entry: int | None

    @property
    def is_free_text(self) -> bool:
        """True for a standing order without lines, which says only in its note what it orders."""
        return self.is_standing and self.lines == "[]"

    @property
    def extra(self) -> str:
        """`Message.extra` of its message: a JSON object with the field `order`."""
        return order_extra(self.window_id, self.no, self.lines, encode_text(self.note), total_json(self.total))

    @property
    def text(self) -> str:
        return describe(describe_lines(stdlib_json.loads(self.lines)), self.note)


def order_extra(window_id: int, no: int, lines: str, note: str, total: str) -> str:
    """`lines`, `note` and `total` are JSON. For a withdrawn order `lines` is "[]" and `note` is an empty string."""
    order = f'"window_id":{window_id},"no":{no},"lines":{lines},"note":{note},"total":{total}'
    return f'{{"order":{{{order}}}}}'


def total_json(cents: int | None) -> str:
    return "null" if cents is None else f'"{amounts.money(cents)}"'


@dataclass(frozen=True, slots=True)
class OrderingWindow:
    """The period in which members may order. It ends at `closes_ms`, or earlier if a member closes it.

    `orders` and `members` count the standing orders and the members who placed them. `digest` is the head of the
    journal of a closed window, in hex. `is_planned`: a plan of the member `by` opened it automatically.
    """

    id: int
    opened_ms: int
    closes_ms: int
    is_open: bool
    by: str
    title: str = ""
    note: str = ""
    items: tuple[Item, ...] = ()
    orders: int = 0
    members: int = 0
    digest: str = ""
    is_planned: bool = False

    def as_json(self, now_ms: int) -> dict[str, Any]:
        """The window as readers get it. `now_ms`, the server's time, lets them count down by the server's clock."""
        shown: dict[str, Any] = {
            "id": self.id,
            "state": "open" if self.is_open else "closed",
            "opened_ms": self.opened_ms,
            "closes_ms": self.closes_ms,
            "now_ms": now_ms,
            "by": self.by,
            "title": self.title,
            "note": self.note,
            "items": [item.as_json() for item in self.items],
            "orders": self.orders,
            "members": self.members,
            "planned": self.is_planned,
        }
        if not self.is_open:
            shown["digest"] = self.digest
        return shown
