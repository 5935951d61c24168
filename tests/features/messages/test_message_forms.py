"""Posting, recalling and deleting by forms and JSON, and the fields of a message."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.client import HTML, JSON, House, files_under, opened, picture, real_time
from tests.support import START_MS, eventually

FIELDS = {
    "id": int,
    "seq": int,
    "state": str,
    "kind": str,
    "user": str,
    "user_id": int,
    "role": str,
    "avatar": str,
    "text": str,
    "image": str,
    "thumb": str,
    "width": int,
    "height": int,
    "timestamp": str,
    "created_ms": int,
    "recall_until_ms": int,
    "client_id": str,
}


# The fields


async def test_a_text_in_its_one_shape(house: House) -> None:
    browser = await house.member("小明")
    user_id = (await browser.log_in("小明")).json["user"]["id"]
    message = await browser.say("你好 <b>", client_id="c-1")
    assert {name: type(message[name]) for name in FIELDS} == FIELDS
    assert {name: message[name] for name in [*FIELDS, "reply_to"]} == {
        "id": 1, "seq": 1, "state": "live", "kind": "text", "user": "小明", "user_id": user_id, "role": "member",
        "avatar": "", "text": "你好 <b>", "image": "", "thumb": "", "width": 0, "height": 0,
        "timestamp": "2026-11-22 14:36:00", "created_ms": START_MS, "recall_until_ms": START_MS + 30_000,
        "reply_to": None, "client_id": "c-1",
    }  # fmt: skip


async def test_a_picture_in_its_one_shape(house: House) -> None:
    browser = await house.member("小明")
    message = await browser.show(picture(800, 600), text="look")
    assert (message["kind"], message["text"]) == ("image", "look")
    assert (message["width"], message["height"]) == (800, 600)
    assert message["image"].startswith("/media/images/") and message["thumb"].endswith(".thumb.webp")


async def test_every_reader_and_every_way_of_reading_gets_the_same_message(house: House) -> None:
    admin = await house.administrator()
    posted = await admin.say("hello", client_id="mine")
    member, guest = await house.member("小明"), await house.guest()
    for reader in (admin, member, guest):
        assert await reader.messages() == [posted]
        assert (await reader.get("/api/recent_messages_apiint/1")).json["messages"] == [posted]
        assert (await reader.get("/api/messages/")).json["messages"] == [posted]
        assert (await reader.get("/api/messages/?q=hello")).json["messages"] == [posted]
        socket = await reader.socket(after=0, epoch=(await reader.get("/api/messages/")).json["epoch"])
        assert (await socket.expect("sync"))["messages"] == [posted]


@pytest.mark.settings(timezone="America/New_York")
async def test_timestamps_are_in_the_rooms_time_zone(house: House) -> None:
    message = await (await house.member("小明")).say("hello")
    assert (message["timestamp"], message["created_ms"]) == ("2026-11-22 01:36:00", START_MS)


async def test_an_administrators_role_stands_on_their_messages(house: House) -> None:
    assert (await (await house.administrator()).say("hello"))["role"] == "administrator"


# Posting


async def test_a_form_without_json_goes_back_to_the_room(house: House) -> None:
    browser = await house.member("小明")
    for headers in (HTML, {}, {"Accept": "*/*"}):
        answer = await browser.post("/post/", {"text": "hello"}, headers=headers)
        assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert len(await browser.messages()) == 3


async def test_ids_grow_and_every_change_takes_the_next_seq(house: House) -> None:
    browser = await house.member("小明")
    first, second = await browser.say("one"), await browser.say("two")
    recalled = (await browser.recall(first["id"])).json
    third = await browser.say("three")
    assert [message["id"] for message in (first, second, third)] == [1, 2, 3]
    assert [message["seq"] for message in (first, second, recalled, third)] == [1, 2, 3, 4]
    assert [(m["id"], m["seq"]) for m in await browser.messages()] == [(1, 3), (2, 2), (3, 4)]


async def test_two_members_at_once_see_one_order(house: House) -> None:
    xiaoming, xiaohong = await house.member("小明"), await house.member("小红")
    await asyncio.gather(*(who.say(f"{n}") for n in range(20) for who in (xiaoming, xiaohong)))
    seen = await xiaoming.messages()
    assert seen == await xiaohong.messages()
    assert [message["seq"] for message in seen] == list(range(1, 41))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  hello \n", "hello"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x07b\tc", "ab\tc"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("{{7*7}}", "{{7*7}}"),
    ],
)
async def test_a_text_is_kept_as_it_was_meant(house: House, typed: str, stored: str) -> None:
    assert (await (await house.member("小明")).say(typed))["text"] == stored


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": ""}, "empty"),
        ({"text": " \n\t "}, "empty"),
        ({}, "empty"),
        ({"text": "字" * 2001}, "too_long"),
        ({"text": "nul\0"}, "bad_request"),
        ({"text": "hello", "client_id": "c" * 65}, "bad_request"),
        ({"text": "hello", "reply_to": "first"}, "bad_request"),
        ({"text": "hello", "reply_to": "-1"}, "bad_request"),
        ({"text": "hello", "reply_to": "9" * 30}, "bad_request"),
        ({str(n): "x" for n in range(80)}, "bad_request"),
    ],
)
async def test_what_is_no_message_is_refused(house: House, fields: dict[str, str], code: str) -> None:
    browser = await house.member("小明")
    for files in (None, {}):
        answer = await browser.post("/post/", fields, files)
        assert (answer.status, answer.code) == (400, code)
    assert await browser.messages() == []


async def test_the_longest_message_is_stored_whole(house: House) -> None:
    text = "字" * 2000
    assert (await (await house.member("小明")).say(text, client_id="c" * 64))["text"] == text


async def test_a_form_that_is_too_large_is_refused(house: House) -> None:
    browser = await house.member("小明")
    answer = await browser.post("/post/", {"text": "x" * 500_000})
    assert answer.status == 413
    assert (await browser.say("still here"))["id"] == 1


@pytest.mark.parametrize("body", [b"text=%ff%fe", b"\xff\xfe", b"a&" * 100])
async def test_a_form_that_is_no_text_is_refused(house: House, body: bytes) -> None:
    browser = await house.member("小明")
    headers = {**JSON, "X-CSRFToken": await browser.token(), "Content-Type": "application/x-www-form-urlencoded"}
    answer = await browser.request("POST", "/post/", data=body, headers=headers)
    assert (answer.status, answer.json["error"]["code"]) in [(400, "bad_request"), (400, "empty")]


@pytest.mark.parametrize(
    ("boundary", "body"),
    [
        ("x", b""),
        ("x", b"no boundary in here"),
        ("x", b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\ncut o'),
        ("x", b"--x\r\nnonsense\r\n\r\nhello\r\n--x--\r\n"),
        (
            "x",
            b"--x\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--\r\n",
        ),
        ("x", b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n"),
        ("", b"----\r\n"),
        ("y" * 200, b"hello"),
    ],
)
async def test_a_broken_multipart_body_is_refused_and_leaves_nothing(house: House, boundary: str, body: bytes) -> None:
    browser = await house.member("小明")
    headers = {
        **JSON,
        "X-CSRFToken": await browser.token(),
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    answer = await browser.request("POST", "/post/", data=body, headers=headers)
    assert answer.status == 400, answer.body
    assert await browser.messages() == []
    assert [path for path in (house.data_dir / "media").rglob("*") if path.is_file()] == []


async def test_a_reply_names_an_original_that_was(house: House) -> None:
    browser = await house.member("小明")
    first = await browser.say("first")
    assert (await browser.say("second", reply_to=first["id"]))["reply_to"] == first["id"]
    answer = await browser.post("/post/", {"text": "third", "reply_to": 99})
    assert (answer.status, answer.code) == (404, "not_found")
    await browser.recall(first["id"])
    assert (await browser.say("fourth", reply_to=first["id"]))["reply_to"] == first["id"]


# The same message again


async def test_a_client_id_is_stored_once_whatever_comes_with_it_later(house: House) -> None:
    browser = await house.member("小明")
    first = await browser.say("hello", client_id="c-1")
    again = await browser.post("/post/", {"text": "something else", "client_id": "c-1"})
    assert (again.status, again.json) == (200, first)
    empty = await browser.post("/post/", {"text": "", "client_id": "c-1"})
    assert (empty.status, empty.json) == (200, first)
    assert await browser.messages() == [first]


async def test_a_form_sent_many_times_at_once_is_stored_once(house: House) -> None:
    browser = await house.member("小明")
    await browser.token()
    answers = await asyncio.gather(*(browser.post("/post/", {"text": "hello", "client_id": "c-1"}) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1


async def test_an_upload_sent_twice_at_once_is_stored_once_and_leaves_no_second_file(house: House) -> None:
    browser = await house.member("小明")
    await browser.token()
    fields, files = {"client_id": "c-1"}, {"image": picture()}
    answers = await asyncio.gather(*(browser.post("/post/", fields, files) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 201]
    assert len([name for name in files_under(house.data_dir) if name.startswith("media/")]) == 2


async def test_two_members_may_use_the_same_client_id(house: House) -> None:
    first = await (await house.member("小明")).say("hello", client_id="c-1")
    second = await (await house.member("小红")).say("hello", client_id="c-1")
    assert first["id"] != second["id"]


async def test_a_recalled_message_sent_again_stays_recalled(house: House) -> None:
    browser = await house.member("小明")
    message = await browser.say("hello", client_id="c-1")
    await browser.recall(message["id"])
    again = await browser.post("/post/", {"text": "hello", "client_id": "c-1"})
    assert (again.status, again.json["id"], again.json["state"]) == (200, message["id"], "recalled")


# The interval


@pytest.mark.settings(send_interval=2.0)
async def test_one_message_in_two_seconds_over_all_forms_and_sockets(house: House) -> None:
    browser, phone = await house.member("小明"), await house.guest()
    await phone.log_in("小明")
    socket = await phone.socket()
    await browser.say("one", client_id="c-1")
    house.clock.forward(0.5)
    answer = await browser.post("/post/", {"text": "two"})
    assert (answer.status, answer.code) == (429, "too_fast")
    assert answer.json["error"]["retry_after_ms"] == 1500
    assert answer.headers["Retry-After"] == "2"
    assert (await browser.post("/post/", {}, {"image": picture()})).code == "too_fast"
    await socket.send("post", client_id="c-2", text="two")
    refused = await socket.expect("refused", client_id="c-2")
    assert (refused["code"], refused["retry_after_ms"]) == ("too_fast", 1500)
    assert (await browser.post("/post/", {"text": "one", "client_id": "c-1"})).status == 200
    house.clock.forward(1.5)
    await socket.say("two", client_id="c-2")


@pytest.mark.settings(send_interval=2.0)
async def test_others_and_administrators_need_not_wait(house: House) -> None:
    await (await house.member("小明")).say("one")
    await (await house.member("小红")).say("two")
    admin = await house.administrator()
    await admin.say("three")
    await admin.say("four")


@pytest.mark.settings(send_interval=2.0)
async def test_a_refused_message_costs_no_time(house: House) -> None:
    browser = await house.member("小明")
    assert (await browser.post("/post/", {"text": "x", "reply_to": 99})).code == "not_found"
    assert (await browser.post("/post/", {}, {"image": b"nothing that one could see"})).status == 415
    await browser.say("one")


# Recall and delete


async def test_a_recalled_message_is_empty_for_everybody(house: House) -> None:
    browser, guest = await house.member("小明"), await house.guest()
    message = await browser.show(picture(), text="oops", client_id="c-1")
    recalled = await browser.recall(message["id"])
    assert recalled.status == 200
    expected = {**message, "state": "recalled", "text": "", "image": "", "thumb": "", "client_id": "", "seq": 2,
                "width": 0, "height": 0, "recalled_by": "小明"}  # fmt: skip
    assert recalled.json == expected
    assert await guest.messages() == [expected]


async def test_a_recall_again_is_the_same_answer(house: House) -> None:
    browser = await house.member("小明")
    message = await browser.say("oops")
    first, second = await browser.recall(message["id"]), await browser.recall(message["id"])
    assert (second.status, second.json) == (200, first.json)
    assert (await browser.post(f"/recall_message/{message['id']}/", headers=HTML)).status == 303


async def test_recalls_at_once_are_one_change(house: House) -> None:
    browser = await house.member("小明")
    message = await browser.say("oops")
    answers = await asyncio.gather(*(browser.recall(message["id"]) for _ in range(6)))
    assert {(answer.status, answer.json["seq"]) for answer in answers} == {(200, 2)}


async def test_the_window_closes_for_the_author_and_not_for_administrators(house: House) -> None:
    browser, admin = await house.member("小明"), await house.administrator()
    message = await browser.say("mine")
    house.clock.forward(29.999)
    other = await browser.say("later")
    house.clock.forward(0.001)
    answer = await browser.recall(message["id"])
    assert (answer.status, answer.code) == (403, "recall_expired")
    assert (await browser.recall(other["id"])).status == 200
    assert (await admin.recall(message["id"])).json["state"] == "recalled"
    assert (await browser.recall(message["id"])).status == 200


async def test_another_member_takes_nothing_back(house: House) -> None:
    message = await (await house.member("小明")).say("mine")
    mallory = await house.member("mallory")
    for act in (mallory.recall, mallory.delete):
        answer = await act(message["id"])
        assert (answer.status, answer.code) == (403, "not_yours")
    assert (await mallory.messages())[0]["state"] == "live"


async def test_a_deleted_message_leaves_the_lists(house: House) -> None:
    browser, guest = await house.member("小明"), await house.guest()
    first, second = await browser.say("one"), await browser.say("two")
    house.clock.forward(3600)
    answer = await browser.delete(first["id"])
    assert (answer.status, answer.json["state"], answer.json["text"]) == (200, "deleted", "")
    again = await browser.delete(first["id"])
    assert (again.status, again.json) == (200, answer.json)
    assert (await browser.post(f"/delete_message/{first['id']}/", headers=HTML)).status == 303
    assert await guest.messages() == [second]
    recall = await browser.recall(first["id"])
    assert (recall.status, recall.code) == (410, "gone")


async def test_a_recalled_message_can_be_deleted_and_an_administrator_deletes_any(house: House) -> None:
    browser, admin = await house.member("小明"), await house.administrator()
    message = await browser.say("one")
    await browser.recall(message["id"])
    assert (await admin.delete(message["id"])).json["state"] == "deleted"
    assert await browser.messages() == []


@pytest.mark.parametrize("path", ["/recall_message/99/", "/delete_message/99/"])
async def test_a_message_that_never_was_is_not_found(house: House, path: str) -> None:
    answer = await (await house.member("小明")).post(path)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.settings(history_limit=1)
async def test_a_message_that_expired_is_gone(house: House) -> None:
    browser = await house.member("小明")
    await browser.say("one")
    await browser.say("two")
    answer = await browser.recall(1)
    assert (answer.status, answer.code) == (410, "gone")


async def test_what_was_recalled_or_deleted_is_soon_in_no_file(tmp_path: Path) -> None:
    async with opened(tmp_path, real_time()) as house:
        browser = await house.member("小明")
        first = await browser.say("SECRET-ONE-x1y2z3", client_id="SECRET-CLIENT-x1y2z3")
        second = await browser.show(picture(), text="SECRET-TWO-x1y2z3")
        stored = (await browser.get(second["image"])).body
        assert any(b"SECRET-ONE" in content for content in files_under(tmp_path).values())
        await browser.recall(first["id"])
        await browser.delete(second["id"])
        needles = [b"SECRET-ONE-x1y2z3", b"SECRET-CLIENT-x1y2z3", b"SECRET-TWO-x1y2z3", stored]
        await eventually(
            lambda: not any(needle in content for content in files_under(tmp_path).values() for needle in needles)
        )
