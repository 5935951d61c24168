"""A ledger keeps all orders, even if it has more orders than the message history holds."""

from __future__ import annotations

from pathlib import Path

from chatserver.core.model import Role
from chatserver.features.ordering import journal, offer, store
from chatserver.features.ordering.sums import Sums
from tests.orders import lines
from tests.stage import staged
from tests.support import FakeClock

MEMBERS, EACH = 50, 20
ITEM = {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "5000"}


async def test_a_thousand_orders_are_in_the_ledger_of_a_room_that_keeps_a_hundred_messages(tmp_path: Path) -> None:
    async with staged(tmp_path, FakeClock(), history_limit=100) as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        members = [await stage.join(f"邻居{n}") for n in range(MEMBERS)]
        await stage.room.windows.start(wang, offered=offer.read({"items": [ITEM], "seconds": 600}))
        for n in range(EACH):
            for member in members:
                await stage.room.place_order.place(member, lines(i1="2"), "", f"c{n}")
        assert await stage.sql("SELECT count(*) FROM messages") == [(100,)]
        stopped = await stage.room.windows.stop(wang)
    async with staged(tmp_path, FakeClock(), history_limit=100) as stage:
        orders = await stage.run(lambda tx: store.orders(tx, 1))
        entries = await stage.run(lambda tx: journal.entries(tx, 1))
        [(window, _)] = await stage.room.ledger.windows()
        assert [order.no for order in orders] == [*range(1, MEMBERS * EACH + 1)]
        assert journal.first_wrong(entries) is None and len(entries) == 1 + MEMBERS * EACH + 1
        assert window.digest == stopped.window.digest == entries[-1].head.hex()
        assert (window.orders, window.members, window.items[0].left) == (1_000, MEMBERS, 300_000)
        sums = Sums(window.items, orders)
        assert (sums.orders, sums.total, sums.quantities) == (1_000, 5_000_000, {1: 200_000})
        # Send an order again whose message has long expired: the answer has the order's number.
        again = await stage.room.place_order.place(members[0], lines(i1="2"), "", "c0")
        assert (again.order.no, again.is_new) == (1, False)
