"""What a muted member cannot do, how often an avatar may change, and how an avatar or a name is removed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chatserver.features.accounts.profile import AVATARS_MAX, AVATARS_SECONDS
from tests.client import Browser, House, files_under, opened, picture
from tests.support import FakeClock, eventually


async def moderate(administrator: Browser, member_id: int, act: str, **more: int) -> dict[str, object]:
    answer = await administrator.post_json(f"/members/{member_id}/", {"act": act, **more})
    assert answer.status == 200, answer.body
    member: dict[str, object] = answer.json["member"]
    return member


async def avatar(browser: Browser, colour: str = "red") -> str:
    """The error code, or the new address."""
    answer = await browser.post("/profile/", files={"avatar": picture(colour=colour)})
    return str(answer.json["user"]["avatar"]) if answer.status == 200 else answer.code


async def test_a_muted_member_shows_no_new_avatar_and_may_change_the_password(house: House) -> None:
    wang, ming = await house.administrator(), await house.member("小明")
    await moderate(wang, await ming.member_id(), "mute")
    before = files_under(house.data_dir / "media").keys()
    for _ in range(3):
        assert await avatar(ming) == "muted"
    assert files_under(house.data_dir / "media").keys() == before
    changed = await ming.post("/profile/", {"old_password": "correct horse 电池", "new_password": "another long one"})
    assert changed.status == 200
    await moderate(wang, await ming.member_id(), "unmute")
    assert (await avatar(ming)).startswith("/media/")


@pytest.mark.parametrize("command", ["start", "stop", "countdown"])
async def test_a_muted_administrator_posts_no_preset(house: House, command: str) -> None:
    wang, li = await house.administrator(), await house.administrator("店员")
    if command != "start":
        await wang.preset("start")
    await moderate(wang, await li.member_id(), "mute")
    before = await wang.messages()
    assert (await li.preset(command)).code == "muted"
    assert await wang.messages() == before


@pytest.mark.parametrize("path", ["/send_preset_image/", "/upload_global_background"])
async def test_a_muted_administrator_shows_no_picture(house: House, path: str) -> None:
    wang, li = await house.administrator(), await house.administrator("店员")
    assert (await wang.post(path, files={"image": picture()})).status in (200, 201)
    await moderate(wang, await li.member_id(), "mute")
    before = (await wang.messages(), (await wang.socket()).hello["announcement"])
    assert (await li.post(path, files={"image": picture(colour="blue")})).code == "muted"
    assert (await li.post("/send_preset_image/")).code == "muted"
    assert (await wang.messages(), (await wang.socket()).hello["announcement"]) == before


async def test_an_avatar_changes_a_few_times_a_minute(house: House) -> None:
    ming, reader = await house.member("小明"), await (await house.guest()).socket()
    answers = [await avatar(ming, colour) for colour in ("red", "blue", "green", "red", "blue")]
    assert [answer.startswith("/media/") for answer in answers].count(True) == AVATARS_MAX
    assert answers[AVATARS_MAX:] == ["too_fast"] * (5 - AVATARS_MAX)
    await reader.in_step()
    assert len(reader.heard("member")) == AVATARS_MAX
    house.clock.forward(AVATARS_SECONDS)
    assert (await avatar(ming)).startswith("/media/")


async def test_a_picture_that_is_refused_is_no_change(house: House) -> None:
    ming = await house.member("小明")
    for _ in range(5):
        answer = await ming.post("/profile/", files={"avatar": b"no picture"})
        assert answer.code in ("image_unsupported", "image_unreadable")
    assert (await avatar(ming)).startswith("/media/")


async def test_the_member_hears_at_once_of_a_mute_on_every_socket_and_nobody_else(house: House) -> None:
    wang, ming, other = await house.administrator(), await house.member("小明"), await (await house.guest()).socket()
    sockets = [await ming.socket(), await ming.socket()]
    member = await moderate(wang, await ming.member_id(), "mute", seconds=60)
    for socket in sockets:
        assert (await socket.expect("muted"))["until_ms"] == member["muted_until_ms"]
    await moderate(wang, await ming.member_id(), "unmute")
    for socket in sockets:
        await socket.expect("muted", until_ms=0)
    await other.in_step()
    assert other.heard("muted") == []


async def test_a_page_and_a_connection_are_told_until_when(house: House) -> None:
    wang, ming = await house.administrator(), await house.member("小明")
    member_id = await ming.member_id()

    async def told(reader: Browser) -> tuple[int, int]:
        page = re.search(
            r'<script type="application/json" id="page-data">(.*?)</script>', (await reader.page("/")).text
        )
        assert page
        return json.loads(page[1])["muted_until_ms"], (await reader.socket()).hello["muted_until_ms"]

    assert await told(ming) == (0, 0)
    until_ms = (await moderate(wang, member_id, "mute", seconds=600))["muted_until_ms"]
    assert await told(ming) == (until_ms, until_ms)
    assert await told(wang) == await told(await house.guest()) == (0, 0)
    house.clock.forward(600)
    assert await told(ming) == (0, 0)
    await moderate(wang, member_id, "mute")
    await moderate(wang, member_id, "unmute")
    assert await told(ming) == (0, 0)


async def test_the_page_says_until_when_in_the_place_of_the_field_without_scripts(house: House) -> None:
    wang, ming = await house.administrator(), await house.member("小明")
    field_is_shown = 'class="composer"'
    assert field_is_shown in (await ming.page("/")).text
    await moderate(wang, await ming.member_id(), "mute", seconds=600)
    for ui in ("desktop", "mobile"):
        text = (await ming.page(f"/?ui={ui}")).text
        assert field_is_shown not in text and '你被禁言到 <time class="tabular">14:46</time>' in text
    await moderate(wang, await ming.member_id(), "mute", seconds=86_400)
    assert "You are muted until" in (await ming.page("/?lang=en")).text
    assert "2026-11-23 14:36" in (await ming.page("/?lang=en")).text
    house.clock.forward(86_400)
    assert field_is_shown in (await ming.page("/")).text


async def test_a_mute_is_told_after_a_restart_and_ended_by_the_operator(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as house:
        wang, ming = await house.administrator(), await house.member("小明")
        until_ms = (await moderate(wang, await ming.member_id(), "mute"))["muted_until_ms"]
    async with opened(tmp_path, clock) as house:
        ming = await house.guest()
        await ming.log_in("小明")
        socket = await ming.socket()
        assert socket.hello["muted_until_ms"] == until_ms
        await house.administrator("小明")
        await socket.expect("muted", until_ms=0)
        assert (await ming.socket()).hello["muted_until_ms"] == 0


async def test_the_role_reaches_every_socket_and_form_of_the_member_at_once(house: House) -> None:
    wang, ming = await house.administrator(), await house.member("小明")
    sockets = [await ming.socket(), await ming.socket()]
    member_id = await ming.member_id()
    for act, role, status in (("promote", "administrator", 201), ("demote", "member", 403)):
        await moderate(wang, member_id, act)
        for socket in sockets:
            user = (await socket.expect("member"))["user"]
            assert (user["id"], user["role"]) == (member_id, role)
        assert (await ming.preset("start")).status == status


async def test_an_avatar_is_taken_away_with_its_file(house: House) -> None:
    wang, ming = await house.administrator(), await house.member("小明")
    address = await avatar(ming)
    said = await ming.say("你好")
    reader = await (await house.guest()).socket()
    member = await moderate(wang, await ming.member_id(), "take_avatar")
    assert member["avatar"] == ""
    assert (await reader.expect("member"))["user"]["avatar"] == ""
    assert [message["avatar"] for message in await wang.messages()] == [""]
    assert said["avatar"] == address

    async def is_gone() -> bool:
        return (await wang.get(address)).status in (404, 410)

    await eventually(is_gone)  # the eraser deletes the file in a thread after the COMMIT
    # a repeated act gives the same answer
    assert (await moderate(wang, await ming.member_id(), "take_avatar"))["avatar"] == ""


async def test_a_name_is_taken_away_everywhere_and_the_new_one_logs_in(house: House) -> None:
    wang, ming = await house.administrator(), await house.member("脏话")
    theirs, own = await ming.say("你好"), await wang.say("大家好")
    socket, reader = await ming.socket(), await (await house.guest()).socket()
    await socket.send("react", id=own["id"], emoji="👍")
    await socket.expect("reactions")
    await ming.recall(theirs["id"])
    member_id = await ming.member_id()
    name = f"成员{member_id}"
    assert (await moderate(wang, member_id, "take_name"))["name"] == name
    changed = await reader.expect("member")
    assert (changed["user"]["name"], changed["was"]) == (name, "脏话")
    later = await house.guest()
    for text in (
        str(await later.messages()),
        (await later.page("/")).text,
        str((await later.socket(after=0, epoch="x")).frames),
        (await later.get("/api/messages/?before=100")).text,
    ):
        assert "脏话" not in text
    assert (await wang.messages())[1]["reactions"] == [{"emoji": "👍", "users": [name]}]
    assert (await later.log_in("脏话")).code == "login_failed"
    assert (await later.log_in(name)).status == 200
    assert (await ming.say("还在"))["user"] == name
    # The name is free again, but the room does not give a name twice.
    await house.member("脏话")


async def test_the_given_name_is_not_another_members(house: House) -> None:
    wang, ming = await house.administrator(), await house.member("小明")
    member_id = await ming.member_id()
    await house.member(f"成员{member_id}")
    assert (await moderate(wang, member_id, "take_name"))["name"] == f"成员{member_id}-2"
