"""A ledger as tables, for files: its orders, its sums by item and by member, with translated headings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chatserver.features.ordering import amounts
from chatserver.features.ordering.model import Order, OrderingWindow, describe, describe_lines
from chatserver.features.ordering.sums import Sums


class Number(NamedTuple):
    """Whole hundredths: a quantity, or money."""

    hundredths: int
    is_money: bool


# A text, a whole number, an amount, a local time without a zone, or an empty cell.
Cell = str | int | Number | datetime | None


class Table(NamedTuple):
    """`widths` are in characters."""

    name: str
    headings: list[str]
    widths: list[int]
    rows: list[list[Cell]]


def tables(window: OrderingWindow, orders: Sequence[Order], t: Callable[..., str], zone: ZoneInfo) -> list[Table]:
    """The tables of orders, items and members. A window without items has no table of items."""
    sums = Sums(window.items, orders)
    found = [_orders(window, orders, t, zone)]
    if window.items:
        found.append(_items(sums, t))
    return [*found, _members(sums, t)]


def _orders(window: OrderingWindow, orders: Sequence[Order], t: Callable[..., str], zone: ZoneInfo) -> Table:
    items = [f"{item.name} ({item.unit})" if item.unit else item.name for item in window.items]
    headings = [t("export.no"), t("export.member"), *items, t("export.note"), t("export.total"), t("export.state")]
    headings += [t("export.ordered_at"), t("export.changed_at")]
    widths = [6, 18, *(12 for _ in items), 36, 12, 10, 20, 20]
    return Table(t("export.orders"), headings, widths, [_order(window, order, t, zone) for order in orders])


def _order(window: OrderingWindow, order: Order, t: Callable[..., str], zone: ZoneInfo) -> list[Cell]:
    quantities = {line["item"]: amounts.parse(line["quantity"]) for line in json.loads(order.lines)}
    ordered: list[Cell] = [_number(quantities.get(item.id), is_money=False) for item in window.items]
    state = t("export.accepted") if order.is_standing else t("export.withdrawn")
    return [
        order.no, order.user, *ordered, order.note, _number(order.total, is_money=True), state,
        _local(order.created_ms, zone), _local(order.changed_ms, zone) if order.changed_ms > order.created_ms else None,
    ]  # fmt: skip


def _items(sums: Sums, t: Callable[..., str]) -> Table:
    headings = [t("export.item"), t("export.unit"), t("export.price"), t("export.quantity"), t("export.amount")]
    rows: list[list[Cell]] = [
        [
            item.name,
            item.unit,
            _number(item.price, is_money=True),
            Number(sums.quantities[item.id], False),
            _number(sums.amounts.get(item.id), is_money=True),
        ]
        for item in sums.items
    ]
    rows.append([t("export.sum"), "", None, None, _number(sums.total, is_money=True)])
    return Table(t("export.items"), headings, [24, 10, 12, 12, 14], rows)


def _members(sums: Sums, t: Callable[..., str]) -> Table:
    headings = [t("export.member"), t("export.orders"), t("export.total"), t("export.paid"), t("export.collected")]
    rows: list[list[Cell]] = [
        [member.name, member.orders, _number(member.total, is_money=True), "", ""] for member in sums.each_member()
    ]
    return Table(t("export.members"), headings, [18, 8, 14, 10, 10], rows)


def _number(hundredths: int | None, *, is_money: bool) -> Number | None:
    return None if hundredths is None else Number(hundredths, is_money)


def _local(time_ms: int, zone: ZoneInfo) -> datetime:
    """A local time without its zone, which no spreadsheet can store, and without fractions of a second."""
    return datetime.fromtimestamp(time_ms // 1000, zone).replace(tzinfo=None)


def as_text(window: OrderingWindow, orders: Sequence[Order]) -> str:
    """A text to paste into a WeChat group: one line for each standing order, numbered from 1."""
    standing = [order for order in orders if order.is_standing]
    lines = ["#接龙", *filter(None, [window.title])]
    for number, order in enumerate(standing, 1):
        what = describe(describe_lines(json.loads(order.lines)), order.note)
        lines.append(f"{number}. {order.user} {' '.join(what.split())}")
    return "\n".join(lines) + "\n"
