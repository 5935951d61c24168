"""The administrator's presets: ordering windows, the countdown, the preset picture."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.client import HTML, House, opened, picture, real_time
from tests.support import START_MS


def said(message: dict[str, Any]) -> tuple[str, str, str]:
    return message["kind"], message["preset"], message["text"]


@pytest.mark.parametrize("command", ["start", "开始下单"])
async def test_start_opens_a_window_for_everyone(house: House, command: str) -> None:
    admin, guest = await house.administrator(), await house.guest()
    socket = await guest.socket()
    assert socket.hello["window"] is None
    answer = await admin.preset(command)
    assert answer.status in (200, 201)
    window = await socket.expect("window")
    assert {name: window[name] for name in ("state", "opened_ms", "closes_ms", "now_ms", "by")} == {
        "state": "open", "opened_ms": START_MS, "closes_ms": START_MS + 100_000, "now_ms": START_MS, "by": "店长",
    }  # fmt: skip
    message = (await socket.expect("message"))["message"]
    assert said(message) == ("preset", "start", "开始下单")
    assert (await guest.messages())[-1] == message


async def test_a_late_comer_sees_the_same_window_by_the_servers_clock(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    await admin.preset("start", seconds=60)
    house.clock.forward(20)
    window = (await guest.socket()).hello["window"]
    assert set(window) >= {"id", "state", "opened_ms", "closes_ms", "now_ms", "by"}
    assert (window["closes_ms"] - window["now_ms"], window["opened_ms"]) == (40_000, START_MS)


async def test_start_again_moves_the_end_from_now(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    socket = await guest.socket()
    await admin.preset("start", seconds=60)
    first = await socket.expect("window")
    house.clock.forward(50)
    await admin.preset("start", seconds=30)
    second = await socket.expect("window")
    assert second["id"] == first["id"] and second["opened_ms"] == first["opened_ms"]
    assert second["closes_ms"] == START_MS + 80_000
    assert len(await guest.messages()) == 2


@pytest.mark.parametrize("command", ["stop", "停止下单"])
async def test_stop_closes_the_window(house: House, command: str) -> None:
    admin, guest = await house.administrator(), await house.guest()
    socket = await guest.socket()
    await admin.preset("start")
    house.clock.forward(10)
    assert (await admin.preset(command)).status in (200, 201)
    closed = await socket.expect("window", state="closed")
    assert closed["closes_ms"] == START_MS + 10_000
    assert said((await guest.messages())[-1]) == ("preset", "stop", "停止下单")
    assert (await guest.socket()).hello["window"] is None


async def test_stop_without_a_window_is_refused(house: House) -> None:
    admin = await house.administrator()
    for _ in range(2):
        answer = await admin.preset("stop")
        assert (answer.status, answer.code) == (409, "window_closed")
        await admin.preset("start")
        await admin.preset("stop")


@pytest.mark.parametrize("command", ["countdown", "倒计时图"])
async def test_the_countdown_is_that_of_the_open_window(house: House, command: str) -> None:
    admin, guest = await house.administrator(), await house.guest()
    socket = await guest.socket()
    await admin.preset("start", seconds=60)
    house.clock.forward(10)
    assert (await admin.preset(command)).status in (200, 201)
    message = (await guest.messages())[-1]
    assert said(message) == ("preset", "countdown", "倒计时图")
    assert message["closes_ms"] == START_MS + 60_000
    await socket.expect("message", seq=message["seq"])
    assert len(socket.heard("window")) == 1


async def test_a_countdown_without_a_window_is_refused_and_says_nothing(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    refused = await admin.preset("countdown")
    assert (refused.status, refused.code) == (409, "window_closed")
    assert await guest.messages() == []
    assert (await guest.socket()).hello["window"] is None


@pytest.mark.parametrize("seconds", [1, 86_400])
async def test_a_window_may_last_from_a_second_to_a_day(house: House, seconds: int) -> None:
    admin = await house.administrator()
    await admin.preset("start", seconds=seconds)
    assert (await admin.socket()).hello["window"]["closes_ms"] == START_MS + seconds * 1000


@pytest.mark.parametrize("seconds", [0, -1, 86_401, 1.5, "60", True, [60], 10**30])
async def test_another_number_of_seconds_is_refused(house: House, seconds: object) -> None:
    admin = await house.administrator()
    answer = await admin.preset("start", seconds=seconds)
    assert (answer.status, answer.code) == (400, "bad_request")
    assert await admin.messages() == []


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"title": "字" * 61}, {"field": "title", "reason": "long", "limit": 60}),
        ({"note": "字" * 501}, {"field": "note", "reason": "long", "limit": 500}),
        ({"items": [{"name": str(n)} for n in range(51)]}, {"field": "items", "reason": "items", "limit": 50}),
        ({"items": [{"name": "a"}, {"unit": "盒"}]}, {"row": 2, "part": "name", "reason": "item_name"}),
        ({"items": [{"name": "a"}, {"name": "b"}, {"name": " a "}]}, {"row": 3, "part": "name", "reason": "same_name"}),
        ({"items": [{"name": "a", "unit": "字" * 9}]}, {"row": 1, "part": "unit", "reason": "long", "limit": 8}),
        ({"items": [{"name": "a", "price": "1.234"}]}, {"row": 1, "part": "price", "reason": "price"}),
        ({"items": [{"name": "a", "stock": "0"}]}, {"row": 1, "part": "stock", "reason": "amount"}),
        ({"items": [{"name": "a", "limit": "-1"}]}, {"row": 1, "part": "limit", "reason": "amount"}),
        ({"items": [{"name": "a", "limit": 1}]}, {"row": 1, "part": "limit", "reason": "amount"}),
        ({"items": [{"name": "\ud800"}]}, {"row": 1, "part": "name", "reason": "characters"}),
    ],
)
async def test_a_refused_offer_says_where_it_is_wrong(
    house: House, fields: dict[str, Any], details: dict[str, Any]
) -> None:
    answer = await (await house.administrator()).preset("start", **fields)
    assert (answer.status, answer.code) == (400, "bad_request")
    error = answer.json["error"]
    assert error | details == error
    assert "…" not in error["message"]


@pytest.mark.parametrize("command", ["", "pause", "START", None, 1, {"start": 1}])
async def test_another_command_is_refused(house: House, command: Any) -> None:
    answer = await (await house.administrator()).preset(command)
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_a_preset_may_be_a_plain_form(house: House) -> None:
    admin = await house.administrator()
    answer = await admin.post("/send_preset/", {"command": "start", "seconds": "60"}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert (await admin.socket()).hello["window"]["closes_ms"] == START_MS + 60_000


@pytest.mark.settings(window_seconds=7)
async def test_a_window_that_the_operator_set_the_length_of(house: House) -> None:
    admin = await house.administrator()
    await admin.preset("start")
    assert (await admin.socket()).hello["window"]["closes_ms"] == START_MS + 7_000


async def test_of_two_administrators_who_start_at_once_both_share_one_window(house: House) -> None:
    first, second = await house.administrator("店长"), await house.administrator("掌柜")
    await asyncio.gather(first.token(), second.token())
    answers = await asyncio.gather(first.preset("start"), second.preset("start"))
    assert [answer.status in (200, 201) for answer in answers] == [True, True]
    stops = await asyncio.gather(first.preset("stop"), second.preset("stop"))
    assert sorted(answer.status >= 400 for answer in stops) == [False, True]


async def test_the_server_closes_the_window_by_itself(tmp_path: Path) -> None:
    async with opened(tmp_path, real_time()) as house:
        admin, guest = await house.administrator(), await house.guest()
        socket = await guest.socket()
        await admin.preset("start", seconds=1)
        await admin.session.close()  # the administrator's tab is closed
        closed = await socket.expect("window", state="closed")
        assert closed["now_ms"] >= closed["closes_ms"]
        stop = (await guest.messages())[-1]
        assert said(stop) == ("preset", "stop", "停止下单")
        assert stop["created_ms"] >= closed["closes_ms"]
        assert (await guest.socket()).hello["window"] is None


# The preset picture


async def test_there_is_no_preset_picture_at_first(house: House) -> None:
    answer = await (await house.administrator()).post("/send_preset_image/")
    assert (answer.status, answer.code) == (404, "not_found")


async def test_a_file_becomes_the_preset_picture_and_is_posted(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    answer = await admin.post("/send_preset_image/", files={"image": picture(200, 100)})
    assert answer.status in (200, 201)
    message = answer.json
    assert (message["kind"], message["width"], message["height"]) == ("preset", 200, 100)
    assert await guest.messages() == [message]
    assert (await guest.get(message["image"])).status == (await guest.get(message["thumb"])).status == 200


async def test_the_preset_picture_is_posted_again_without_a_file_and_outlives_a_recall(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    first = (await admin.post("/send_preset_image/", files={"image": picture()})).json
    second = (await admin.post("/send_preset_image/")).json
    assert first["image"] != second["image"]
    await admin.recall(first["id"])
    assert (await guest.get(first["image"])).status == 410
    assert (await guest.get(second["image"])).status == 200
    third = await admin.post("/send_preset_image/", headers=HTML)
    assert (third.status, third.headers["Location"]) == (303, "/")


async def test_a_refused_preset_picture_leaves_the_old_one(house: House) -> None:
    admin = await house.administrator()
    await admin.post("/send_preset_image/", files={"image": picture(50, 40)})
    answer = await admin.post("/send_preset_image/", files={"image": b"not one"})
    assert (answer.status, answer.code) == (415, "image_unsupported")
    assert (await admin.post("/send_preset_image/")).json["width"] == 50
    assert len(await admin.messages()) == 2


# The field that tells the page which window a preset is about


async def test_the_presets_of_a_window_name_it_and_say_whether_someone_ended_it(house: House) -> None:
    admin = await house.administrator()
    await admin.preset("start", seconds=60)
    await admin.preset("countdown")
    await admin.preset("stop")
    await admin.preset("start", seconds=60)
    first, shown, stop, second = await admin.messages()
    assert first["window_id"] == shown["window_id"] == stop["window_id"] != second["window_id"]
    assert stop["created_ms"] < stop["closes_ms"] == first["closes_ms"]
    house.clock.forward(60)
    await house.server.room.windows.close_due()
    end = (await admin.messages())[-1]
    assert (end["preset"], end["window_id"]) == ("stop", second["window_id"])
    assert end["created_ms"] >= end["closes_ms"] == second["closes_ms"]


async def test_a_message_that_is_about_no_window_names_none(house: House) -> None:
    ming = await house.member("小明")
    assert (await ming.say("你好"))["window_id"] is None


async def test_a_start_that_may_not_move_an_open_window_is_refused_with_what_is_open(house: House) -> None:
    first, second = await house.administrator(), await house.administrator("店员")
    await first.preset("start", seconds=60)
    house.clock.forward(32)
    answer = await second.preset("start", seconds=100, may_move=False)
    assert (answer.status, answer.code) == (409, "window_open")
    window = answer.json["error"]["window"]
    assert (window["by"], window["closes_ms"] - window["now_ms"]) == ("店长", 28_000)
    assert len(await first.messages()) == 1
    assert (await second.preset("start", seconds=100, may_move=True)).status == 201
    await first.preset("stop")
    assert (await second.preset("start", may_move=False)).status == 201
    assert (await second.preset("start", may_move="yes")).code == "bad_request"


async def test_a_form_may_order_all_fifty_items_of_a_window(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    items = [{"name": f"水果 {number}"} for number in range(50)]
    window = (await admin.preset("start", seconds=60, items=items)).json["window"]
    fields = {f"item-{item['id']}": "1" for item in window["items"]}
    answer = await ming.post("/order/", {**fields, "client_id": "c-1", "window_id": str(window["id"])})
    assert answer.status == 201, answer.body
    assert len(answer.json["order"]["lines"]) == 50


async def test_the_last_window_is_told_for_twelve_hours_if_it_has_orders(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    await admin.preset("start", title="没有人要", seconds=60)
    await admin.preset("stop")
    assert (await ming.socket()).hello["last_window"] is None
    await admin.preset("start", title="周五水果", items=[{"name": "蓝莓"}], seconds=60)
    await ming.post_json("/order/", {"lines": [{"item": 1, "quantity": "2"}], "text": "", "client_id": "c1"})
    assert (await ming.socket()).hello["last_window"] is None
    await admin.preset("stop")
    last = (await ming.socket()).hello["last_window"]
    assert (last["id"], last["title"], last["orders"], last["members"]) == (2, "周五水果", 1, 1)
    house.clock.forward(12 * 3600)
    assert (await ming.socket()).hello["last_window"] == last
    house.clock.forward(1)
    assert (await ming.socket()).hello["last_window"] is None
