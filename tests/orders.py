"""Shared by tests of orders: lines to send, a check of the journal, and a check of the ledger against the messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.client import Browser


def lines(**quantities: str) -> list[dict[str, Any]]:
    """`lines(i1="2")` orders a quantity of 2 of item 1."""
    return [{"item": int(name[1:]), "quantity": quantity} for name, quantity in quantities.items()]


def verified(journal: dict[str, Any]) -> list[dict[str, Any] | None]:
    """The bodies of the entries, None for erased ones. Fails if the chain is not correct."""
    head = bytes(32)
    for entry in journal["entries"]:
        if entry["body"] is not None:
            leaf = hashlib.sha256(bytes.fromhex(entry["salt"]) + entry["body"].encode()).hexdigest()
            assert leaf == entry["leaf"]
            body = json.loads(entry["body"])
            assert entry["body"] == json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        head = hashlib.sha256(head + bytes.fromhex(entry["leaf"])).digest()
        assert head.hex() == entry["head"]
    assert journal["digest"] == head.hex()
    return [None if entry["body"] is None else json.loads(entry["body"]) for entry in journal["entries"]]


async def whole_ledger(browser: Browser, acks: Mapping[str, dict[str, Any]], window_id: int = 1) -> dict[str, Any]:
    """The ledger of a window with accepted orders only. Fails if ledger, messages and journal disagree.

    `acks`: client_id -> the `ack` of its order. Each order must be in all three.
    """
    ledger: dict[str, Any] = (await browser.get(f"/api/windows/{window_id}/")).json
    journal = (await browser.get(f"/api/windows/{window_id}/journal")).json
    entries = [
        (body["no"], entry["head"])
        for body, entry in zip(verified(journal), journal["entries"], strict=True)
        if body and body["kind"] == "accepted"
    ]
    chat = {message["order"]["no"]: message for message in await browser.all_messages() if message["kind"] == "order"}
    orders = {order["no"]: order for order in ledger["orders"]}
    assert [no for no, _ in entries] == list(orders) == sorted(chat) == [*range(1, len(orders) + 1)]
    for no, order in orders.items():
        assert (chat[no]["id"], chat[no]["order"]["lines"]) == (order["id"], order["lines"])
    heads = dict(entries)
    for client_id, ack in acks.items():
        assert (orders[ack["no"]]["id"], heads[ack["no"]]) == (ack["id"], ack["receipt"]), client_id
        assert chat[ack["no"]]["client_id"] == client_id
    window = ledger["window"]
    assert (window["orders"], window["members"]) == (len(orders), len({o["user_id"] for o in orders.values()}))
    for item in window["items"]:
        ordered = [line["quantity"] for o in orders.values() for line in o["lines"] if line["item"] == item["id"]]
        assert Decimal(item["left"]) == Decimal(item["stock"]) - sum(map(Decimal, ordered))
    return ledger
