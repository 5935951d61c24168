"""The pages that the COMMIT of a batch of orders writes do not grow with the number of stored orders."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from chatserver.core.model import Role, User
from chatserver.features.messages.post import Draft
from chatserver.features.ordering import offer
from tests.orders import lines
from tests.stage import Stage, staged
from tests.support import FakeClock

# A page holds 100 client keys. When each key was written to a page of its own, 50 orders wrote 69 pages here.
MEMBERS, BATCHES_BEFORE, WINDOWS_BEFORE = 50, 10, 4
FRAME_BYTES, HEADER_BYTES = 24 + 4096, 32
NOTE = "x" * 60


async def pages_written(stage: Stage, act: Callable[[], Awaitable[object]]) -> int:
    """The number of pages that `act` writes to the write-ahead log."""
    await stage.database.between_batches(lambda raw: raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
    await act()
    log = stage.database.path.with_name("chat.db-wal").stat().st_size
    return (log - HEADER_BYTES) // FRAME_BYTES


async def start(stage: Stage, wang: User) -> None:
    await stage.room.windows.start(wang, offered=offer.read({"items": [{"name": "蓝莓", "price": "25.00"}]}))


async def test_fifty_orders_write_at_most_twice_the_pages_of_fifty_texts(tmp_path: Path) -> None:
    async with staged(tmp_path, FakeClock(), history_limit=100, send_interval=0.0) as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        members = [await stage.join(f"邻居{n}") for n in range(MEMBERS)]

        async def order(batch: str) -> None:
            place = stage.room.place_order.place
            await asyncio.gather(*[place(each, lines(i1="2"), NOTE, f"{batch}-{each.id}") for each in members])

        async def post(batch: str) -> None:
            await asyncio.gather(*[stage.room.post.post(each, Draft("x" * 200, batch)) for each in members])

        for window in range(WINDOWS_BEFORE):
            await start(stage, wang)
            for batch in range(BATCHES_BEFORE):
                await order(f"{window}-{batch}")
            await stage.room.windows.stop(wang)
        await start(stage, wang)
        orders = [await pages_written(stage, lambda n=n: order(f"new-{n}")) for n in range(6)]  # type: ignore[misc]
        texts = [await pages_written(stage, lambda n=n: post(f"text-{n}")) for n in range(6)]  # type: ignore[misc]
        assert sum(orders) <= 2 * sum(texts), (orders, texts)
