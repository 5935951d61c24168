"""The settings page, for administrators, programs and connected readers."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatserver.core.config import LIMITS, ROOM_SETTINGS, SETTINGS
from tests.client import HTML, JSON, PASSWORD, Answer, Browser, House, opened


def rows(answer: Answer) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in answer.json["settings"]}


def before(page: str) -> str:
    """The hidden field with the form's values at the time it was made."""
    found = re.search(r'name="before" value="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


async def whole_form(browser: Browser) -> dict[str, str]:
    """The fields that a browser sends if nothing was changed."""
    was = before((await browser.page("/settings/")).text)
    return {**json.loads(was), "before": was}


async def test_every_setting_of_the_room_is_on_the_page_and_no_other(house: House) -> None:
    page = (await (await house.administrator()).page("/settings/")).text
    shown = re.findall(r'<(?:input|select) id="field-\w+" name="(\w+)"', page)
    assert sorted(shown) == sorted(ROOM_SETTINGS)
    assert {setting.name for setting in SETTINGS if setting.unit} <= ROOM_SETTINGS.keys()


async def test_the_page_shows_the_settings_group_by_group(house: House) -> None:
    page = (await (await house.administrator()).page("/settings/")).text
    assert re.findall(r'h2 id="part-(\w+)"|<label for="field-(\w+)"', page) == [
        *[("room", ""), ("", "room_name"), ("", "language")],
        *[("members", ""), ("", "registration"), ("", "guests"), ("", "registrations_per_hour")],
        *[("messages", ""), ("", "send_interval"), ("", "recall_seconds"), ("", "edit_seconds")],
        *[("", "text_max"), ("", "window_seconds")],
        *[("history", ""), ("", "history_hours"), ("", "history_limit"), ("", "ledger_days")],
        *[("pictures", ""), ("", "image_max_kb"), ("", "upload_max_mb")],
        *[("push", ""), ("", "push")],
    ]


async def test_hello_and_the_room_page_have_the_limits(house: House) -> None:
    guest = await house.guest()
    limits = (await guest.socket()).hello["limits"]
    assert list(limits.items()) == [
        ("send_interval_ms", 0),
        ("recall_ms", 30_000),
        ("edit_ms", 300_000),
        ("text_max", 2000),
        ("upload_max_bytes", 20 * 1024 * 1024),
        ("image_max_bytes", 200 * 1024),
        ("history_limit", 100),
        ("history_ms", 24 * 3_600_000),
        ("window_seconds", 100),
    ]
    assert tuple(limits) == LIMITS
    found = re.search(r'"limits":({[^}]+})', (await guest.page("/")).text)
    assert found and json.loads(found[1]) == limits


async def test_it_is_for_administrators(house: House) -> None:
    guest, member = await house.guest(), await house.member("小明")
    answer = await guest.page("/settings/")
    assert (answer.status, answer.headers["Location"]) == (303, "/login/?next=/settings/")
    assert (await guest.get("/settings/")).code == "login_required"
    assert (await member.get("/settings/")).code == "forbidden"
    assert (await member.post("/settings/", {"text_max": 5})).code == "forbidden"
    assert "/settings/" not in (await member.page("/")).text
    assert 'href="/settings/"' in (await (await house.administrator()).page("/")).text


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_page_shows_every_setting_in_both_languages(house: House, language: str) -> None:
    page = (await (await house.administrator()).page(f"/settings/?lang={language}")).text
    assert f'<html lang="{language}"' in page
    for name in ROOM_SETTINGS:
        assert f'name="{name}"' in page


async def test_a_program_gets_and_gives_json(house: House) -> None:
    admin = await house.administrator()
    row = rows(await admin.get("/settings/"))["text_max"]
    assert (row["value"], row["source"], row["default"]) == (2000, "default", 2000)
    answer = await admin.post("/settings/", {"text_max": "500", "guests": "none"})
    assert answer.status == 200
    row = rows(answer)["text_max"]
    assert (row["value"], row["source"], row["default"]) == (500, "room", 2000)
    assert row["operator"] == {"value": 2000, "source": "default"}
    assert (row["changed_by"], row["changed_ms"]) == ("店长", house.clock.now_ms())
    assert rows(await admin.get("/settings/")) == rows(answer)


async def test_json_may_be_sent_too(house: House) -> None:
    admin = await house.administrator()
    answer = await admin.post_json("/settings/", {"text_max": 500, "room_name": "小店"})
    assert (rows(answer)["text_max"]["value"], rows(answer)["room_name"]["value"]) == (500, "小店")
    assert rows(await admin.post_json("/settings/", {"text_max": None}))["text_max"]["source"] == "default"
    for wrong in ({"text_max": True}, {"text_max": [5]}, {"text_max": {}}):
        refused = await admin.post_json("/settings/", wrong)
        assert (refused.status, refused.json["error"]["field"]) == (400, "text_max")


async def test_a_browser_comes_back_to_the_page_with_a_notice(house: House) -> None:
    admin = await house.administrator()
    form = await whole_form(admin)
    answer = await admin.post("/settings/", {**form, "text_max": "500"}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/settings/?done=saved")
    page = (await admin.page("/settings/?done=saved")).text
    assert 'role="status"' in page and "店长 修改于 2026-11-22 14:36" in page
    assert 'name="reset" value="text_max"' in page and 'name="reset" value="room_name"' not in page
    answer = await admin.post("/settings/", {"reset": "text_max"}, headers=HTML)
    assert answer.headers["Location"] == "/settings/?done=reset"
    assert "店长 恢复于" in (await admin.page("/settings/")).text
    answer = await admin.post("/settings/", await whole_form(admin), headers=HTML)
    assert answer.headers["Location"] == "/settings/?done=same"
    assert 'role="status"' not in (await admin.page("/settings/?done=whatever")).text


async def test_an_untouched_field_takes_nothing_back_that_another_administrator_said(house: House) -> None:
    one, other = await house.administrator("店长"), await house.administrator("副店长")
    stale = await whole_form(one)
    await other.post("/settings/", {"recall_seconds": "60"})
    assert (await one.post("/settings/", {**stale, "text_max": "500"}, headers=HTML)).status == 303
    now = rows(await one.get("/settings/"))
    assert (now["recall_seconds"]["value"], now["recall_seconds"]["changed_by"]) == (60, "副店长")
    assert now["text_max"]["changed_by"] == "店长"


async def test_a_wrong_value_is_shown_beside_its_field_and_nothing_is_saved(house: House) -> None:
    admin = await house.administrator()
    form = await whole_form(admin)
    answer = await admin.post("/settings/", {**form, "text_max": "ma<ny", "recall_seconds": "60"}, headers=HTML)
    assert answer.status == 400
    assert "消息长度：请填写 1 到 10000 之间的整数" in answer.text
    assert 'value="ma&lt;ny"' in answer.text and answer.text.count('aria-invalid="true"') == 1
    refused = await admin.post("/settings/", {"text_max": "many"})
    assert (refused.status, refused.code, refused.json["error"]["field"]) == (400, "bad_request", "text_max")
    assert rows(await admin.get("/settings/"))["recall_seconds"]["source"] == "default"


@pytest.mark.parametrize(
    "fields", [{"port": "80"}, {"no_such": "1"}, {"reset": "port"}, {"before": "["}, {"before": "[]"}]
)
async def test_what_is_no_setting_of_the_room_is_refused(house: House, fields: dict[str, str]) -> None:
    admin = await house.administrator()
    for headers in (JSON, HTML):
        answer = await admin.post("/settings/", fields, headers=headers)
        assert answer.status == 400


async def test_everyone_connected_hears_of_it_and_newcomers_see_it(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    socket = await guest.socket()
    await admin.post("/settings/", {"room_name": "莉莉的小店", "send_interval": "1.5"})
    told = await socket.expect("limits")
    assert told["room_name"] == "莉莉的小店"
    assert told["limits"] == {**socket.hello["limits"], "send_interval_ms": 1500}
    assert (await guest.socket()).hello["limits"] == told["limits"]
    for reader in (guest, admin):
        assert "<title>莉莉的小店" in (await reader.page("/")).text
    assert "莉莉的小店" in (await guest.page("/login/")).text


async def test_a_smaller_history_is_gone_from_every_page_at_once(house: House) -> None:
    admin = await house.administrator()
    socket = await admin.socket()
    for n in range(5):
        await admin.say(f"message {n}")
    await admin.post("/settings/", {"history_limit": "2"})
    assert (await socket.expect("expire"))["first_id"] == 4
    assert [message["id"] for message in await admin.messages()] == [4, 5]
    assert socket.types().index("limits") < socket.types().index("expire")


async def test_guests_who_may_no_longer_read_are_shut_out_and_members_stay(house: House) -> None:
    admin, guest, member = await house.administrator(), await house.guest(), await house.member("小明")
    watching, staying = await guest.socket(), await member.socket()
    await admin.post("/settings/", {"guests": "none"})
    assert await watching.closed() == 4401
    assert (await guest.get("/api/recent_messages/")).code == "login_required"
    assert (await staying.say("still here"))["type"] == "ack"


async def test_registration_follows_it_at_once(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    await admin.post("/settings/", {"registration": "closed"})
    assert (await guest.register("小明")).code == "registration_closed"
    await admin.post("/settings/", {"registration": "invite"})
    assert 'name="invite"' in (await guest.page("/register/")).text
    assert (await guest.register("小明")).code == "invite_invalid"
    invite = await house.server.room.invites.create(1, 1)
    assert f'value="{invite.code}"' in (await guest.page(f"/register/?invite={invite.code}")).text
    assert (await guest.register("小明", invite=invite.code)).status == 201
    assert (await (await house.guest()).register("小红", invite=invite.code)).code == "invite_invalid"


async def test_it_is_still_so_after_a_restart_whatever_the_operator_says(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        await (await house.administrator()).post("/settings/", {"text_max": "5"})
    async with opened(tmp_path, text_max=900) as house:
        admin = await house.guest()
        await admin.log_in("店长")
        row = rows(await admin.get("/settings/"))["text_max"]
        assert (row["value"], row["source"], row["operator"]["value"]) == (5, "room", 900)
        assert (await admin.post("/post/", {"text": "六个字在这里"})).code == "too_long"


async def test_the_setup_page_asks_for_the_room_and_its_answers_are_kept(house: House) -> None:
    guest = await house.guest()
    page = (await guest.page(f"/setup/?token={house.server.setup_token}")).text
    for name in ("room_name", "language", "registration", "guests"):
        assert f'name="{name}"' in page
    assert 'value="聊天室"' in page
    fields = {
        "token": house.server.setup_token, "username": "莉莉", "password": PASSWORD,
        "room_name": "莉莉的小店", "language": "en", "registration": "invite", "guests": "none",
    }  # fmt: skip
    wrong = await guest.post("/setup/", {**fields, "room_name": "x" * 41}, headers=HTML)
    assert wrong.status == 400 and "聊天室名称：" in wrong.text and 'value="莉莉"' in wrong.text
    assert (await guest.post("/setup/", fields)).status == 201
    now = rows(await guest.get("/settings/"))
    assert {name: now[name]["value"] for name in fields if name in now} == {
        name: fields[name] for name in fields if name in now
    }
    assert now["room_name"]["changed_by"] == "莉莉"
    assert (await (await house.guest()).get("/")).code == "login_required"
