"""The sums of a window's orders: by item, by member, in total. Withdrawn orders do not count."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from chatserver.core.json import encode_value
from chatserver.features.ordering import amounts
from chatserver.features.ordering.model import Item, Order


class Sums:
    """`quantities`: item's id -> hundredths; `amounts`: item's id -> cents; `members`: how many members ordered."""

    def __init__(self, items: Sequence[Item], orders: Iterable[Order]) -> None:
        self.items = items
        self.total: int | None = None
        self.orders = 0
        self.quantities = {item.id: 0 for item in items}
        self.amounts: dict[int, int] = {item.id: 0 for item in items if item.price is not None}
        self._members: dict[int, MemberSum] = {}
        for order in orders:
            if order.is_standing:
                self._add(order)

    def _add(self, order: Order) -> None:
        self.orders += 1
        member = self._members.setdefault(order.user_id, MemberSum(order.user))
        member.orders += 1
        if order.total is not None:
            member.total = (member.total or 0) + order.total
            self.total = (self.total or 0) + order.total
        if order.lines == "[]":
            return
        for line in json.loads(order.lines):
            item, hundredths = line["item"], amounts.parse(line["quantity"]) or 0
            self.quantities[item] += hundredths
            if line["price"] is not None:
                cents = amounts.line_amount(hundredths, amounts.parse(line["price"], 0))
                self.amounts[item] += cents or 0

    def of_items(self) -> list[dict[str, Any]]:
        return [
            {
                "item": item.id,
                "name": item.name,
                "unit": item.unit,
                "quantity": amounts.quantity(self.quantities[item.id]),
                "amount": amounts.optional_money(self.amounts.get(item.id)),
            }
            for item in self.items
        ]

    def of_members(self) -> list[dict[str, Any]]:
        """The sums by member, sorted by each member's first order."""
        return [
            {"user": m.name, "user_id": user_id, "orders": m.orders, "total": amounts.optional_money(m.total)}
            for user_id, m in self._members.items()
        ]

    def each_member(self) -> Iterable[MemberSum]:
        """The sums by member, sorted by each member's first order."""
        return self._members.values()

    @property
    def members(self) -> int:
        return len(self._members)

    def message_extra(self, digest: str) -> str:
        """The fields `digest` and `result` of the message that closes the window."""
        result = {
            "orders": self.orders,
            "members": self.members,
            "items": [each for each in self.of_items() if each["quantity"] != "0"],
            "total": amounts.optional_money(self.total),
        }
        return encode_value({"digest": digest, "result": result})

    def as_text(self) -> str:
        """The sums as text, for clients that do not support orders; "" if there are no orders."""
        if not self.orders:
            return ""
        lines = [f"{self.orders} 个订单，{self.members} 人"]
        lines += [
            f"{each['name']} {each['quantity']}{each['unit']}" for each in self.of_items() if each["quantity"] != "0"
        ]
        if self.total is not None:
            lines.append(f"合计 ¥{amounts.money(self.total)}")
        return "\n".join(lines)


class MemberSum:
    """The sums of one member. `total` is None if no line of the member's orders has a price."""

    __slots__ = ("name", "orders", "total")

    def __init__(self, name: str) -> None:
        self.name = name
        self.orders = 0
        self.total: int | None = None
