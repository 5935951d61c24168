"""Recall and delete: who may, until when, and what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Message, Role, State, User
from chatserver.features.messages.delete import MessageDeleted
from chatserver.features.messages.recall import MessageRecalled, RecallWindowClosed
from tests.stage import PICTURE, Stage, refuses, staged
from tests.support import FakeClock

# Recalling: who and when


async def test_the_author_recalls_within_the_window(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    stage.clock.forward(29.999)
    recalled = await stage.room.recall.recall(ming, message.id)
    assert recalled.state is State.RECALLED
    assert recalled.seq == message.seq + 1


@pytest.mark.parametrize("late", [0, 0.001, 3600])
async def test_the_window_closes_at_its_end_for_the_author(stage: Stage, ming: User, late: float) -> None:
    message = await stage.said(ming)
    stage.clock.forward(30 + late)
    with refuses(ErrorCode.RECALL_EXPIRED):
        await stage.room.recall.recall(ming, message.id)
    assert (await stage.room.history.newest(1)).messages == (message,)


async def test_a_late_timer_lets_no_recall_through(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    stage.clock.forward(31)  # the timer has not run
    with refuses(ErrorCode.RECALL_EXPIRED):
        await stage.room.recall.recall(ming, message.id)


async def test_others_may_not_recall_whatever_they_say_they_are(stage: Stage, ming: User, hong: User) -> None:
    message = await stage.said(ming)
    for impostor in (hong, User(hong.id, "小明", Role.ADMINISTRATOR)):
        with refuses(ErrorCode.NOT_YOURS):
            await stage.room.recall.recall(impostor, message.id)


async def test_an_administrator_recalls_at_any_time(stage: Stage, ming: User, wang: User) -> None:
    message = await stage.said(ming)
    stage.clock.forward(3600)
    assert (await stage.room.recall.recall(wang, message.id)).state is State.RECALLED


async def test_an_administrator_in_the_database_needs_no_new_login(stage: Stage, ming: User, hong: User) -> None:
    message = await stage.said(ming)
    await stage.sql("UPDATE users SET role = 'administrator' WHERE id = ?", hong.id)
    assert (await stage.room.recall.recall(hong, message.id)).state is State.RECALLED


async def test_recalling_again_gives_the_same_answer_even_after_the_window(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    recalled = await stage.room.recall.recall(ming, message.id)
    stage.told()
    stage.clock.forward(60)
    assert await stage.room.recall.recall(ming, message.id) == recalled
    assert stage.events == []


async def test_a_recalled_message_is_still_not_anothers(stage: Stage, ming: User, hong: User) -> None:
    message = await stage.said(ming)
    await stage.room.recall.recall(ming, message.id)
    with refuses(ErrorCode.NOT_YOURS):
        await stage.room.recall.recall(hong, message.id)


async def test_a_deleted_message_cannot_be_recalled(stage: Stage, ming: User, wang: User) -> None:
    message = await stage.said(ming)
    await stage.room.delete.delete(ming, message.id)
    for actor in (ming, wang):
        with refuses(ErrorCode.GONE):
            await stage.room.recall.recall(actor, message.id)


async def test_an_expired_message_is_gone_and_one_that_never_was_is_not_found(
    stage: Stage, ming: User, wang: User
) -> None:
    stage.set(history_limit=1)
    await stage.said(ming)
    await stage.said(ming)
    for act in (stage.room.recall.recall, stage.room.delete.delete):
        for actor in (ming, wang):
            with refuses(ErrorCode.GONE):
                await act(actor, 1)
            for never in (0, -1, 3, 2**63 - 1):
                with refuses(ErrorCode.NOT_FOUND):
                    await act(actor, never)


async def test_the_banned_and_the_unknown_recall_nothing(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    await stage.sql("UPDATE users SET banned = 1")
    with refuses(ErrorCode.BANNED):
        await stage.room.recall.recall(ming, message.id)
    with refuses(ErrorCode.LOGIN_REQUIRED):
        await stage.room.recall.recall(User(99, "谁", Role.ADMINISTRATOR), message.id)


async def test_a_window_of_no_length_closes_at_once(stage: Stage, ming: User) -> None:
    stage.set(recall_seconds=0.0)
    message = await stage.said(ming)
    with refuses(ErrorCode.RECALL_EXPIRED):
        await stage.room.recall.recall(ming, message.id)


# Deleting


async def test_the_author_deletes_at_any_time_and_so_does_an_administrator(
    stage: Stage, ming: User, wang: User
) -> None:
    mine, other = await stage.said(ming), await stage.said(ming)
    stage.clock.forward(3600)
    assert (await stage.room.delete.delete(ming, mine.id)).state is State.DELETED
    assert (await stage.room.delete.delete(wang, other.id)).state is State.DELETED
    assert (await stage.room.history.newest(50)).messages == ()


async def test_others_may_not_delete(stage: Stage, ming: User, hong: User) -> None:
    message = await stage.said(ming)
    with refuses(ErrorCode.NOT_YOURS):
        await stage.room.delete.delete(hong, message.id)


async def test_deleting_again_gives_the_same_answer(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    deleted = await stage.room.delete.delete(ming, message.id)
    stage.told()
    assert await stage.room.delete.delete(ming, message.id) == deleted
    assert stage.events == []


async def test_a_recalled_message_can_be_deleted(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    recalled = await stage.room.recall.recall(ming, message.id)
    deleted = await stage.room.delete.delete(ming, message.id)
    assert (deleted.state, deleted.seq) == (State.DELETED, recalled.seq + 1)


# What is left


@pytest.mark.parametrize("act", ["recall", "delete"])
async def test_nothing_of_the_content_is_left_in_the_row(stage: Stage, ming: User, act: str) -> None:
    message = await stage.said(ming, "秘密", picture=PICTURE, client_id="a secret of its own")
    left: Message = await getattr(getattr(stage.room, act), act)(ming, message.id)
    assert (left.text, left.image, left.thumb, left.client_id, left.width, left.height) == ("", "", "", "", 0, 0)
    row = (await stage.sql("SELECT * FROM messages"))[0]
    assert not any(secret in str(value) for value in row for secret in ("秘密", "secret", ".webp"))


@pytest.mark.parametrize(("act", "kind"), [("recall", MessageRecalled), ("delete", MessageDeleted)])
async def test_the_room_is_told_first_and_then_the_files_go(
    stage: Stage, ming: User, wang: User, act: str, kind: type[MessageRecalled] | type[MessageDeleted]
) -> None:
    message = await stage.said(ming, "看", picture=PICTURE)
    stage.told()
    left = await getattr(getattr(stage.room, act), act)(wang, message.id)
    told, erased = stage.events
    assert (type(told), told.message, told.by) == (kind, left, "老王")  # type: ignore[attr-defined]
    assert erased == ContentErased((PICTURE.image, PICTURE.thumb), is_urgent=True)


async def test_the_log_is_emptied_of_a_text_without_files_too(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    await stage.room.recall.recall(ming, message.id)
    assert stage.told(ContentErased) == [ContentErased((), is_urgent=True)]


async def test_what_becomes_of_a_picture_can_be_told_by_its_key(stage: Stage, ming: User) -> None:
    message = await stage.said(ming, picture=PICTURE)
    assert await stage.state_of_media("abc") is State.LIVE
    await stage.room.recall.recall(ming, message.id)
    assert await stage.state_of_media("abc") is State.RECALLED
    assert await stage.state_of_media("xyz") is None


async def test_a_refused_recall_tells_nobody_and_changes_no_number(stage: Stage, ming: User, hong: User) -> None:
    message = await stage.said(ming)
    stage.told()
    with refuses(ErrorCode.NOT_YOURS):
        await stage.room.recall.recall(hong, message.id)
    assert stage.events == []
    assert (await stage.room.history.newest(1)).seq == message.seq


# The end of the recall window


async def test_an_author_learns_once_that_the_window_has_closed(stage: Stage, ming: User, hong: User) -> None:
    first, second = await stage.said(ming), await stage.said(hong)
    stage.told()
    assert await stage.room.recall.next_window_end() == first.recall_until_ms
    stage.clock.set_wall(first.recall_until_ms - 1)
    await stage.room.recall.announce_closed_windows()
    assert stage.events == []
    stage.clock.set_wall(first.recall_until_ms)
    await stage.room.recall.announce_closed_windows()
    await stage.room.recall.announce_closed_windows()
    assert stage.told() == [RecallWindowClosed(first.id, ming.id)]
    assert await stage.room.recall.next_window_end() == second.recall_until_ms
    stage.clock.forward(60)
    await stage.room.recall.announce_closed_windows()
    assert stage.told() == [RecallWindowClosed(second.id, hong.id)]
    assert await stage.room.recall.next_window_end() is None


async def test_a_recalled_message_does_not_settle(stage: Stage, ming: User) -> None:
    message = await stage.said(ming)
    await stage.room.recall.recall(ming, message.id)
    stage.clock.forward(60)
    await stage.room.recall.announce_closed_windows()
    assert stage.told(RecallWindowClosed) == []


async def test_after_a_restart_only_windows_that_are_still_open_settle(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        ming = await stage.join("小明")
        await stage.said(ming)
        clock.forward(20)
        open_still = await stage.said(ming)
    clock.forward(15)
    async with staged(tmp_path, clock) as stage:
        assert await stage.room.recall.next_window_end() == open_still.recall_until_ms
        clock.forward(60)
        await stage.room.recall.announce_closed_windows()
        assert stage.told() == [RecallWindowClosed(open_still.id, ming.id)]
