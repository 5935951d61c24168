"""The announcement and the preset picture."""

from __future__ import annotations

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.events import AnnouncementChanged, ContentErased, MessagePosted
from chatserver.core.model import Kind, Preset, Role, State, StoredImage, User
from tests.stage import PICTURE, Stage, refuses

OTHER = StoredImage("announcements/xyz.webp", "announcements/xyz.thumb.webp", 10, 20)


async def test_everyone_hears_of_a_new_announcement_and_the_old_files_go(stage: Stage, wang: User) -> None:
    await stage.room.showing.announce(wang, PICTURE)
    assert stage.told() == [AnnouncementChanged(PICTURE.image)]
    await stage.room.showing.announce(wang, OTHER)
    assert stage.told() == [ContentErased((PICTURE.image, PICTURE.thumb)), AnnouncementChanged(OTHER.image)]
    assert (await stage.room.history.present(1)).announcement == OTHER.image


async def test_replacing_the_preset_picture_says_nothing_to_the_room(stage: Stage, wang: User) -> None:
    await stage.room.showing.replace_preset(wang, PICTURE)
    assert stage.told() == []
    await stage.room.showing.replace_preset(wang, OTHER)
    assert stage.told() == [ContentErased((PICTURE.image, PICTURE.thumb))]


async def test_the_preset_picture_is_posted_as_a_copy_of_its_own(stage: Stage, wang: User) -> None:
    await stage.room.showing.replace_preset(wang, PICTURE)
    first = await stage.room.showing.post_preset(wang)
    second = await stage.room.showing.post_preset(wang)
    assert stage.copies == [PICTURE, PICTURE]
    assert (first.kind, first.preset, first.author) == (Kind.PRESET, Preset.PICTURE, wang)
    assert (first.image, second.image) == ("images/copy1.webp", "images/copy2.webp")
    assert stage.told() == [MessagePosted(first), MessagePosted(second)]
    await stage.room.recalling.recall(wang, first.id)
    assert stage.told(ContentErased) == [ContentErased((first.image, first.thumb))]
    assert await stage.room.history.state_of_media("copy1") is State.RECALLED
    assert await stage.room.history.state_of_media("copy2") is State.LIVE


async def test_without_a_preset_picture_there_is_nothing_to_post(stage: Stage, wang: User) -> None:
    with refuses(ErrorCode.NOT_FOUND):
        await stage.room.showing.post_preset(wang)


async def test_members_may_not(stage: Stage, ming: User, wang: User) -> None:
    await stage.room.showing.replace_preset(wang, PICTURE)
    impostor = User(ming.id, "老王", Role.ADMINISTRATOR)
    for act in (
        lambda: stage.room.showing.announce(impostor, OTHER),
        lambda: stage.room.showing.replace_preset(impostor, OTHER),
        lambda: stage.room.showing.post_preset(impostor),
    ):
        with refuses(ErrorCode.FORBIDDEN):
            await act()
    assert stage.told() == []
    assert stage.copies == []


@pytest.mark.parametrize("role", list(Role))
async def test_a_members_own_picture_survives_the_presets_replacement(stage: Stage, wang: User, role: Role) -> None:
    author = await stage.join("别人", role)
    message = await stage.said(author, picture=PICTURE)
    await stage.room.showing.replace_preset(wang, OTHER)
    assert (await stage.room.history.newest(1)).messages == (message,)
