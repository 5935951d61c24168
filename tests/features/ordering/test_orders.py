"""Orders: accepted, refused, changed and withdrawn; the ledger, and the proof that it is complete."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.model import Role, State, User
from chatserver.features.ordering import amounts, journal, offer
from chatserver.features.ordering.ledger_transaction import ORDERS_OF_MEMBER_MAX
from tests.client import House
from tests.orders import lines, verified
from tests.stage import Stage, held_up, refuses
from tests.support import eventually

ITEMS = [
    {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "40", "limit": "8"},
    {"name": "草莓", "unit": "斤", "price": "12.5"},
    {"name": "赠品"},
]


def offered(**more: Any) -> offer.Offer:
    return offer.read({"title": "周五水果", "items": ITEMS, "seconds": 60, **more})


@pytest.mark.parametrize("text", ["0.01", "1", "1.5", "25.00", "999999.99"])
def test_a_decimal_is_read_and_shown_exactly(text: str) -> None:
    hundredths = amounts.parse(text)
    assert hundredths is not None and hundredths / 100 == pytest.approx(float(text))
    assert float(amounts.quantity(hundredths)) == float(text)
    assert not amounts.quantity(hundredths).endswith((".0", ".00")) and amounts.money(hundredths)[-3] == "."


@pytest.mark.parametrize(
    "text",
    ["", "0", "0.00", "-1", "+1", "1e3", "1.234", "1.", ".5", " 1", "1 ", "１", "٣", "1000000", "0x1", "1,5", "nan"],
)
def test_anything_else_is_no_quantity(text: str) -> None:
    assert amounts.parse(text) is None


@pytest.mark.parametrize("value", [1, 1.5, None, True, [], {}, b"1"])
def test_a_quantity_is_a_text(value: Any) -> None:
    assert amounts.parse(value) is None


def test_a_line_is_rounded_half_up_to_the_cent() -> None:
    assert amounts.line_amount(50, 1) == 1  # 0.5 × 0.01
    assert amounts.line_amount(49, 1) == 0
    assert amounts.line_amount(99_999_999, 99_999_999) == 99_999_998_000_000  # 999999.99²
    assert amounts.line_amount(33, 100) == 33
    assert amounts.line_amount(100, None) is None


async def test_an_order_is_numbered_summed_and_said_in_words(stage: Stage, wang: User, ming: User) -> None:
    window = (await stage.room.windows.start(wang, offered=offered())).window
    placed = await stage.room.place_order.place(ming, lines(i1="2", i2="1.50"), "下午取", "c1")
    assert (placed.order.no, placed.is_new, placed.message.kind) == (1, True, "order")
    assert placed.message.text == "蓝莓 2盒，草莓 1.5斤；备注：下午取"
    assert json.loads(placed.message.extra)["order"] == {
        "window_id": window.id,
        "no": 1,
        "lines": [
            {"item": 1, "name": "蓝莓", "unit": "盒", "quantity": "2", "price": "25.00"},
            {"item": 2, "name": "草莓", "unit": "斤", "quantity": "1.5", "price": "12.50"},
        ],
        "note": "下午取",
        "total": "68.75",
    }
    again = await stage.room.place_order.place(ming, [], "another", "c1")
    assert (again.order, again.message, again.is_new) == (placed.order, placed.message, False)
    gift = await stage.room.place_order.place(ming, lines(i3="1"))
    assert (gift.order.no, gift.order.total) == (2, None)
    words_alone = await stage.room.place_order.place(ming, [], "随便来点")
    assert words_alone.message.text == "随便来点" and words_alone.order.total is None


async def test_what_counts_is_when_it_was_read(stage: Stage, wang: User, ming: User, hong: User) -> None:
    """The queue takes seconds: a request that was read before the end is accepted, because the close is queued behind
    it."""
    window = (await stage.room.windows.start(wang, offered=offered())).window
    stage.clock.forward(59.999)
    async with held_up(stage.database):
        in_time = asyncio.ensure_future(stage.room.place_order.place(ming, lines(i1="1")))
        await eventually(lambda: stage.database.waiting == 1)
        stage.clock.forward(5)
        closing = asyncio.ensure_future(stage.room.windows.close_due())
        late = asyncio.ensure_future(stage.room.place_order.place(hong, lines(i1="1")))
        await eventually(lambda: stage.database.waiting == 3)
    assert (await in_time).message.created_ms == window.closes_ms - 1
    await closing
    with refuses(ErrorCode.WINDOW_CLOSED) as refused:
        await late
    assert refused.details == {"late_ms": 4_999}
    [row] = await stage.sql("SELECT orders, members FROM windows")
    assert tuple(row) == (1, 1)


async def test_a_start_that_was_read_in_time_closes_nothing_before_the_orders_behind_it(
    stage: Stage, wang: User, ming: User
) -> None:
    await stage.room.windows.start(wang, offered=offered())
    stage.clock.forward(59.9)
    async with held_up(stage.database):
        shown = asyncio.ensure_future(stage.room.windows.countdown(wang))
        order = asyncio.ensure_future(stage.room.place_order.place(ming, lines(i1="1")))
        await eventually(lambda: stage.database.waiting == 2)
        stage.clock.forward(1)
    assert (await shown).window.is_open
    assert (await order).is_new


@pytest.mark.parametrize(
    ("given", "text", "code"),
    [
        ([], "", ErrorCode.EMPTY),
        ([], "\u200b\ufeff\u3164", ErrorCode.EMPTY),
        ([], "x" * 201, ErrorCode.TOO_LONG),
        (lines(i9="1"), "", ErrorCode.BAD_REQUEST),
        (lines(i1="0"), "", ErrorCode.BAD_REQUEST),
        ([{"item": 1, "quantity": 2}], "", ErrorCode.BAD_REQUEST),
        ([{"item": "1", "quantity": "2"}], "", ErrorCode.BAD_REQUEST),
        ([{"item": True, "quantity": "2"}], "", ErrorCode.BAD_REQUEST),
        (lines(i1="1") * 2, "", ErrorCode.BAD_REQUEST),
        ([{"item": 1, "quantity": "1"}] * 51, "", ErrorCode.BAD_REQUEST),
        ({}, "", ErrorCode.BAD_REQUEST),
        ("[]", "", ErrorCode.BAD_REQUEST),
        ([None], "", ErrorCode.BAD_REQUEST),
        ([], 7, ErrorCode.BAD_REQUEST),
        ([], "\ud800", ErrorCode.BAD_REQUEST),
        (lines(i1="9"), "", ErrorCode.OVER_LIMIT),
        (lines(i1="100"), "", ErrorCode.OVER_LIMIT),
    ],
)
async def test_a_wrong_order_is_refused_and_changes_nothing(
    stage: Stage, wang: User, ming: User, given: Any, text: Any, code: ErrorCode
) -> None:
    await stage.room.windows.start(wang, offered=offered())
    stage.told()
    with refuses(code):
        await stage.room.place_order.place(ming, given, text)
    assert stage.events == [] and await stage.sql("SELECT * FROM orders") == []


@pytest.mark.parametrize("quantity", ["-1", "1e3", "２", "1.234", "", "1000000"])
async def test_a_quantity_that_is_refused_is_named(stage: Stage, wang: User, ming: User, quantity: str) -> None:
    await stage.room.windows.start(wang, offered=offered())
    with refuses(ErrorCode.BAD_REQUEST) as refused:
        await stage.room.place_order.place(ming, lines(i1="1", i2=quantity))
    assert refused.details == {"field": "lines", "item": 2, "reason": "amount"}


async def test_the_largest_orders_are_summed(stage: Stage, wang: User, ming: User, hong: User) -> None:
    """Two orders cannot reach this sum; some thousands of orders of 50 items at the highest price can."""
    await stage.room.windows.start(wang, offered=offered())
    for member in (ming, hong):
        await stage.room.place_order.place(member, lines(i1="1"))
    await stage.sql("UPDATE orders SET total = ?", 2**63 - 1)
    [(_, total)] = await stage.room.ledger.windows()
    assert total == 2**64 - 2


async def test_stock_and_limits_hold_among_many_at_once(stage: Stage, wang: User) -> None:
    await stage.room.windows.start(wang, offered=offered())
    members = [await stage.join(f"邻居{n}") for n in range(60)]
    answers = await asyncio.gather(
        *(stage.room.place_order.place(member, lines(i1="1")) for member in members), return_exceptions=True
    )
    assert sum(not isinstance(answer, Exception) for answer in answers) == 40
    with refuses(ErrorCode.SOLD_OUT) as refused:
        await stage.room.place_order.place(members[50], lines(i1="1"))
    assert (refused.details["item"], refused.details["left"]) == (1, "0")
    numbers = await stage.sql("SELECT no FROM orders ORDER BY no")
    assert [no for (no,) in numbers] == list(range(1, 41))


async def test_a_limit_counts_all_orders_of_a_member(stage: Stage, wang: User, ming: User) -> None:
    await stage.room.windows.start(wang, offered=offered())
    await stage.room.place_order.place(ming, lines(i1="5"))
    with refuses(ErrorCode.OVER_LIMIT) as refused:
        await stage.room.place_order.place(ming, lines(i1="3.01"))
    assert {name: refused.details[name] for name in ("item", "limit", "have")} == {"item": 1, "limit": "8", "have": "5"}
    await stage.room.place_order.place(ming, lines(i1="3"))


async def test_a_member_has_twenty_orders_withdrawn_ones_counted(stage: Stage, wang: User, ming: User) -> None:
    await stage.room.windows.start(wang, offered=offered())
    first = await stage.room.place_order.place(ming, lines(i2="1"))
    await stage.room.recall.recall(ming, first.order.id)
    for _ in range(ORDERS_OF_MEMBER_MAX - 1):
        await stage.room.place_order.place(ming, lines(i2="1"))
    with refuses(ErrorCode.OVER_LIMIT) as refused:
        await stage.room.place_order.place(ming, lines(i2="1"))
    assert (refused.details["item"], refused.details["limit"]) == (None, 20)


async def test_an_order_needs_a_window_and_names_how_late_it_is(stage: Stage, wang: User, ming: User) -> None:
    with refuses(ErrorCode.WINDOW_CLOSED) as refused:
        await stage.room.place_order.place(ming, [], "蓝莓八盒")
    assert refused.details == {}
    window = (await stage.room.windows.start(wang, 60)).window
    stage.clock.forward(20)
    await stage.room.windows.stop(wang)
    stage.clock.forward(1.5)
    with refuses(ErrorCode.WINDOW_CLOSED) as refused:
        await stage.room.place_order.place(ming, [], "蓝莓八盒")
    assert refused.details == {"late_ms": 1_500}
    await stage.room.windows.start(wang, 60)
    with refuses(ErrorCode.WINDOW_CLOSED) as refused:
        await stage.room.place_order.place(ming, [], "蓝莓八盒", window_id=window.id)
    assert refused.details == {"late_ms": 1_500}
    with refuses(ErrorCode.WINDOW_CLOSED) as refused:
        await stage.room.place_order.place(ming, [], "蓝莓八盒", window_id=999)
    assert refused.details == {}


async def test_the_muted_and_the_banned_do_not_order(stage: Stage, wang: User, ming: User) -> None:
    await stage.room.windows.start(wang, offered=offered())
    placed = await stage.room.place_order.place(ming, lines(i2="1"))
    await stage.sql("UPDATE users SET muted_until_ms = ? WHERE id = ?", stage.clock.now_ms() + 1000, ming.id)
    with refuses(ErrorCode.MUTED):
        await stage.room.place_order.place(ming, lines(i2="1"))
    with refuses(ErrorCode.MUTED):
        await stage.room.change_order.change(ming, placed.order.id, lines(i2="2"))
    assert (await stage.room.recall.recall(ming, placed.order.id)).state is State.RECALLED


async def test_an_order_does_not_delay_the_next_text(stage: Stage, wang: User, ming: User) -> None:
    stage.set(send_interval=2.0)
    await stage.room.windows.start(wang, offered=offered())
    await stage.say(ming, "有草莓吗")
    await stage.room.place_order.place(ming, lines(i2="1"))
    await stage.room.place_order.place(ming, lines(i2="1"))
    stage.clock.forward(2)
    await stage.say(ming, "好的")


async def test_a_change_keeps_the_number_and_its_own_quantity_is_free(stage: Stage, wang: User, ming: User) -> None:
    window = (await stage.room.windows.start(wang, offered=offered())).window
    placed = await stage.room.place_order.place(ming, lines(i1="8"), "旧的话")
    changed = await stage.room.change_order.change(ming, placed.order.id, lines(i1="7"), "新的话")
    assert (changed.order.no, changed.order.id) == (1, placed.order.id)
    assert changed.message.text == "蓝莓 7盒；备注：新的话" and changed.message.seq > placed.message.seq
    assert changed.order.receipt != placed.order.receipt
    [item] = [item for item in (await current(stage))["items"] if item["id"] == 1]
    assert item["left"] == "33"
    assert window.items[0].left == 4000
    again = await stage.room.place_order.place(ming, lines(i2="1"), "", "")
    assert again.order.no == 2


async def current(stage: Stage) -> dict[str, Any]:
    window: dict[str, Any] = stage.room.windows.hello_fields()["window"]
    return window


async def test_who_may_change_and_until_when(stage: Stage, wang: User, ming: User, hong: User) -> None:
    await stage.room.windows.start(wang, offered=offered())
    placed = await stage.room.place_order.place(ming, lines(i1="1"))
    with refuses(ErrorCode.NOT_YOURS):
        await stage.room.change_order.change(hong, placed.order.id, lines(i1="2"))
    with refuses(ErrorCode.NOT_FOUND):
        await stage.room.change_order.change(ming, 999, lines(i1="2"))
    # the window is open, so no reason is needed
    await stage.room.change_order.change(wang, placed.order.id, lines(i1="2"))
    stage.clock.forward(61)
    with refuses(ErrorCode.WINDOW_CLOSED) as refused:
        await stage.room.change_order.change(ming, placed.order.id, lines(i1="3"))
    assert refused.details == {"late_ms": 1_000}
    for reason in ("", None, "x" * 201, 5, "   "):
        with refuses(ErrorCode.BAD_REQUEST):
            await stage.room.change_order.change(wang, placed.order.id, lines(i1="3"), "", reason)
    stage.told()
    await stage.room.change_order.change(wang, placed.order.id, lines(i1="3"), "", "少送了一盒")
    said = [event.message for event in stage.told() if hasattr(event, "message")]
    assert [message.preset for message in said if message.preset] == ["stop", "amended"]
    assert len(json.loads(said[-1].extra)["digest"]) == 64


@pytest.mark.parametrize("way", ["recall", "delete"])
async def test_withdrawing_keeps_the_number_and_none_of_the_words(
    stage: Stage, wang: User, ming: User, way: str
) -> None:
    await stage.room.windows.start(wang, offered=offered())
    placed = await stage.room.place_order.place(ming, lines(i1="8"), "悄悄话一句", "c1")
    stage.clock.forward(40)  # the 30 s of a recall are over
    end = getattr(getattr(stage.room, way), way)
    left = await end(ming, placed.order.id)
    assert left.state in (State.RECALLED, State.DELETED) and left.text == ""
    assert json.loads(left.extra)["order"] == {"window_id": 1, "no": 1, "lines": [], "note": "", "total": None}
    assert (await end(ming, placed.order.id))[:5] == left[:5]
    assert (await current(stage))["orders"] == 0 and (await current(stage))["items"][0]["left"] == "40"
    with refuses(ErrorCode.GONE):
        await stage.room.change_order.change(ming, placed.order.id, lines(i1="1"))
    again = await stage.room.place_order.place(ming, lines(i1="1"), "", "c1")
    assert (again.order.no, again.is_new, again.order.receipt) == (1, False, placed.order.receipt)
    await stage.database.vacuum()
    assert "悄悄话".encode() not in stage.files()


async def test_after_the_end_only_an_administrator_withdraws_with_a_reason(
    stage: Stage, wang: User, ming: User
) -> None:
    await stage.room.windows.start(wang, offered=offered())
    placed = await stage.room.place_order.place(ming, lines(i1="8"))
    await stage.room.windows.stop(wang)
    stage.clock.forward(2)
    for way in (stage.room.recall.recall, stage.room.delete.delete):
        with refuses(ErrorCode.WINDOW_CLOSED) as refused:
            await way(ming, placed.order.id)
        assert refused.details == {"late_ms": 2_000}
        for reason in ("", "  ", "\u200b", "x" * 201, "\ud800", "a\0b"):
            with refuses(ErrorCode.BAD_REQUEST) as refused:
                await way(wang, placed.order.id, reason)
            assert refused.details["field"] == "reason"
    await stage.room.recall.recall(wang, placed.order.id, " 重复下单\r\n\x01")
    [(orders,)] = await stage.sql("SELECT orders FROM windows")
    assert orders == 0
    *_, last = await stage.run(lambda tx: journal.entries(tx, 1))
    assert last.body and json.loads(last.body)["reason"] == "重复下单"


@pytest.mark.settings(history_limit=5)
async def test_an_order_outlives_its_message(stage: Stage) -> None:
    wang, ming = await stage.join("老王", Role.ADMINISTRATOR), await stage.join("小明")
    await stage.room.windows.start(wang, offered=offered())
    placed = await stage.room.place_order.place(ming, lines(i1="2"), "", "c1")
    for n in range(10):
        await stage.said(ming, f"闲聊 {n}")
    assert await stage.sql("SELECT * FROM messages WHERE id = ?", placed.order.id) == []
    again = await stage.room.place_order.place(ming, lines(i1="2"), "", "c1")
    assert (again.message.id, again.message.text, again.is_new) == (placed.order.id, "蓝莓 2盒", False)
    changed = await stage.room.change_order.change(ming, placed.order.id, lines(i1="3"))
    assert changed.order.no == 1
    left = await stage.room.recall.recall(ming, placed.order.id)
    assert (left.id, left.state, left.text) == (placed.order.id, State.RECALLED, "")
    assert (await stage.room.recall.recall(ming, placed.order.id)).state is State.RECALLED


async def test_an_offer_opens_only_where_no_window_is_open(stage: Stage, wang: User) -> None:
    await stage.room.windows.start(wang, 60)
    for fields in ({"title": "水果"}, {"items": ITEMS}):
        with refuses(ErrorCode.WINDOW_OPEN):
            await stage.room.windows.start(wang, offered=offer.read(fields))
    moved = await stage.room.windows.start(wang, 30)
    assert moved.window.closes_ms == stage.clock.now_ms() + 30_000


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "x" * 61},
        {"note": "x" * 501},
        {"items": [{"name": "a"}, {"name": " a "}]},
        {"items": [{"name": ""}]},
        {"items": [{"name": "x" * 41}]},
        {"items": [{"name": "a", "unit": "x" * 9}]},
        {"items": [{"name": "a", "price": "-1"}]},
        {"items": [{"name": "a", "price": 1}]},
        {"items": [{"name": "a", "stock": "0"}]},
        {"items": [{"name": "a", "limit": "1.001"}]},
        {"items": [{"name": str(n)} for n in range(51)]},
        {"items": {}},
        {"items": ["a"]},
        {"title": 5},
        {"seconds": 0},
        {"seconds": 86_401},
        {"seconds": "60"},
    ],
)
def test_a_wrong_offer_is_refused(fields: dict[str, Any]) -> None:
    with refuses(ErrorCode.BAD_REQUEST):
        offer.read(fields)


async def test_the_close_says_what_it_came_to(stage: Stage, wang: User, ming: User, hong: User) -> None:
    await stage.room.windows.start(wang, offered=offered())
    await stage.room.place_order.place(ming, lines(i1="2", i2="0.33"))
    await stage.room.place_order.place(hong, lines(i1="1"))
    await stage.room.place_order.place(hong, lines(i3="1"))
    stopped = await stage.room.windows.stop(wang)
    assert stopped.message.text == "停止下单\n3 个订单，2 人\n蓝莓 3盒\n草莓 0.33斤\n赠品 1\n合计 ¥79.13"
    extra = json.loads(stopped.message.extra)
    assert extra["digest"] == stopped.window.digest and len(extra["digest"]) == 64
    assert (extra["result"]["orders"], extra["result"]["members"], extra["result"]["total"]) == (3, 2, "79.13")


@pytest.mark.settings(ledger_days=0.01, history_hours=100.0)
async def test_a_ledger_is_erased_whole_after_its_days(stage: Stage) -> None:
    wang, ming = await stage.join("老王", Role.ADMINISTRATOR), await stage.join("小明")
    await stage.room.windows.start(wang, offered=offered(note="独一无二的说明"))
    placed = await stage.room.place_order.place(ming, lines(i1="2"), "一句悄悄话")
    await stage.room.windows.stop(wang)
    due_ms = await stage.room.ledger_expiry.next_expiry()
    assert due_ms == stage.clock.now_ms() + 864_000
    stage.clock.forward(863)
    await stage.room.ledger_expiry.expire()
    assert await stage.sql("SELECT count(*) FROM orders") == [(1,)]
    stage.clock.forward(1)
    await stage.room.ledger_expiry.expire()
    for table in ("windows", "items", "orders", "journal", "marks"):
        assert await stage.sql(f"SELECT count(*) FROM {table}") == [(0,)], table
    # The message that is still kept keeps its own text.
    [(text,)] = await stage.sql("SELECT text FROM messages WHERE id = ?", placed.order.id)
    assert text == "蓝莓 2盒；备注：一句悄悄话"
    await stage.database.vacuum()
    assert "独一无二的说明".encode() not in stage.files()


async def test_the_journal_proves_what_was_done(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    await admin.preset("start", title="周五水果", items=ITEMS, seconds=60)
    first = await ming.post_json("/order/", {"lines": lines(i1="1"), "client_id": "a"})
    second = await ming.post_json("/order/", {"lines": lines(i1="2"), "text": "要软的"})
    await ming.post_json(f"/order/{first.json['id']}/", {"lines": lines(i1="3")})
    await ming.recall(second.json["id"])
    await admin.preset("start", seconds=30)
    await admin.preset("stop")
    answer = await admin.post_json(f"/order/{first.json['id']}/", {"lines": lines(i1="4"), "reason": "补一盒"})
    assert answer.status == 200
    guest = await house.guest()
    journal = (await guest.get("/api/windows/1/journal")).json
    bodies = verified(journal)
    assert [body and body["kind"] for body in bodies] == [
        "opened", None, None, None, "withdrawn", "moved", "closed", "changed",
    ]  # fmt: skip
    assert bodies[6] is not None and bodies[6]["orders"] == 1
    assert bodies[7] is not None and (bodies[7]["by"], bodies[7]["reason"]) == ("店长", "补一盒")
    assert bodies[7]["total"] == "100.00" and bodies[7]["no"] == 1 and bodies[7]["user"] == "小明"
    assert journal["digest"] == (await guest.get("/api/windows/1/")).json["window"]["digest"]
    assert answer.json["receipt"] == journal["entries"][7]["head"]
    assert first.json["receipt"] == journal["entries"][1]["head"]
    assert (await guest.get("/api/windows/2/journal")).status == 404


async def test_orders_over_the_socket(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    socket = await ming.socket()
    await admin.preset("start", title="周五水果", items=ITEMS, seconds=60)
    window = await socket.expect("window", state="open")
    assert (window["title"], window["orders"], window["items"][0]["left"]) == ("周五水果", 0, "40")
    await socket.send("order", client_id="c1", lines=lines(i1="2"), text="要甜的", window_id=window["id"])
    message = await socket.expect("message")
    while message["message"]["kind"] != "order":
        message = await socket.expect("message")
    ack = await socket.expect("ack", client_id="c1")
    assert (ack["id"], ack["no"], len(ack["receipt"])) == (message["message"]["id"], 1, 64)
    assert socket.frames.index(message) < socket.frames.index(ack)
    await socket.send("order", client_id="c1", lines=[], text="")
    assert await socket.expect("ack", client_id="c1") == ack
    counted = await socket.expect("window", orders=1)
    assert (counted["members"], counted["items"][0]["left"]) == (1, "38")
    await socket.send("order", client_id="c2", lines=lines(i1="7"))
    refused = await socket.expect("refused", client_id="c2")
    assert (refused["code"], refused["item"], refused["limit"], refused["have"]) == ("over_limit", 1, "8", "2")
    for _ in range(12):  # not counted towards the tenth invalid frame, which closes the socket
        await socket.send("order", client_id="bad", lines="?")
        assert (await socket.expect("refused", client_id="bad"))["code"] == "bad_request"
    await socket.send("order_change", id=ack["id"], lines=lines(i1="3"))
    changed = await socket.expect("ack", id=ack["id"], no=1)
    assert changed["seq"] > ack["seq"] and changed["receipt"] != ack["receipt"]
    await socket.send("recall", id=ack["id"])
    await socket.expect("recall", id=ack["id"])
    await admin.preset("stop")
    closed = await socket.expect("window", state="closed")
    assert len(closed["digest"]) == 64
    house.clock.forward(1)
    await socket.send("order", client_id="c3", lines=lines(i1="1"))
    refused = await socket.expect("refused", client_id="c3")
    assert (refused["code"], refused["late_ms"]) == ("window_closed", 1_000)
    assert "1.0" in refused["message"]


async def test_a_form_orders_too(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    await admin.preset("start", items=ITEMS, seconds=60)
    answer = await ming.post("/order/", {"item-1": "2", "item-2": "", "text": "软一点", "client_id": "f1"})
    assert answer.status == 201 and answer.json["order"]["total"] == "50.00" and len(answer.json["receipt"]) == 64
    assert (await ming.post("/order/", {"item-1": "5", "client_id": "f1"})).status == 200
    as_text = await ming.post("/order/", {"lines": json.dumps(lines(i2="1"))})
    assert as_text.json["order"]["no"] == 2
    assert (await ming.post("/order/", {"lines": "["})).code == "bad_request"
    assert (await (await house.guest()).post("/order/", {"item-1": "1"})).code == "login_required"


async def test_the_ledger_is_for_whoever_may_read(house: House) -> None:
    admin, ming, hong = await house.administrator(), await house.member("小明"), await house.member("小红")
    await admin.preset("start", title="周五水果", items=ITEMS, note="六点前取", seconds=60)
    for member, quantity in ((ming, "2"), (hong, "1.5"), (ming, "1")):
        assert (await member.post_json("/order/", {"lines": lines(i1=quantity)})).status == 201
    guest = await house.guest()
    ledger = (await guest.get("/api/windows/1/")).json
    assert [order["no"] for order in ledger["orders"]] == [1, 2, 3]
    assert ledger["orders"][0] | {"created_ms": 0, "changed_ms": 0} == {
        "no": 1, "id": ledger["orders"][0]["id"], "user": "小明", "user_id": ledger["orders"][0]["user_id"],
        "lines": [{"item": 1, "name": "蓝莓", "unit": "盒", "quantity": "2", "price": "25.00"}],
        "note": "", "total": "50.00", "state": "accepted", "created_ms": 0, "changed_ms": 0,
    }  # fmt: skip
    assert ledger["items"][0] == {"item": 1, "name": "蓝莓", "unit": "盒", "quantity": "4.5", "amount": "112.50"}
    assert [(m["user"], m["orders"], m["total"]) for m in ledger["members"]] == [
        ("小明", 2, "75.00"),
        ("小红", 1, "37.50"),
    ]
    assert ledger["total"] == "112.50" and ledger["window"]["note"] == "六点前取"
    assert "marks" not in ledger["members"][0]
    user_id = ledger["members"][0]["user_id"]
    marked = await admin.post_json("/orders/1/marks", {"user_id": user_id, "paid": True})
    assert marked.json == {"marks": {"paid": True, "collected": False}}
    assert (await admin.get("/api/windows/1/")).json["members"][0]["marks"] == {"paid": True, "collected": False}
    assert "marks" not in (await ming.get("/api/windows/1/")).json["members"][0]
    assert (await ming.post_json("/orders/1/marks", {"user_id": user_id, "paid": True})).code == "forbidden"
    [window] = (await guest.get("/api/windows/")).json["windows"]
    assert (window["id"], window["orders"], window["members"], window["total"]) == (1, 3, 2, "112.50")
    assert (await admin.post(f"/recall_message/{ledger['orders'][0]['id']}/")).status == 200
    [window] = (await guest.get("/api/windows/")).json["windows"]
    left = sum(float(order["total"]) for order in ledger["orders"][1:])
    assert (window["orders"], float(window["total"])) == (2, left)
    assert (await guest.get("/api/windows/9/")).code == "not_found"
    for path in ("/orders/", "/orders/1/"):
        assert (await guest.page(path)).status == 200


async def test_templates_are_made_changed_opened_and_removed(house: House) -> None:
    admin = await house.administrator()
    made = await admin.post_json("/orders/templates/", {"act": "make", "title": "水果", "items": ITEMS, "seconds": 90})
    assert made.status == 201
    template = made.json["template"]
    assert template["items"][0] == {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "40", "limit": "8"}
    changed = await admin.post_json("/orders/templates/", {"act": "change", "id": template["id"], "title": "周五水果"})
    assert (changed.json["template"]["title"], len(changed.json["template"]["items"])) == ("周五水果", 3)
    opened_it = await admin.post_json("/orders/templates/", {"act": "open", "id": template["id"]})
    assert opened_it.status in (200, 201) and opened_it.json["template"]["id"] == template["id"]
    window = (await admin.get("/api/windows/1/")).json["window"]
    assert (window["title"], window["closes_ms"] - window["opened_ms"]) == ("周五水果", 90_000)
    again = await admin.post_json("/orders/templates/", {"act": "open", "id": template["id"]})
    assert again.code == "window_open"
    copied = await admin.post_json("/orders/templates/", {"act": "make", "window": 1})
    assert copied.json["template"]["items"] == template["items"]
    await admin.post_json("/orders/templates/", {"act": "remove", "id": template["id"]})
    assert [each["id"] for each in (await admin.get("/orders/templates/")).json["templates"]] == [
        copied.json["template"]["id"]
    ]
    await admin.preset("stop")
    assert (await admin.preset("start", template=copied.json["template"]["id"], seconds=5)).status == 201
    assert (await admin.preset("start", template=99)).code == "not_found"
    assert (await (await house.member("小明")).get("/orders/templates/")).code == "forbidden"


async def test_a_window_from_before_there_were_journals_gets_one(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    await house.server.room.database.run(
        lambda tx: tx.execute(
            "INSERT INTO windows (opened_ms, closes_ms, opened_by) SELECT ?, ?, id FROM users LIMIT 1",
            (house.clock.now_ms(), house.clock.now_ms() + 60_000),
        )
    )
    assert (await ming.post_json("/order/", {"text": "蓝莓八盒"})).status == 201
    await admin.preset("stop")
    bodies = verified((await ming.get("/api/windows/1/journal")).json)
    assert [body and body["kind"] for body in bodies] == ["opened", "accepted", "closed"]
