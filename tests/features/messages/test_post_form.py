"""Pictures by form: refused before they cost anything, stored once; an album counts as one message."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL.PngImagePlugin import PngInfo

from tests.client import Answer, Browser, House, opened, picture
from tests.media import samples
from tests.support import eventually

INTERVAL = 2.0


@pytest.fixture
async def paced(tmp_path: Path) -> AsyncIterator[House]:
    """A room with an interval, whose clock stands still."""
    async with opened(tmp_path, send_interval=INTERVAL) as house:
        yield house


async def post(browser: Browser, content: bytes, **fields: Any) -> Answer:
    return await browser.post("/post/", fields, {"image": content})


def jobs(house: House) -> int:
    """The number of pictures that the workers got."""
    return sum(house.server.room.workers.outcomes.values())


# Refused before any cost


async def test_of_pictures_at_once_one_is_processed_and_the_others_are_too_fast(paced: House) -> None:
    ming = await paced.member("小明")
    await ming.token()
    answers = await asyncio.gather(*(post(ming, picture()) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [429] * 7
    assert jobs(paced) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": "长" * 2001}, "too_long"),
        ({"reply_to": 77}, "not_found"),
        ({"client_id": "c" * 65}, "bad_request"),
        ({"album": "a" * 65}, "bad_request"),
        ({"album": "a\0b"}, "bad_request"),
    ],
)
async def test_what_the_fields_refuse_costs_no_processing(paced: House, fields: dict[str, Any], code: str) -> None:
    ming = await paced.member("小明")
    assert (await post(ming, picture(), **fields)).code == code
    assert jobs(paced) == 0
    assert (await post(ming, picture())).status == 201, "and no interval"


async def test_a_muted_member_costs_no_processing(paced: House) -> None:
    ming, admin = await paced.member("小明"), await paced.administrator()
    user_id = (await ming.log_in("小明")).json["user"]["id"]
    await admin.post(f"/members/{user_id}/", {"act": "mute"})
    assert (await post(ming, picture())).code == "muted"
    assert jobs(paced) == 0


async def test_the_interval_counts_from_the_check(paced: House) -> None:
    """Every picture that the interval admits is stored, however many are processed before it."""
    ming = await paced.member("小明")
    await ming.token()
    first = asyncio.create_task(post(ming, picture(3000, 2000)))
    await eventually(lambda: paced.server.room.workers._alive)
    assert (await ming.post("/post/", {"text": "a"})).code == "too_fast"
    paced.clock.forward(INTERVAL)
    second = await post(ming, picture())
    assert (await first).status == second.status == 201


async def test_a_picture_that_was_refused_uses_up_no_interval(paced: House) -> None:
    ming = await paced.member("小明")
    assert (await post(ming, b"GIF89a")).code == "image_unreadable"
    assert (await post(ming, picture())).status == 201


async def test_a_picture_that_was_refused_does_not_shorten_the_interval_of_a_later_text(paced: House) -> None:
    ming = await paced.member("小明")
    await ming.token()
    broken = asyncio.create_task(post(ming, b"GIF89a" + b"\0" * 100))
    await eventually(lambda: paced.server.room.workers._alive)
    paced.clock.forward(INTERVAL)
    assert (await ming.post("/post/", {"text": "a"})).status == 201
    assert (await broken).status == 400
    assert (await ming.post("/post/", {"text": "b"})).code == "too_fast"


async def test_twenty_photographs_of_ten_members_behind_one_address_are_all_taken(house: House) -> None:
    """All pictures are being received at the same time: as many bytes as a photograph has, but cheap to process."""
    members = [await house.member(f"成员{number}") for number in range(10)]
    text = PngInfo()
    text.add_text("Comment", "x" * 1_400_000)
    file = io.BytesIO()
    samples.corners().save(file, "PNG", pnginfo=text)
    requests = [member.post("/post/", {}, {"image": file.getvalue()}) for member in members for _ in range(2)]
    assert {answer.status for answer in await asyncio.gather(*requests)} == {201}


# Stored once


async def test_a_picture_that_is_sent_again_while_it_is_processed_is_processed_once(paced: House) -> None:
    ming = await paced.member("小明")
    await ming.token()
    content = picture(3000, 2000)
    answers = await asyncio.gather(*(post(ming, content, client_id="c1") for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 200, 201]
    assert len({answer.json["id"] for answer in answers}) == 1
    again = await post(ming, content, client_id="c1")
    assert (again.status, again.json["id"]) == (200, answers[0].json["id"])
    assert jobs(paced) == 1


async def test_who_waits_for_a_picture_that_is_refused_hears_why(paced: House) -> None:
    ming = await paced.member("小明")
    await ming.token()
    answers = await asyncio.gather(*(post(ming, b"GIF89a", client_id="c1") for _ in range(2)))
    assert [answer.code for answer in answers] == ["image_unreadable"] * 2


# Albums


async def test_nine_pictures_of_one_album_count_once(paced: House) -> None:
    ming = await paced.member("小明")
    shown = [await ming.show(picture(), album="a1") for _ in range(9)]
    assert len({message["album"] for message in shown}) == 1
    assert shown[0]["album"] not in (None, "a1")
    assert (await post(ming, picture(), album="a1")).code == "too_fast", "the tenth counts again"
    assert (await post(ming, picture(), album="a2")).code == "too_fast"
    assert (await ming.post("/post/", {"text": "a"})).code == "too_fast"
    paced.clock.forward(INTERVAL)
    tenth = await ming.show(picture(), album="a1")
    assert tenth["album"] not in (None, shown[0]["album"])


async def test_an_album_that_came_at_once_is_taken_whole(paced: House) -> None:
    ming = await paced.member("小明")
    await ming.token()
    answers = await asyncio.gather(*(post(ming, picture(), album="a1") for _ in range(9)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["album"] for answer in answers}) == 1


async def test_after_ten_minutes_a_name_is_another_album(paced: House) -> None:
    ming = await paced.member("小明")
    first = await ming.show(picture(), album="a1")
    paced.clock.forward(599)
    assert (await ming.show(picture(), album="a1"))["album"] == first["album"]
    await ming.say("a")
    paced.clock.forward(1)
    assert (await post(ming, picture(), album="a1")).code == "too_fast"
    paced.clock.forward(1)
    assert (await ming.show(picture(), album="a1"))["album"] != first["album"]


async def test_no_member_can_post_into_the_album_of_another(paced: House) -> None:
    ming, hong = await paced.member("小明"), await paced.member("小红")
    mine = await ming.show(picture(), album="a1")
    for name in ("a1", mine["album"]):
        assert (await hong.show(picture(), album=name))["album"] != mine["album"]
        paced.clock.forward(INTERVAL)


async def test_pictures_that_are_refused_take_no_place_in_the_album(paced: House) -> None:
    ming = await paced.member("小明")
    assert (await post(ming, b"GIF89a", album="a1")).status == 400
    await ming.show(picture(), album="a2")  # nothing was posted, so no interval began
    for _ in range(9):
        assert (await post(ming, b"GIF89a", album="a2")).status == 400
    for _ in range(8):
        await ming.show(picture(), album="a2")
    assert (await post(ming, picture(), album="a2")).code == "too_fast"


async def test_a_text_has_no_album_and_waits_for_the_interval(paced: House) -> None:
    ming = await paced.member("小明")
    assert (await ming.say("a", album="a1"))["album"] is None
    assert (await ming.post("/post/", {"text": "b", "album": "a1"})).code == "too_fast"


async def test_an_album_is_the_same_wherever_it_is_read_and_empty_after_a_recall(paced: House) -> None:
    ming = await paced.member("小明")
    socket = await ming.socket()
    shown = [await ming.show(picture(), album="a1") for _ in range(3)]
    album = shown[0]["album"]
    heard = [(await socket.expect("message"))["message"] for _ in shown]
    assert [message["album"] for message in heard] == [album] * 3
    assert [message["album"] for message in await ming.messages()] == [album] * 3
    assert (await ming.recall(shown[1]["id"])).json["album"] is None
    assert [message["album"] for message in await ming.messages()] == [album, None, album]
    # A recalled picture keeps its place in the album: a recall allows no further picture.
    for _ in range(6):
        await ming.show(picture(), album="a1")
    assert (await post(ming, picture(), album="a1")).code == "too_fast"


async def test_after_a_restart_the_rest_of_an_album_joins_it(tmp_path: Path) -> None:
    async with opened(tmp_path, send_interval=INTERVAL) as house:
        first = await (await house.member("小明")).show(picture(), album="a1")
    async with opened(tmp_path, send_interval=INTERVAL) as house:
        ming = await house.guest()
        await ming.log_in("小明")
        assert (await ming.show(picture(), album="a1"))["album"] == first["album"]
