"""Planned windows over HTTP and the socket: JSON, forms, the page without scripts, and which readers get the frames."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from tests.client import HTML, JSON, House, opened
from tests.features.planning.test_planned import AT_18, DAILY, DAY, MINUTE
from tests.support import FakeClock

PATH = "/orders/plans/"
ITEM = {"name": "蓝莓", "unit": "盒", "price": "25.00"}


async def settle_at(house: House, now_ms: int) -> None:
    """Run the timer's work now. If the server's own timer was first, nothing is left to do."""
    house.clock.set_wall(now_ms)
    await house.server.room.planned.settle()


async def test_an_administrator_makes_changes_skips_and_removes_as_json(house: House) -> None:
    admin = await house.administrator()
    made = await admin.post_json(PATH, {"act": "make", **DAILY, "items": [ITEM]})
    assert made.status == 201
    plan = made.json["plan"]
    assert (plan["id"], plan["opens_ms"], plan["by"], plan["items"][0]["price"]) == (1, AT_18, "店长", "25.00")
    assert (await admin.get(PATH)).json == {"plans": [plan], "zone": "Asia/Shanghai"}
    changed = await admin.post_json(PATH, {"act": "change", "id": 1, "at": "19:00"})
    assert (changed.status, changed.json["plan"]["opens_ms"]) == (200, AT_18 + 60 * MINUTE)
    skip = {"act": "skip", "id": 1, "opens_ms": AT_18 + 60 * MINUTE}
    for _ in range(2):
        assert (await admin.post_json(PATH, skip)).json["plan"]["opens_ms"] == AT_18 + 60 * MINUTE + DAY
    removed = await admin.post_json(PATH, {"act": "remove", "id": 1})
    assert (removed.status, removed.json["plan"]["id"]) == (200, 1)
    assert (await admin.get(PATH)).json["plans"] == []


async def test_the_same_as_a_form_with_json_texts(house: House) -> None:
    admin = await house.administrator()
    form = {
        "act": "make", "repeat": "weekly", "weekdays": "[5, 1]", "at": "20:00", "title": "水果",
        "items": '[{"name": "蓝莓"}]', "seconds": "90",
    }  # fmt: skip
    made = await admin.post(PATH, form)
    assert made.status == 201
    plan = made.json["plan"]
    assert (plan["weekdays"], plan["seconds"], plan["items"][0]["name"]) == ([1, 5], 90, "蓝莓")
    changed = await admin.post(PATH, {"act": "change", "id": "1", "minutes": "2.5"})
    assert (changed.json["plan"]["seconds"], changed.json["plan"]["title"]) == (150, "水果")
    changed = await admin.post(PATH, {"act": "change", "id": "1", "minutes": "", "title": ""})
    assert (changed.json["plan"]["seconds"], changed.json["plan"]["title"]) == (None, "")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"act": "open", "id": "1"}, "act"),
    ({}, "act"),
    ({"act": "change"}, "id"),
    ({"act": "remove", "id": "x"}, "id"),
    ({"act": "make", "repeat": "daily"}, "at"),
    ({"act": "make", "repeat": "daily", "at": "18:00", "items": "{"}, "items"),
    ({"act": "make", "repeat": "weekly", "at": "18:00"}, "weekdays"),
    ({"act": "make", "repeat": "weekly", "at": "18:00", "weekdays": "[" * 5000}, "weekdays"),
    ({"act": "make", "repeat": "once", "at": "18:00", "date": ""}, "date"),
    ({"act": "make", "repeat": "daily", "at": "18:00", "minutes": "a while"}, "seconds"),
    ({"act": "make", "repeat": "daily", "at": "18:00", "minutes": "0"}, "seconds"),
    ({"act": "make", "repeat": "daily", "at": "18:00", "minutes": "1441"}, "seconds"),
    ({"act": "make", "repeat": "daily", "at": "18:00", "from": "nowhere"}, "from"),
    ({"act": "make", "repeat": "daily", "at": "18:00", "from": f"template-{'9' * 30}"}, "template"),
]


@pytest.mark.parametrize(("form", "field"), WRONG)
async def test_a_form_that_is_none_is_refused_at_its_field(house: House, form: dict[str, str], field: str) -> None:
    admin = await house.administrator()
    answer = await admin.post(PATH, form)
    assert (answer.status, answer.code, answer.json["error"]["field"]) == (400, "bad_request", field)


@pytest.mark.parametrize("act", ["change", "remove", "skip"])
async def test_there_is_no_such_plan(house: House, act: str) -> None:
    admin = await house.administrator()
    assert (await admin.post_json(PATH, {"act": act, "id": 7, "at": "18:00"})).code == "not_found"


async def test_only_administrators_see_and_make_plans(house: House) -> None:
    ming, guest = await house.member("小明"), await house.guest()
    for visitor, code in ((ming, "forbidden"), (guest, "login_required")):
        assert (await visitor.get(PATH)).code == code
        assert (await visitor.post_json(PATH, {"act": "make", **DAILY})).code == code
    assert "/orders/plans/" not in (await ming.page("/orders/")).text


async def test_readers_hear_what_is_next_and_then_the_window(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    reader = await guest.socket()
    assert reader.hello["planned"] is None
    await admin.post_json(PATH, {"act": "make", **DAILY})
    told = {"title": "晚市", "opens_ms": AT_18, "by": "店长", "zone": "Asia/Shanghai"}
    assert await reader.expect("planned") == {"type": "planned", "planned": told}
    assert (await guest.socket()).hello["planned"] == told
    await admin.post_json(PATH, {"act": "change", "id": 1, "note": "带袋子"})  # readers get the same
    await settle_at(house, AT_18)
    window = await reader.expect("window")
    assert (window["state"], window["title"], window["by"], window["planned"]) == ("open", "晚市", "店长", True)
    message = (await reader.expect("message"))["message"]
    assert (message["preset"], message["user"], message["planned"]) == ("start", "店长", True)
    assert (await reader.expect("planned"))["planned"]["opens_ms"] == AT_18 + DAY
    assert len(reader.heard("planned")) == 2
    for page in ("/orders/", "/orders/1/"):
        assert "由店长计划，自动开始" in (await guest.page(page)).text
    kept = (await guest.get("/api/windows/")).json["windows"]
    assert [(window["title"], window["planned"]) for window in kept] == [("晚市", True)]


async def test_a_template_that_changes_or_goes_is_told_to_readers(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    await admin.post_json("/orders/templates/", {"act": "make", "title": "水果", "items": [ITEM]})
    await admin.post_json(PATH, {"act": "make", "repeat": "daily", "at": "18:00", "template": 1})
    reader = await guest.socket()
    assert reader.hello["planned"]["title"] == "水果"
    await admin.post_json("/orders/templates/", {"act": "change", "id": 1, "title": "蔬菜"})
    assert (await reader.expect("planned"))["planned"]["title"] == "蔬菜"
    await admin.post_json("/orders/templates/", {"act": "remove", "id": 1})
    assert (await reader.expect("planned", planned=None))["planned"] is None
    [plan] = (await admin.get(PATH)).json["plans"]
    assert (plan["blocked"], plan["title"], plan["items"]) == ("template", "", [])


async def test_a_maker_who_is_demoted_is_told_of_at_once(house: House) -> None:
    admin, other = await house.administrator(), await house.administrator("阿丽")
    await other.post_json(PATH, {"act": "make", **DAILY})
    reader = await (await house.guest()).socket()
    members = (await admin.get("/members/")).json["members"]
    [ali] = [member["id"] for member in members if member["name"] == "阿丽"]
    await admin.post_json(f"/members/{ali}/", {"act": "demote"})
    assert (await reader.expect("planned"))["planned"] is None
    await admin.post_json(f"/members/{ali}/", {"act": "promote"})
    assert (await reader.expect("planned", planned={
        "title": "晚市", "opens_ms": AT_18, "by": "阿丽", "zone": "Asia/Shanghai"
    }))["planned"]["by"] == "阿丽"  # fmt: skip


async def test_a_restart_and_an_export_keep_the_plans(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as house:
        admin = await house.administrator()
        await admin.post_json(PATH, {"act": "make", **DAILY, "items": [ITEM]})
        before = (await admin.get(PATH)).json
    async with opened(tmp_path, clock) as house:
        admin = await house.guest()
        await admin.log_in("店长")
        assert (await admin.get(PATH)).json == before
        assert (await admin.socket()).hello["planned"]["opens_ms"] == AT_18


async def test_the_servers_own_timer_opens_what_fell_due_while_it_was_down(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as house:
        admin = await house.administrator()
        await admin.post_json(PATH, {"act": "make", **DAILY, "seconds": 3600})
    clock.set_wall(AT_18 + 5 * MINUTE)
    async with opened(tmp_path, clock) as house:
        reader = await (await house.guest()).socket()
        window = reader.hello["window"] or await reader.expect("window")
        assert (window["title"], window["opened_ms"]) == ("晚市", clock.now_ms())


# The page, without scripts


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_page_lists_plans_and_makes_them_by_its_form(house: House, language: str) -> None:
    admin = await house.administrator()
    page = await admin.page(f"{PATH}?lang={language}")
    assert {"zh": "还没有计划", "en": "Nothing is planned"}[language] in page.text
    form = {
        "act": "make", "repeat": "weekly", "weekday-1": "1", "weekday-5": "1", "at": "20:00", "date": "", "from": "",
        "title": "周五<水果>", "note": "", "minutes": "30",
    }  # fmt: skip
    answer = await admin.post(PATH, form, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/orders/plans/?done=make")
    page = await admin.page("/orders/plans/?done=make")
    words = {
        "zh": ["计划已保存", "每周一、周五 20:00", "下次 周一 2026-11-23 20:00", "由店长计划"],
        "en": ["Plan saved", "Mon, Fri at 20:00", "Next Mon 2026-11-23 20:00", "Planned by 店长"],
    }
    assert [word for word in [*words[language], "周五&lt;水果&gt;"] if word not in page.text] == []


async def test_the_form_of_a_plan_has_its_values_and_changes_it(house: House) -> None:
    admin = await house.administrator()
    await admin.post_json(PATH, {"act": "make", **DAILY, "items": [ITEM], "seconds": 90, "note": "带袋子"})
    page = (await admin.page(f"{PATH}?change=1")).text
    assert (
        "蓝莓,盒,25.00\n</textarea>" in page and 'value="18:00"' in page and 'value="1.5"' in page and "带袋子" in page
    )
    assert re.search(r'value="daily" checked', page)
    form = {
        "act": "change", "id": "1", "repeat": "once", "date": "2026-11-25", "at": "09:30", "from": "",
        "item_lines": "蓝莓,盒,25.00\r\n", "title": "早市", "note": "", "minutes": "1.5",
    }  # fmt: skip
    answer = await admin.post(PATH, form, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/orders/plans/?done=change")
    [plan] = (await admin.get(PATH)).json["plans"]
    assert (plan["repeat"], plan["date"], plan["title"], plan["note"]) == ("once", "2026-11-25", "早市", "")
    assert (plan["items"][0]["name"], plan["seconds"]) == ("蓝莓", 90)
    await admin.post(PATH, {**form, "item_lines": ""}, headers=HTML)
    assert (await admin.get(PATH)).json["plans"][0]["items"] == []


async def test_a_template_and_a_window_of_before_are_offered(house: House) -> None:
    admin = await house.administrator()
    await admin.post_json("/orders/templates/", {"act": "make", "title": "蔬菜", "items": [{"name": "青菜"}]})
    await admin.preset("start", title="水果", items=[ITEM], seconds=300)
    await admin.preset("stop")
    await admin.preset("start")  # without items, a window offers nothing to plan again
    page = (await admin.page(PATH)).text
    assert 'value="template-1"' in page and 'value="window-1"' in page and 'value="window-2"' not in page
    form = {"act": "make", "repeat": "daily", "at": "18:00", "title": "", "note": "", "minutes": ""}
    for begin in ("template-1", "window-1"):
        assert (await admin.post(PATH, {**form, "from": begin}, headers=HTML)).status == 303
    first, second = (await admin.get(PATH)).json["plans"]
    assert (first["template"], first["title"], first["items"][0]["name"]) == (1, "蔬菜", "青菜")
    assert (second["template"], second["title"], second["items"][0]["name"]) == (None, "水果", "蓝莓")
    assert 'value="template-1" selected' in (await admin.page(f"{PATH}?change=1")).text


async def test_a_form_that_is_refused_comes_again_with_what_was_typed(house: House) -> None:
    admin = await house.administrator()
    form = {
        "act": "make",
        "repeat": "weekly",
        "at": "20:00",
        "title": "周五",
        "note": "袋子",
        "minutes": "x",
        "from": "",
    }
    answer = await admin.post(PATH, {**form, "weekday-3": "1"}, headers=HTML)
    assert answer.status == 400
    assert (
        "时长请填 1 秒到 24 小时" in answer.text and 'value="周五"' in answer.text and "袋子</textarea>" in answer.text
    )
    assert re.search(r'value="weekly" checked', answer.text) and 'name="weekday-3" value="1" checked' in answer.text
    assert re.search(r'id="field-minutes"[^>]*aria-invalid="true"', answer.text)
    answer = await admin.post(PATH, {**form, "minutes": ""}, headers=HTML)
    assert "请至少选一个星期几" in answer.text
    answer = await admin.post(PATH, {"act": "remove", "id": "9"}, headers=HTML)
    assert answer.status == 404 and 'value="make"' in answer.text


async def test_items_are_typed_one_a_line(house: House) -> None:
    admin = await house.administrator()
    typed = '蓝莓，盒, 25，40,5\r\n\r\n  沃柑 \r\n"苹果, 大",箱,,3'
    form = {"act": "make", "repeat": "daily", "at": "18:00", "title": "晚市", "note": "", "minutes": "", "from": ""}
    assert (await admin.post(PATH, {**form, "item_lines": typed}, headers=HTML)).status == 303
    [plan] = (await admin.get(PATH)).json["plans"]
    assert [tuple(item[part] for part in ("name", "unit", "price", "stock", "limit")) for item in plan["items"]] == [
        ("蓝莓", "盒", "25.00", "40", "5"),
        ("沃柑", "", None, None, None),
        ("苹果, 大", "箱", None, "3", None),
    ]
    page = (await admin.page(f"{PATH}?change=1")).text
    shown = re.search(r'name="item_lines"[^>]*>([^<]*)</textarea>', page)
    assert shown
    again = {**form, "act": "change", "id": "1", "item_lines": html.unescape(shown[1])}
    assert (await admin.post(PATH, again, headers=HTML)).status == 303
    assert (await admin.get(PATH)).json["plans"][0]["items"] == plan["items"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("蓝莓\n\n，盒", "第 3 行：请填品名"),
        ("蓝莓,盒,二十", "第 1 行：单价请填数字"),
        ("蓝莓\n沃柑\n蓝莓", "第 3 行：前面已经有这个品名"),
        ("蓝莓,盒,1,2,3,4", "第 1 行：一行最多五项"),
        ('蓝莓\n"', "第 2 行：请填品名"),
        ("\n".join(f"第{number}种" for number in range(51)), "最多 50 个品种"),
    ],
)
async def test_a_wrong_line_is_named_and_comes_again(house: House, typed: str, says: str) -> None:
    admin = await house.administrator()
    form = {"act": "make", "repeat": "daily", "at": "18:00", "minutes": "", "from": "", "item_lines": typed}
    answer = await admin.post(PATH, form, headers=HTML)
    assert answer.status == 400 and says in answer.text
    assert f"{html.escape(typed, quote=False).replace(chr(34), '&#34;')}</textarea>" in answer.text
    assert re.search(r'id="field-item_lines"[^>]*aria-invalid="true"', answer.text)
    assert (await admin.get(PATH)).json["plans"] == []


async def test_a_template_takes_no_typed_items_besides(house: House) -> None:
    admin = await house.administrator()
    await admin.post_json("/orders/templates/", {"act": "make", "title": "蔬菜", "items": [{"name": "青菜"}]})
    form = {"act": "make", "repeat": "daily", "at": "18:00", "minutes": "", "from": "template-1", "item_lines": "蓝莓"}
    answer = await admin.post(PATH, form, headers=HTML)
    assert answer.status == 400 and "模板或以前的下单已有品种" in answer.text
    assert (await admin.post(PATH, {**form, "item_lines": " \r\n"}, headers=HTML)).status == 303


async def test_buttons_beside_a_plan_skip_and_remove_it(house: House) -> None:
    admin = await house.administrator()
    await admin.post_json(PATH, {"act": "make", **DAILY})
    answer = await admin.post(PATH, {"act": "skip", "id": "1", "opens_ms": str(AT_18)}, headers=HTML)
    assert answer.headers["Location"] == "/orders/plans/?done=skip"
    page = (await admin.page("/orders/plans/?done=skip")).text
    assert "下次 周一 2026-11-23 18:00" in page and "上次 2026-11-22 18:00：已跳过" in page
    answer = await admin.post(PATH, {"act": "remove", "id": "1"}, headers=HTML)
    assert answer.headers["Location"] == "/orders/plans/?done=remove"
    assert "还没有计划" in (await admin.page(PATH)).text


async def test_the_page_says_why_a_plan_will_not_open_and_did_not(house: House) -> None:
    admin, other = await house.administrator(), await house.administrator("阿丽")
    await other.post_json(PATH, {"act": "make", **DAILY})
    await other.post_json(PATH, {"act": "make", **DAILY, "repeat": "once", "date": "2026-11-22"})
    await house.server.room.database.run(lambda tx: tx.execute("UPDATE users SET role = 'member' WHERE name = '阿丽'"))
    page = (await admin.page(PATH)).text
    assert page.count("到时不会开始：计划的人不再是管理员") == 2
    await settle_at(house, AT_18)
    page = (await admin.page(PATH)).text
    assert page.count("上次 2026-11-22 18:00：计划的人不再是管理员") == 2 and page.count("不再开始") == 1
    assert "11-22 18:00 的下单没有开始（计划 2）：计划的人不再是管理员" in (await admin.page("/audit/")).text


async def test_a_plan_that_waits_says_so(house: House) -> None:
    admin = await house.administrator()
    await admin.post_json(PATH, {"act": "make", **DAILY})
    await admin.preset("start", seconds=86_400)
    await settle_at(house, AT_18 + 1000)
    assert "等现在的下单结束" in (await admin.page(PATH)).text


@pytest.mark.parametrize(("language", "words"), [
    ("zh", "下次下单 2026-11-22 18:00（Asia/Shanghai 时间）晚&lt;市"),
    ("en", "Next ordering 2026-11-22 18:00 (Asia/Shanghai time) 晚&lt;市"),
])  # fmt: skip
async def test_the_list_of_windows_tells_all_readers_what_is_next(house: House, language: str, words: str) -> None:
    admin, guest = await house.administrator(), await house.guest()
    assert words not in (await guest.page(f"/orders/?lang={language}")).text
    await admin.post_json(PATH, {"act": "make", **DAILY, "title": "晚<市"})
    assert words in (await guest.page(f"/orders/?lang={language}")).text
    assert 'href="/orders/plans/"' in (await admin.page("/orders/")).text
    assert (await guest.get("/orders/", headers=JSON)).json == {"windows": []}
