"""Readings of free-text orders: who may confirm one, what is refused, who gets it, and when it is erased from the
files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Role, User
from chatserver.db.database import Database
from chatserver.features.ledger import readings
from chatserver.features.ordering import offer
from chatserver.features.ordering.erased import erased_orders
from chatserver.ops import export_rows
from tests.client import House
from tests.stage import Stage, refuses

# A word that only the reading has.
WORD = "独一无二的读法"
LINE = {"name": WORD, "quantity": "8.50", "unit": "盒"}
KEPT = [{"name": WORD, "quantity": "8.5", "unit": "盒"}]


def reading(no: int = 1, lines: Any = (LINE,), **more: Any) -> readings.Reading:
    return readings.read({"no": no, "lines": [*lines], **more})


async def placed(stage: Stage, wang: User, ming: User) -> tuple[int, int]:
    """Place a free-text order. Returns the ids of its window and of its message."""
    window = (await stage.room.windows.start(wang, 60)).window
    return window.id, (await stage.room.place_order.place(ming, [], "蓝莓八盒半")).order.id


async def test_an_administrator_confirms_what_an_order_says(house: House) -> None:
    admin, other, ming = await house.administrator(), await house.administrator("副店长"), await house.member("小明")
    await admin.preset("start", seconds=60)
    order = (await ming.post_json("/order/", {"text": "蓝莓八盒半"})).json
    watching, member = await other.socket(), await ming.socket()
    before = (await admin.get("/api/windows/1/")).json["orders"][0]
    assert before["reading"] is None
    answer = await admin.post_json("/orders/1/readings", {"no": 1, "lines": [LINE], "changed_ms": before["changed_ms"]})
    assert (answer.status, answer.json) == (200, {"no": 1, "reading": KEPT})
    frame = await watching.expect("reading")
    assert frame == {"type": "reading", "window_id": 1, "no": 1, "reading": KEPT}
    assert (await other.get("/api/windows/1/")).json["orders"][0]["reading"] == KEPT
    # Members get neither the field nor the frame.
    assert "reading" not in (await ming.get("/api/windows/1/")).json["orders"][0]
    await ming.say("后面的消息")
    await member.expect("message")
    assert "reading" not in {frame["type"] for frame in member.frames}
    none = await admin.post_json("/orders/1/readings", {"no": 1, "lines": [], "none": True})
    assert none.json == {"no": 1, "reading": []}
    assert (await watching.expect("reading", reading=[]))["no"] == 1
    # A change of the order by its member deletes the reading.
    await ming.post_json(f"/order/{order['id']}/", {"text": "蓝莓九盒"})
    assert (await admin.get("/api/windows/1/")).json["orders"][0]["reading"] is None


async def test_nobody_else_confirms(house: House) -> None:
    admin, ming, guest = await house.administrator(), await house.member("小明"), await house.guest()
    await admin.preset("start", seconds=60)
    await ming.post_json("/order/", {"text": "蓝莓八盒"})
    body = {"no": 1, "lines": [LINE]}
    assert (await ming.post_json("/orders/1/readings", body)).code == "forbidden"
    assert (await guest.post_json("/orders/1/readings", body)).code == "login_required"
    assert (await admin.post("/orders/1/readings", {"no": "1"})).status in (400, 415)
    assert (await admin.post_json("/orders/1/readings", {"no": 2, "lines": [LINE]})).code == "not_found"
    assert (await admin.post_json("/orders/9/readings", body)).code == "not_found"
    assert (await admin.get("/api/windows/1/")).json["orders"][0]["reading"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"no": 1},
        {"no": "one", "lines": [LINE]},
        {"no": 0, "lines": [LINE]},
        {"no": True, "lines": [LINE]},
        {"no": 10**19, "lines": [LINE]},
        {"no": 1, "lines": []},  # an empty reading is sent with `none`
        {"no": 1, "lines": [LINE], "none": True},
        {"no": 1, "lines": [], "none": 1},
        {"no": 1, "lines": {}},
        {"no": 1, "lines": ["蓝莓"]},
        {"no": 1, "lines": [LINE] * 21},
        {"no": 1, "lines": [{**LINE, "name": ""}]},
        {"no": 1, "lines": [{**LINE, "name": " \n"}]},
        {"no": 1, "lines": [{**LINE, "name": "x" * 41}]},
        {"no": 1, "lines": [{**LINE, "name": "\ud800"}]},
        {"no": 1, "lines": [{**LINE, "name": None}]},
        {"no": 1, "lines": [{**LINE, "unit": "x" * 9}]},
        {"no": 1, "lines": [{**LINE, "unit": 5}]},
        {"no": 1, "lines": [{**LINE, "quantity": "0"}]},
        {"no": 1, "lines": [{**LINE, "quantity": "1.234"}]},
        {"no": 1, "lines": [{**LINE, "quantity": "1000000"}]},
        {"no": 1, "lines": [{**LINE, "quantity": "-1"}]},
        {"no": 1, "lines": [{**LINE, "quantity": "八"}]},
        {"no": 1, "lines": [{**LINE, "quantity": 8}]},
        {"no": 1, "lines": [LINE], "changed_ms": "now"},
    ],
)
def test_a_wrong_reading_is_refused(fields: dict[str, Any]) -> None:
    with refuses(ErrorCode.BAD_REQUEST) as refused:
        readings.read(fields)
    assert refused.details["field"] in ("no", "lines", "none", "changed_ms")


def test_a_reading_is_kept_on_one_line_without_zeros() -> None:
    line = {"name": "  蓝\n 莓 ", "quantity": "2.50"}
    assert json.loads(reading(lines=[line]).lines) == [{"name": "蓝 莓", "quantity": "2.5", "unit": ""}]
    assert len(json.loads(reading(lines=[{**LINE, "name": str(n)} for n in range(20)]).lines)) == 20


async def test_an_order_that_has_changed_since_is_not_confirmed(stage: Stage, wang: User, ming: User) -> None:
    window_id, order_id = await placed(stage, wang, ming)
    seen_ms = stage.clock.now_ms()
    stage.clock.forward(1)
    await stage.room.change_order.change(ming, order_id, [], "蓝莓九盒")
    with refuses(ErrorCode.GONE) as refused:
        await stage.room.readings.confirm(wang, window_id, reading(changed_ms=seen_ms))
    assert refused.details == {"reason": "order_changed"}
    await stage.room.readings.confirm(wang, window_id, reading(changed_ms=seen_ms + 1000))
    await stage.room.recall.recall(ming, order_id)
    with refuses(ErrorCode.GONE):
        await stage.room.readings.confirm(wang, window_id, reading())


async def test_an_order_of_items_has_no_reading(stage: Stage, wang: User, ming: User) -> None:
    offered = offer.read({"items": [{"name": "蓝莓"}], "seconds": 60})
    window = (await stage.room.windows.start(wang, offered=offered)).window
    await stage.room.place_order.place(ming, [{"item": 1, "quantity": "2"}], "软一点")
    with refuses(ErrorCode.BAD_REQUEST):
        await stage.room.readings.confirm(wang, window.id, reading())


async def test_a_reading_is_no_part_of_the_proof(stage: Stage, wang: User, ming: User) -> None:
    window_id, _ = await placed(stage, wang, ming)
    digest = (await stage.room.windows.stop(wang)).window.digest
    await stage.room.readings.confirm(wang, window_id, reading())
    [(head,)] = await stage.sql("SELECT head FROM windows")
    assert head.hex() == digest


async def erased_within_10_s(stage: Stage) -> None:
    """The text of the reading is gone from the database, and a VACUUM is due within 10 s."""
    assert await stage.sql("SELECT count(*) FROM order_readings") == [(0,)]
    assert any(event.is_urgent for event in stage.told(ContentErased))
    await stage.database.vacuum()
    assert WORD.encode() not in stage.files()


async def test_a_withdrawal_erases_the_reading(stage: Stage, wang: User, ming: User) -> None:
    window_id, order_id = await placed(stage, wang, ming)
    await stage.room.readings.confirm(wang, window_id, reading())
    assert WORD.encode() in stage.files()
    stage.told()
    await stage.room.recall.recall(ming, order_id)
    await erased_within_10_s(stage)


async def test_a_change_of_the_text_erases_the_reading(stage: Stage, wang: User, ming: User) -> None:
    window_id, order_id = await placed(stage, wang, ming)
    await stage.room.readings.confirm(wang, window_id, reading())
    stage.told()
    await stage.room.change_order.change(ming, order_id, [], "老样子")
    await erased_within_10_s(stage)


async def test_a_reading_that_is_replaced_is_erased(stage: Stage, wang: User, ming: User) -> None:
    window_id, _ = await placed(stage, wang, ming)
    await stage.room.readings.confirm(wang, window_id, reading())
    assert not stage.told(ContentErased)
    await stage.room.readings.confirm(wang, window_id, reading(lines=[], none=True))
    assert stage.told(ContentErased)
    await stage.database.vacuum()
    assert WORD.encode() not in stage.files()


@pytest.mark.settings(ledger_days=0.01, history_hours=100.0)
async def test_readings_are_erased_with_the_ledger(stage: Stage) -> None:
    wang, ming = await stage.join("老王", Role.ADMINISTRATOR), await stage.join("小明")
    window_id, _ = await placed(stage, wang, ming)
    await stage.room.readings.confirm(wang, window_id, reading())
    await stage.room.windows.stop(wang)
    stage.told()
    stage.clock.forward(864)
    await stage.room.ledger_expiry.expire()
    await erased_within_10_s(stage)


async def test_an_export_holds_the_readings(stage: Stage, wang: User, ming: User) -> None:
    window_id, order_id = await placed(stage, wang, ming)
    await stage.room.readings.confirm(wang, window_id, reading())
    rows = await stage.run(lambda tx: [*export_rows.objects(tx, ZoneInfo("UTC"))])
    [row] = [row for row in rows if row["type"] == "reading"]
    assert row["message_id"] == order_id and json.loads(row["lines"]) == KEPT


@pytest.mark.parametrize("change", ["UPDATE order_readings SET lines = '[]'", "DELETE FROM order_readings", ""])
async def test_a_reading_that_is_gone_leaves_the_copy_of_an_upgrade_too(
    stage: Stage, wang: User, ming: User, tmp_path: Path, change: str
) -> None:
    window_id, _ = await placed(stage, wang, ming)
    await stage.room.readings.confirm(wang, window_id, reading())
    await stage.database.vacuum()
    other = tmp_path / "other"
    other.mkdir()
    copy = await Database.open(Path(shutil.copy(stage.database.path, other)))
    try:
        if change:
            await stage.sql(change)
        erase = await stage.run(erased_orders)
        assert await copy.run(erase) == (1 if change else 0)
        assert await copy.run(lambda tx: tx.one("SELECT count(*) FROM order_readings")) == (0 if change else 1,)
    finally:
        await copy.close()
