"""Editing a text: who may, until when, what readers get, and that the old text is erased."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import AddedFields, Role, User
from chatserver.features.messages.edit import EDITS_AT_ONCE, EditCode, MessageEdited
from chatserver.features.messages.search import Query
from tests.client import HTML, House
from tests.stage import PICTURE, Stage, refuses
from tests.support import make_config

# The rule: who and when


async def test_the_author_edits_within_the_time(stage: Stage, ming: User) -> None:
    message = await stage.said(ming, "两合")
    stage.clock.forward(299.999)
    edited = await stage.room.edit.edit(ming, message.id, "  两盒\r\n谢谢 ")
    assert edited == message._replace(text="两盒\n谢谢", seq=message.seq + 1, added=AddedFields(stage.clock.now_ms()))
    assert (await stage.room.history.newest(1)).messages == (edited,)


@pytest.mark.parametrize("late", [0, 0.001, 3600])
async def test_after_the_time_it_is_refused_for_everybody(stage: Stage, ming: User, wang: User, late: float) -> None:
    own, administrators = await stage.said(ming), await stage.said(wang)
    stage.clock.forward(300 + late)
    for actor, message in ((ming, own), (wang, administrators)):
        with refuses(EditCode.EXPIRED):
            await stage.room.edit.edit(actor, message.id, "x")
    assert [message.text for message in (await stage.room.history.newest(2)).messages] == ["你好", "你好"]


async def test_a_time_of_0_allows_no_edit_and_a_changed_setting_holds_for_old_messages(
    stage: Stage, ming: User
) -> None:
    message = await stage.said(ming)
    stage.set(edit_seconds=0.0)
    with refuses(EditCode.EXPIRED):
        await stage.room.edit.edit(ming, message.id, "x")
    stage.clock.forward(1000)
    stage.set(edit_seconds=3600.0)
    assert (await stage.room.edit.edit(ming, message.id, "x")).text == "x"


async def test_nobody_edits_anothers_message_not_even_an_administrator(stage: Stage, ming: User, wang: User) -> None:
    message = await stage.said(ming)
    for actor in (wang, User(wang.id, "小明", Role.MEMBER)):
        with refuses(ErrorCode.NOT_YOURS):
            await stage.room.edit.edit(actor, message.id, "x")


async def test_the_muted_the_banned_and_the_unknown_edit_nothing(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    await stage.sql("UPDATE users SET muted_until_ms = ?", stage.clock.now_ms() + 1)
    with refuses(ErrorCode.MUTED):
        await stage.room.edit.edit(ming, message.id, "x")
    await stage.sql("UPDATE users SET banned = 1")
    with refuses(ErrorCode.BANNED):
        await stage.room.edit.edit(ming, message.id, "x")
    with refuses(ErrorCode.LOGIN_REQUIRED):
        await stage.room.edit.edit(User(99, "谁", Role.MEMBER), message.id, "x")


async def test_what_is_recalled_deleted_or_expired_is_gone_and_what_never_was_is_not_found(
    stage: Stage, ming: User
) -> None:
    expired, recalled, deleted = [await stage.said(ming) for _ in range(3)]
    await stage.room.recall.recall(ming, recalled.id)
    await stage.room.delete.delete(ming, deleted.id)
    stage.set(history_limit=1)
    await stage.run(stage.room.trim)
    for message in (expired, recalled, deleted):
        with refuses(ErrorCode.GONE):
            await stage.room.edit.edit(ming, message.id, "x")
    for never in (0, -1, 99):
        with refuses(ErrorCode.NOT_FOUND):
            await stage.room.edit.edit(ming, never, "x")


async def test_the_text_keeps_the_rules_of_a_post(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    for text, code in (("", ErrorCode.EMPTY), (" \n", ErrorCode.EMPTY), ("\ud800", ErrorCode.BAD_REQUEST)):
        with refuses(code):
            await stage.room.edit.edit(ming, message.id, text)
    with refuses(ErrorCode.TOO_LONG) as refused:
        await stage.room.edit.edit(ming, message.id, "长" * 2001)
    assert refused.details == {"limit": 2000, "length": 2001}
    assert (await stage.room.edit.edit(ming, message.id, "长" * 2000)).added.edited_ms == stage.clock.now_ms()


async def test_pictures_presets_and_orders_are_never_edited(stage: Stage, ming: User, wang: User) -> None:
    picture = await stage.said(ming, "看", picture=PICTURE)
    started = (await stage.room.windows.start(wang)).message
    order = (await stage.room.place_order.place(wang, [], "两盒", "c1")).message
    for actor, message in ((ming, picture), (wang, started), (wang, order)):
        with refuses(ErrorCode.BAD_REQUEST):
            await stage.room.edit.edit(actor, message.id, "x")


async def test_an_edit_neither_waits_for_the_send_interval_nor_begins_it(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    await stage.room.edit.edit(ming, message.id, "x")
    with refuses(ErrorCode.TOO_FAST):
        await stage.say(ming)
    stage.clock.forward(2)
    await stage.room.edit.edit(ming, message.id, "y")
    await stage.say(ming)


async def test_a_member_edits_five_times_at_once_and_then_once_a_second(stage: Stage, ming: User, wang: User) -> None:
    first, second = await stage.said(ming), await stage.said(ming)
    for number in range(EDITS_AT_ONCE):
        await stage.room.edit.edit(ming, (first, second)[number % 2].id, f"{number}")
    with refuses(ErrorCode.TOO_FAST) as refused:
        await stage.room.edit.edit(ming, first.id, "zu schnell")
    assert 0 < refused.details["retry_after_ms"] <= 1001
    assert "zu schnell" not in [message.text for message in (await stage.room.history.newest(2)).messages]
    other = await stage.said(wang)
    await stage.room.edit.edit(wang, other.id, "another member")
    stage.clock.forward(1.01)
    await stage.room.edit.edit(ming, first.id, "nun aber")


async def test_refused_edits_use_nothing_up(stage: Stage, ming: User, wang: User) -> None:
    own, others = await stage.said(ming), await stage.said(wang)
    for _ in range(EDITS_AT_ONCE + 1):
        with refuses(ErrorCode.NOT_YOURS):
            await stage.room.edit.edit(ming, others.id, "x")
    await stage.room.edit.edit(ming, own.id, "x")


# What readers get, and what is erased


async def test_the_room_is_told_first_and_then_the_old_words_go(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    stage.told()
    edited = await stage.room.edit.edit(ming, message.id, "新的")
    told, erased = stage.told()
    assert (type(told), told.message) == (MessageEdited, edited)
    assert erased == ContentErased()


async def test_the_old_words_are_in_no_file_after_a_vacuum_and_search_finds_the_new_ones(
    stage: Stage, ming: User
) -> None:
    message = await stage.said(ming, "旧的悄悄话")
    await stage.room.edit.edit(ming, message.id, "新的大实话")
    await stage.database.vacuum()
    assert "旧的悄悄话".encode() not in stage.files()
    assert "新的大实话".encode() in stage.files()
    assert (await stage.room.search.search(Query(("悄悄",)), 99, 9)).messages == ()
    assert [found.text for found in (await stage.room.search.search(Query(("实话",)), 99, 9)).messages] == [
        "新的大实话"
    ]


async def test_a_recalled_message_does_not_tell_that_it_was_edited(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    await stage.room.edit.edit(ming, message.id, "x")
    assert (await stage.room.recall.recall(ming, message.id)).added.edited_ms is None


async def test_an_edit_moves_no_message_and_wakes_no_expiry(stage: Stage, ming: User) -> None:
    first, second = await stage.said(ming, "一"), await stage.said(ming, "二")
    expiry = await stage.room.expiry.next_expiry()
    edited = await stage.room.edit.edit(ming, first.id, "壹")
    assert [message.id for message in (await stage.room.history.newest(9)).messages] == [first.id, second.id]
    assert (edited.created_ms, edited.recall_until_ms) == (first.created_ms, first.recall_until_ms)
    assert await stage.room.expiry.next_expiry() == expiry


# Over HTTP and the socket


async def test_a_form_and_json_answer_the_message_and_a_browser_goes_to_the_room(house: House) -> None:
    ming = await house.member("小明")
    said = await ming.say("两合")
    assert said["edited_ms"] is None
    answer = await ming.post(f"/edit_message/{said['id']}/", {"text": "两盒"})
    now = {"seq": said["seq"] + 1, "text": "两盒", "edited_ms": house.clock.now_ms()}
    assert (answer.status, answer.json) == (200, {**said, **now})
    answer = await ming.post_json(f"/edit_message/{said['id']}/", {"text": "三盒"})
    assert (answer.status, answer.json["text"]) == (200, "三盒")
    answer = await ming.post(f"/edit_message/{said['id']}/", {"text": "四盒"}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert [message["text"] for message in await ming.messages()] == ["四盒"]
    for value in (5, ["x"], {}):
        assert (await ming.post_json(f"/edit_message/{said['id']}/", {"text": value})).code == "bad_request"
    house.clock.forward(300)
    answer = await ming.post(f"/edit_message/{said['id']}/", {"text": "五盒"})
    assert (answer.status, answer.code) == (403, "edit_expired")


async def test_a_frame_is_answered_by_the_broadcast_or_by_a_refusal(house: House) -> None:
    ming, hong, guest = await house.member("小明"), await house.member("小红"), await house.guest()
    said = await ming.say("两合")
    reader, own, others = await guest.socket(), await ming.socket(), await hong.socket()
    await own.send("edit", id=said["id"], text="两盒")
    for socket in (reader, own, others):
        frame = await socket.expect("message")
        assert frame == {"type": "message", "seq": said["seq"] + 1, "message": frame["message"]}
        assert (frame["message"]["text"], frame["message"]["edited_ms"]) == ("两盒", house.clock.now_ms())
    await others.send("edit", id=said["id"], text="一盒")
    refused = await others.expect("refused", id=said["id"])
    assert refused["code"] == "not_yours"
    for fields in ({"id": said["id"]}, {"id": said["id"], "text": 5}, {"id": "1", "text": "x"}, {"text": "x"}):
        await own.send("edit", **fields)
        assert (await own.expect("refused"))["code"] in ("empty", "bad_request")
    await reader.send("edit", id=said["id"], text="x")
    assert (await reader.expect("refused"))["code"] == "login_required"


async def test_who_was_away_gets_the_edited_message_in_its_place_among_the_changes(house: House) -> None:
    ming, hong = await house.member("小明"), await house.member("小红")
    said = await ming.say("旧的")
    left = (await hong.socket()).hello
    later = await ming.say("然后")
    edited = (await ming.post(f"/edit_message/{said['id']}/", {"text": "新的"})).json
    sync = await (await hong.socket(after=left["seq"], epoch=left["epoch"])).expect("sync")
    assert sync["complete"] and sync["messages"] == [later, edited]
    assert "旧的" not in json.dumps(await hong.messages(), ensure_ascii=False)


async def test_an_edit_of_a_message_that_is_not_in_memory_any_more_is_resumed_whole(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.features.messages.recent.ROWS_MAX", 2)
    ming = await house.member("小明")
    said = [await ming.say(f"{number}") for number in range(4)]
    left = (await ming.socket()).hello
    await ming.post(f"/edit_message/{said[0]['id']}/", {"text": "新的"})
    sync = await (await ming.socket(after=left["seq"], epoch=left["epoch"])).expect("sync")
    assert not sync["complete"]
    assert [message["text"] for message in await ming.messages()] == ["新的", "1", "2", "3"]


@pytest.mark.settings(edit_seconds=1.5)
async def test_limits_tell_the_page_how_long(house: House) -> None:
    assert (await (await house.guest()).socket()).hello["limits"]["edit_ms"] == 1500


def test_the_time_is_five_minutes_by_default(tmp_path: Path) -> None:
    assert make_config(tmp_path).edit_ms == 300_000


async def test_the_same_client_id_is_still_stored_once_after_an_edit(house: House) -> None:
    ming = await house.member("小明")
    socket = await ming.socket()
    first = await socket.say("旧的", "c-1")
    await socket.send("edit", id=first["id"], text="新的")
    await socket.expect("message", seq=first["seq"] + 1)
    again = await socket.say("旧的", "c-1")
    assert again == first
    assert [message["text"] for message in await ming.messages()] == ["新的"]
