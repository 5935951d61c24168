"""The wall clock is set while a window is open: the window follows it, and the ledger stays correct."""

from __future__ import annotations

from chatserver.core.errors import ErrorCode
from chatserver.core.model import User
from chatserver.features.ordering import journal, offer
from tests.orders import lines
from tests.stage import Stage, refuses

ITEM = {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "40"}
HOUR = 3_600_000


async def opened(stage: Stage, wang: User) -> int:
    """Open a window of 60 s. Returns its end."""
    posted = await stage.room.windows.start(wang, offered=offer.read({"items": [ITEM], "seconds": 60}))
    return posted.window.closes_ms


async def numbers(stage: Stage) -> list[int]:
    """The numbers in the ledger. Fails if its journal is not correct."""
    entries = await stage.run(lambda tx: journal.entries(tx, 1))
    assert journal.first_wrong(entries) is None
    return [no for (no,) in await stage.sql("SELECT no FROM orders ORDER BY no")]


async def test_a_clock_set_ahead_of_the_end_closes_the_window_once(stage: Stage, wang: User, ming: User) -> None:
    ends = await opened(stage, wang)
    await stage.room.place_order.place(ming, lines(i1="1"))
    stage.clock.set_wall(ends + HOUR)
    with refuses(ErrorCode.WINDOW_CLOSED) as refused:
        await stage.room.place_order.place(ming, lines(i1="1"))
    assert refused.details == {"late_ms": HOUR}
    await stage.room.windows.close_due()
    stage.clock.set_wall(ends - 30_000)
    await stage.room.windows.close_due()
    with refuses(ErrorCode.WINDOW_CLOSED) as refused:
        await stage.room.place_order.place(ming, lines(i1="1"))
    assert "late_ms" not in refused.details  # by the present clock it is not late
    assert await stage.sql("SELECT count(*) FROM messages WHERE preset = 'stop'") == [(1,)]
    assert await numbers(stage) == [1]
    assert (await stage.room.windows.start(wang, 60)).window.id == 2


async def test_a_leap_that_is_taken_back_before_the_timer_looks_has_never_been(
    stage: Stage, wang: User, ming: User
) -> None:
    ends = await opened(stage, wang)
    now = stage.clock.now_ms()
    stage.clock.set_wall(ends + HOUR)
    with refuses(ErrorCode.WINDOW_CLOSED):
        await stage.room.place_order.place(ming, lines(i1="1"))
    stage.clock.set_wall(now)
    await stage.room.windows.close_due()
    assert (await stage.room.place_order.place(ming, lines(i1="1"))).order.no == 1
    assert await stage.room.windows.next_closing() == ends


async def test_a_clock_set_back_keeps_the_window_open_until_its_end_comes_again(
    stage: Stage, wang: User, ming: User, hong: User
) -> None:
    ends = await opened(stage, wang)
    first = await stage.room.place_order.place(ming, lines(i1="1"))
    stage.clock.set_wall(stage.clock.now_ms() - HOUR)
    second = await stage.room.place_order.place(hong, lines(i1="2"))
    assert second.message.created_ms == first.message.created_ms - HOUR
    assert second.message.seq > first.message.seq and second.order.no == 2
    changed = await stage.room.change_order.change(ming, first.order.id, lines(i1="3"))
    assert changed.order.no == 1
    stage.clock.set_wall(ends - 1)
    await stage.room.windows.close_due()
    third = await stage.room.place_order.place(hong, lines(i1="1"))
    stage.clock.set_wall(ends)
    await stage.room.windows.close_due()
    with refuses(ErrorCode.WINDOW_CLOSED) as refused:
        await stage.room.place_order.place(hong, lines(i1="1"))
    assert refused.details == {"late_ms": 0}
    assert await numbers(stage) == [1, 2, third.order.no] == [1, 2, 3]
    assert await stage.sql("SELECT ordered FROM items") == [(600,)]
