"""The announcement and the preset picture."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Kind, Preset, Role, State, StoredImage, User
from chatserver.features.announcements.announcement import Announcement, AnnouncementChanged
from chatserver.features.messages import media
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.post import MessagePosted
from tests.client import HTML, JSON, House, picture
from tests.stage import PICTURE, Stage, refuses

# Two events of one message are equal, even if different encoders encode them.
ENCODER = MessageEncoder(ZoneInfo("UTC"))
OTHER = StoredImage("announcements/xyz.webp", "announcements/xyz.thumb.webp", 10, 20)


async def test_everyone_hears_of_a_new_announcement_and_the_old_files_go(stage: Stage, wang: User) -> None:
    await stage.room.announcement.announce(wang, PICTURE)
    assert stage.told() == [AnnouncementChanged(PICTURE.image)]
    await stage.room.announcement.announce(wang, OTHER)
    assert stage.told() == [ContentErased((PICTURE.image, PICTURE.thumb)), AnnouncementChanged(OTHER.image)]
    assert stage.room.announcement.hello_fields() == {"announcement": f"/media/{OTHER.image}"}


async def test_the_announcement_is_known_after_a_restart(stage: Stage, wang: User) -> None:
    assert stage.room.announcement.hello_fields() == {"announcement": ""}
    await stage.room.announcement.announce(wang, PICTURE)
    restarted = Announcement(stage.database, stage.clock, stage.room.announcement._uploads)
    assert restarted.hello_fields() == {"announcement": ""}
    await restarted.load()
    assert restarted.hello_fields() == {"announcement": f"/media/{PICTURE.image}"}


async def test_replacing_the_preset_picture_says_nothing_to_the_room(stage: Stage, wang: User) -> None:
    await stage.room.preset_picture.replace(wang, PICTURE)
    assert stage.told() == []
    await stage.room.preset_picture.replace(wang, OTHER)
    assert stage.told() == [ContentErased((PICTURE.image, PICTURE.thumb))]


async def test_the_preset_picture_is_posted_as_a_copy_of_its_own(stage: Stage, wang: User) -> None:
    await stage.room.preset_picture.replace(wang, PICTURE)
    first = await stage.room.preset_picture.post(wang)
    second = await stage.room.preset_picture.post(wang)
    assert stage.copies == [PICTURE, PICTURE]
    assert (first.kind, first.preset, first.author) == (Kind.PRESET, Preset.PICTURE, wang)
    assert (first.image, second.image) == ("images/copy1.webp", "images/copy2.webp")
    assert stage.told() == [MessagePosted(first, ENCODER), MessagePosted(second, ENCODER)]
    await stage.room.recall.recall(wang, first.id)
    assert stage.told(ContentErased) == [ContentErased((first.image, first.thumb), is_urgent=True)]
    assert await stage.run(lambda tx: media.state_of(tx, "copy1")) is State.RECALLED
    assert await stage.run(lambda tx: media.state_of(tx, "copy2")) is State.LIVE


async def test_an_administrator_who_is_muted_while_the_files_are_copied_leaves_no_copy(
    stage: Stage, wang: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.room.preset_picture.replace(wang, PICTURE)
    files, erased = stage.room.preset_picture._files, list[str]()
    copy = files.copy

    async def copy_slowly(stored: StoredImage) -> StoredImage:
        copied = await copy(stored)
        until_ms = stage.clock.now_ms() + 60_000
        await stage.sql("UPDATE users SET muted_until_ms = ? WHERE id = ?", until_ms, wang.id)
        return copied

    async def erase(names: Sequence[str]) -> None:
        erased.extend(names)

    monkeypatch.setattr(files, "copy", copy_slowly)
    monkeypatch.setattr(files, "erase", erase)
    with refuses(ErrorCode.MUTED):
        await stage.room.preset_picture.post(wang)
    assert erased == ["images/copy1.webp", "images/copy1.thumb.webp"]


async def test_without_a_preset_picture_there_is_nothing_to_post(stage: Stage, wang: User) -> None:
    with refuses(ErrorCode.NOT_FOUND):
        await stage.room.preset_picture.post(wang)


async def test_members_may_not(stage: Stage, ming: User, wang: User) -> None:
    await stage.room.preset_picture.replace(wang, PICTURE)
    impostor = User(ming.id, "老王", Role.ADMINISTRATOR)
    for act in (
        lambda: stage.room.announcement.announce(impostor, OTHER),
        lambda: stage.room.preset_picture.replace(impostor, OTHER),
        lambda: stage.room.preset_picture.post(impostor),
    ):
        with refuses(ErrorCode.FORBIDDEN):
            await act()
    assert stage.told() == []
    assert stage.copies == []


@pytest.mark.parametrize("role", list(Role))
async def test_a_members_own_picture_survives_the_presets_replacement(stage: Stage, wang: User, role: Role) -> None:
    author = await stage.join("别人", role)
    message = await stage.said(author, picture=PICTURE)
    await stage.room.preset_picture.replace(wang, OTHER)
    assert (await stage.room.history.newest(1)).messages == (message,)


async def test_posting_the_preset_picture_while_there_is_none_says_to_choose_one(house: House) -> None:
    wang = await house.administrator()
    for language, words in (
        ("zh", "还没有预设图，请先选择一张图片"),
        ("en", "There is no preset picture yet. Choose one first."),
    ):
        answer = await wang.post("/send_preset_image/", headers={**JSON, "Accept-Language": language})
        assert (answer.status, answer.code, answer.json["error"]["message"]) == (404, "not_found", words)
    page = await wang.post("/send_preset_image/", headers=HTML)
    assert page.status == 404 and "请先选择一张图片" in page.text


async def test_a_preset_picture_whose_file_is_lost_is_to_be_chosen_again(house: House) -> None:
    wang = await house.administrator()
    assert (await wang.post("/send_preset_image/", files={"image": picture()})).status == 201
    for file in (house.data_dir / "media" / "presets").iterdir():
        file.unlink()
    answer = await wang.post("/send_preset_image/")
    assert (answer.status, answer.json["error"]["reason"]) == (404, "preset_picture")


async def test_other_things_that_are_not_there_say_what_to_do(house: House) -> None:
    wang = await house.administrator()
    answers = [
        await wang.recall(77),
        await wang.post("/post/", {"text": "回复", "reply_to": "77"}),
        await wang.post("/members/77/", {"act": "mute"}),
        await wang.post("/invites/", {"withdraw": "77"}),
    ]
    assert [answer.code for answer in answers] == ["not_found"] * 4
    assert len({answer.json["error"]["message"] for answer in answers}) == 4
