"""The notice: who may publish it, who gets it, and that the old notice is erased."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Role, User
from chatserver.db import upgrade_copy, vacuum
from chatserver.features.accounts.moderate import Act
from chatserver.features.announcements.notice import TEXT_MAX, Notice, NoticeChanged, erased_notice
from tests.client import HTML, House, opened
from tests.features.messages.test_plain_history import plain
from tests.stage import Stage, refuses
from tests.support import FakeClock

TEXT = "周五下午三点取货\n请带好袋子"


async def test_an_administrator_pins_replaces_and_takes_down_for_everybody(stage: Stage, wang: User) -> None:
    assert stage.room.notice.hello_fields() == {"notice": None}
    first = await stage.room.notice.put(wang, f"  {TEXT}\r\n")
    assert first == NoticeChanged(TEXT, wang.id, "老王", stage.clock.now_ms())
    assert stage.told() == [first]
    assert stage.room.notice.hello_fields() == {"notice": first.as_json()}
    stage.clock.forward(1)
    second = await stage.room.notice.put(wang, "改到四点")
    assert stage.told() == [ContentErased(), second]
    assert second.changed_ms == first.changed_ms + 1000
    down = await stage.room.notice.put(wang, " \n")
    assert stage.told() == [ContentErased(), down]
    assert down.as_json() == {"text": "", "by": "老王", "changed_ms": stage.clock.now_ms()}
    assert stage.room.notice.hello_fields() == {"notice": None}
    assert await stage.sql("SELECT count(*) FROM notice") == [(0,)]


async def test_nobody_else_does(stage: Stage, ming: User, wang: User) -> None:
    for actor in (ming, User(ming.id, "老王", Role.ADMINISTRATOR)):
        with refuses(ErrorCode.FORBIDDEN):
            await stage.room.notice.put(actor, "x")
    await stage.sql("UPDATE users SET muted_until_ms = ? WHERE id = ?", stage.clock.now_ms() + 1, wang.id)
    with refuses(ErrorCode.MUTED):
        await stage.room.notice.put(wang, "x")
    await stage.sql("UPDATE users SET banned = 1")
    with refuses(ErrorCode.BANNED):
        await stage.room.notice.put(wang, "x")
    assert stage.told() == []


async def test_it_has_at_most_500_characters_that_can_be_stored(stage: Stage, wang: User) -> None:
    with refuses(ErrorCode.TOO_LONG) as refused:
        await stage.room.notice.put(wang, "长" * (TEXT_MAX + 1))
    assert refused.details == {"limit": 500, "length": 501}
    for text in ("\ud800", "a\0b"):
        with refuses(ErrorCode.BAD_REQUEST):
            await stage.room.notice.put(wang, text)
    assert len((await stage.room.notice.put(wang, "长" * TEXT_MAX)).text) == 500


async def test_it_is_known_after_a_restart(stage: Stage, wang: User) -> None:
    put = await stage.room.notice.put(wang, TEXT)
    restarted = Notice(stage.database, stage.clock)
    await restarted.load()
    assert restarted.hello_fields() == {"notice": put.as_json()}


async def test_a_name_that_is_taken_away_leaves_it_too(stage: Stage, wang: User) -> None:
    other = await stage.join("难听的名字", Role.ADMINISTRATOR)
    await stage.room.notice.put(other, TEXT)
    member = await stage.room.members.act(wang, other.id, Act.TAKE_NAME)
    assert stage.room.notice.hello_fields()["notice"]["by"] == member.user.name != "难听的名字"


async def test_what_was_replaced_is_in_no_file_and_in_no_copy_of_an_upgrade(stage: Stage, wang: User) -> None:
    await stage.room.notice.put(wang, "旧的悄悄话")
    await stage.room.notice.put(wang, "仍在的话")
    await stage.database.vacuum()
    assert "旧的悄悄话".encode() not in stage.files()
    copy = await stage.database.between_batches(lambda raw: upgrade_copy.copy(raw, stage.database.path, 12))
    await vacuum.vacuum(stage.database, erased_notice)
    assert "仍在的话".encode() in copy.read_bytes()
    await stage.room.notice.put(wang, "")
    await vacuum.vacuum(stage.database, erased_notice)
    assert "仍在的话".encode() not in stage.files()


async def test_readers_hear_of_it_at_once_and_those_who_come_later_in_hello(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    reader = await guest.socket()
    assert reader.hello["notice"] is None
    answer = await admin.post("/notice/", {"text": TEXT})
    told = {"text": TEXT, "by": "店长", "changed_ms": house.clock.now_ms()}
    assert (answer.status, answer.json) == (200, told)
    assert await reader.expect("notice") == {"type": "notice", **told}
    assert (await guest.socket()).hello["notice"] == told
    answer = await admin.post_json("/notice/", {"text": ""})
    assert (answer.status, answer.json["text"]) == (200, "")
    assert (await reader.expect("notice"))["text"] == ""
    assert (await guest.socket()).hello["notice"] is None
    answer = await admin.post("/notice/", {"text": "x"}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_the_page_carries_it_and_shows_it_without_scripts(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    assert "pinned" not in await plain(guest)
    await admin.post("/notice/", {"text": "<b>取货</b>\n</noscript>"})
    html = await plain(guest)
    assert "&lt;b&gt;取货&lt;/b&gt;\n&lt;/noscript&gt;" in html and "<bdi>店长</bdi> <time>11-22 14:36</time>" in html
    page = (await guest.page("/")).text
    data = re.search(r'id="page-data">(.*?)</script>', page, re.DOTALL)
    assert data and json.loads(data[1])["notice"]["text"] == "<b>取货</b>\n</noscript>"
    await admin.post("/notice/", {"text": ""})
    assert "取货" not in (await guest.page("/")).text


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_restart_keeps_it_or_keeps_it_down(tmp_path: Path, is_kept: bool) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as house:
        admin = await house.administrator()
        await admin.post("/notice/", {"text": TEXT})
        if not is_kept:
            await admin.post("/notice/", {"text": ""})
    async with opened(tmp_path, clock) as house:
        hello = (await (await house.guest()).socket()).hello
        assert (hello["notice"] and hello["notice"]["text"]) == (TEXT if is_kept else None)


async def test_a_form_puts_it_up_and_takes_it_down_without_scripts(house: House) -> None:
    admin = await house.administrator()
    assert (await admin.get("/notice/")).json == {"notice": None}
    empty = (await admin.page("/notice/")).text
    assert ">取下<" not in empty and 'href="/notice/"' in await plain(admin)
    put = await admin.post("/notice/", {"text": "<b>取货</b>"}, headers=HTML)
    assert (put.status, put.headers["Location"]) == (303, "/")
    page = (await admin.page("/notice/")).text
    assert ">&lt;b&gt;取货&lt;/b&gt;</textarea>" in page and "<bdi>店长</bdi> 2026-11-22 14:36" in page
    assert '<button class="button" type="submit" name="text" value="">取下</button>' in page
    assert (await admin.get("/notice/")).json["notice"]["text"] == "<b>取货</b>"
    await admin.post("/notice/", {"text": ""}, headers=HTML)
    assert (await admin.get("/notice/")).json == {"notice": None}


async def test_a_refused_form_keeps_what_was_typed(house: House) -> None:
    admin = await house.administrator()
    answer = await admin.post("/notice/", {"text": "长" * (TEXT_MAX + 1)}, headers=HTML)
    assert answer.status == 400 and "长" * (TEXT_MAX + 1) in answer.text and 'aria-invalid="true"' in answer.text
    assert (await admin.get("/notice/")).json == {"notice": None}
