"""Posting: what is stored, what is refused, and that each message is stored once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Kind, Role, State, User
from chatserver.features.messages.post import Draft, MessagePosted, Posted
from tests.stage import PICTURE, Stage, refuses, staged
from tests.support import FakeClock

# What is stored


async def test_a_message_is_stored_and_announced_as_it_was_answered(stage: Stage, ming: User) -> None:
    posted = await stage.say(ming, "今天吃什么?", client_id="c1")
    message = posted.message
    assert (message.text, message.state, message.kind) == ("今天吃什么?", State.LIVE, Kind.TEXT)
    assert (message.author, message.client_id, message.seq) == (ming, "c1", posted.seq)
    assert message.created_ms == stage.clock.now_ms()
    assert message.recall_until_ms == stage.clock.now_ms() + 30_000
    assert posted.is_new
    assert [(type(event), event.message) for event in stage.events] == [(MessagePosted, message)]
    assert (await stage.room.history.newest(50)).messages == (message,)


async def test_a_picture_needs_no_words(stage: Stage, ming: User) -> None:
    message = await stage.said(ming, "", picture=PICTURE)
    assert (message.kind, message.image, message.thumb) == (Kind.IMAGE, PICTURE.image, PICTURE.thumb)
    assert (message.width, message.height) == (1280, 960)


async def test_ids_and_seqs_grow_and_no_id_is_used_twice(stage: Stage, ming: User) -> None:
    stage.set(history_limit=1)
    first = await stage.said(ming)
    await stage.room.delete.delete(ming, first.id)
    stage.clock.forward(25 * 3600)
    await stage.room.expiry.expire()
    assert await stage.sql("SELECT id FROM messages") == []
    second = await stage.said(ming)
    assert second.id == first.id + 1
    assert second.seq == first.seq + 2


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  a  ", "a"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\tb", "a\tb"),
        ("a\x07\x1b[31mb\x7f\x85c", "a[31mbc"),
        ("\n\n哈\n\n", "哈"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("<b>&amp;", "<b>&amp;"),
    ],
)
async def test_text_is_kept_but_for_controls_and_blank_edges(stage: Stage, ming: User, typed: str, stored: str) -> None:
    assert (await stage.say(ming, typed)).message.text == stored


async def test_the_author_is_as_the_database_knows_them(stage: Stage, ming: User) -> None:
    crowned = User(ming.id, "站长", Role.ADMINISTRATOR)
    assert (await stage.say(crowned)).message.author == ming


# What is refused


@pytest.mark.parametrize("text", ["", "   ", "\n\t \u3000", "\x01\x02", "\u200b \u2060\ufeff", "\u3164"])
async def test_nothing_is_not_a_message(stage: Stage, ming: User, text: str) -> None:
    with refuses(ErrorCode.EMPTY):
        await stage.say(ming, text)


async def test_a_text_may_have_so_many_characters_and_not_one_more(stage: Stage, ming: User) -> None:
    stage.set(text_max=10)
    with refuses(ErrorCode.TOO_LONG) as refusal:
        await stage.say(ming, "好" * 11)
    assert refusal.details == {"limit": 10, "length": 11}
    assert (await stage.say(ming, " " + "😀" * 10 + " ")).message.text == "😀" * 10


@pytest.mark.parametrize(
    "draft",
    [
        Draft("half \ud83d"),
        Draft("a\0b"),
        Draft("a", client_id="\udc00"),
        Draft("a", client_id="a\0"),
        Draft("a", client_id="c" * 65),
    ],
)
async def test_what_cannot_be_stored_is_a_bad_request(stage: Stage, ming: User, draft: Draft) -> None:
    with refuses(ErrorCode.BAD_REQUEST):
        await stage.room.post.post(ming, draft)
    assert stage.events == []


async def test_a_muted_member_is_not_heard_until_the_time_is_up(stage: Stage, ming: User) -> None:
    until = stage.clock.now_ms() + 60_000
    await stage.sql("UPDATE users SET muted_until_ms = ? WHERE id = ?", until, ming.id)
    with refuses(ErrorCode.MUTED) as refusal:
        await stage.say(ming)
    assert refusal.details == {"until_ms": until}
    stage.clock.forward(60)
    await stage.say(ming)


async def test_a_banned_member_is_not_heard(stage: Stage, ming: User) -> None:
    await stage.sql("UPDATE users SET banned = 1 WHERE id = ?", ming.id)
    with refuses(ErrorCode.BANNED):
        await stage.say(ming)


async def test_a_member_who_is_no_more_must_log_in(stage: Stage) -> None:
    with refuses(ErrorCode.LOGIN_REQUIRED):
        await stage.say(User(99, "谁", Role.ADMINISTRATOR))


# Replying


async def test_a_reply_names_its_original_even_when_that_is_recalled_deleted_or_expired(
    stage: Stage, ming: User, wang: User
) -> None:
    stage.set(history_limit=3)
    originals = [await stage.said(ming, text) for text in ("recalled", "deleted", "gone")]
    await stage.room.recall.recall(wang, originals[0].id)
    await stage.room.delete.delete(wang, originals[1].id)
    for original in originals:
        assert (await stage.said(ming, "答", reply_to=original.id)).reply_to == original.id


@pytest.mark.parametrize("original", [-1, 0, 2, 2**62])
async def test_a_reply_to_what_never_was_is_refused(stage: Stage, ming: User, original: int) -> None:
    await stage.said(ming)
    stage.clock.forward(2)
    with refuses(ErrorCode.NOT_FOUND):
        await stage.say(ming, "答", reply_to=original)


# Stored once


async def test_the_same_client_id_is_stored_once_whatever_the_text(stage: Stage, ming: User) -> None:
    first = await stage.say(ming, "one", client_id="c1")
    for text in ("one", "another", "", "x" * 9999, "half \ud83d"):
        again = await stage.say(ming, text, client_id="c1")
        assert (again.message, again.seq, again.is_new) == (first.message, first.seq, False)
    assert len(stage.told(MessagePosted)) == 1


async def test_two_sockets_at_once_get_the_same_answer(stage: Stage, ming: User) -> None:
    both = await asyncio.gather(*(stage.say(ming, "one", client_id="c1") for _ in range(5)))
    assert {(posted.message.id, posted.seq) for posted in both} == {(1, both[0].seq)}
    assert [posted.is_new for posted in both] == [True, False, False, False, False]
    assert len(stage.told(MessagePosted)) == 1


async def test_the_same_client_id_of_another_member_is_another_message(stage: Stage, ming: User, hong: User) -> None:
    assert (await stage.say(ming, "one", client_id="c1")).message.id == 1
    assert (await stage.say(hong, "two", client_id="c1")).message.id == 2


async def test_messages_without_a_client_id_are_all_different(stage: Stage, ming: User) -> None:
    assert (await stage.said(ming)).id != (await stage.said(ming)).id


async def test_a_message_sent_again_after_its_recall_is_not_posted_again(stage: Stage, ming: User) -> None:
    first = await stage.say(ming, "oops", client_id="c1")
    recalled = await stage.room.recall.recall(ming, first.message.id)
    stage.told()
    again = await stage.say(ming, "oops", client_id="c1")
    assert (again.message.id, again.seq, again.is_new) == (1, first.seq, False)
    assert again.message == recalled and again.message.text == ""
    assert stage.events == []


async def test_a_message_sent_again_after_a_restart_is_not_posted_again(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        ming = await stage.join("小明")
        first = await stage.say(ming, client_id="c1")
    async with staged(tmp_path, clock) as stage:
        again = await stage.say(ming, client_id="c1")
    assert (again.message, again.seq, again.is_new) == (first.message, first.seq, False)


async def test_a_muted_member_still_hears_that_a_message_was_stored(stage: Stage, ming: User) -> None:
    first = await stage.say(ming, client_id="c1")
    await stage.sql("UPDATE users SET muted_until_ms = ? WHERE id = ?", stage.clock.now_ms() + 60_000, ming.id)
    assert (await stage.say(ming, client_id="c1")).seq == first.seq


# The send interval


async def test_the_second_message_waits_for_the_interval(stage: Stage, ming: User, hong: User) -> None:
    await stage.say(ming)
    stage.clock.forward(0.5)
    await stage.say(hong)
    with refuses(ErrorCode.TOO_FAST) as refusal:
        await stage.say(ming)
    assert refusal.details == {"retry_after_ms": 1500}
    stage.clock.forward(1.499)
    with refuses(ErrorCode.TOO_FAST):
        await stage.say(ming)
    stage.clock.forward(0.001)
    await stage.say(ming)


async def test_of_two_messages_in_one_batch_one_is_too_fast(stage: Stage, ming: User) -> None:
    answers = await asyncio.gather(*(stage.say(ming, text) for text in ("one", "two")), return_exceptions=True)
    assert isinstance(answers[0], Posted)
    assert isinstance(answers[1], DomainError) and answers[1].code is ErrorCode.TOO_FAST


async def test_sending_again_is_never_too_fast(stage: Stage, ming: User) -> None:
    answers = await asyncio.gather(*(stage.say(ming, client_id="c1") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, Posted) for answer in answers)


async def test_sending_again_does_not_begin_the_interval_anew(stage: Stage, ming: User) -> None:
    await stage.say(ming, client_id="c1")
    stage.clock.forward(1.9)
    await stage.say(ming, client_id="c1")
    stage.clock.forward(0.1)
    await stage.say(ming, client_id="c2")


@pytest.mark.parametrize(
    "refused",
    [{"text": ""}, {"text": "x" * 2001}, {"text": "a", "reply_to": 77}, {"text": "a", "client_id": "x" * 65}],
)
async def test_a_refused_message_does_not_use_up_the_interval(
    stage: Stage, ming: User, refused: dict[str, Any]
) -> None:
    with pytest.raises(DomainError):
        await stage.room.post.post(ming, Draft(**refused))
    assert (await stage.say(ming)).is_new


async def test_a_message_that_the_disk_did_not_take_does_not_use_up_the_interval(stage: Stage, ming: User) -> None:
    stage.set(text_max=1_000_000)
    await stage.database.between_batches(lambda raw: raw.execute("PRAGMA max_page_count = 1"))
    with refuses(ErrorCode.STORAGE_FULL):
        await stage.say(ming, "x" * 500_000)
    await stage.database.between_batches(lambda raw: raw.execute("PRAGMA max_page_count = 100000"))
    assert (await stage.say(ming)).is_new
    with refuses(ErrorCode.TOO_FAST):
        await stage.say(ming)


async def test_a_refused_message_does_not_shorten_the_interval(stage: Stage, ming: User) -> None:
    await stage.say(ming)
    with refuses(ErrorCode.EMPTY):
        await stage.say(ming, "")
    with refuses(ErrorCode.TOO_FAST):
        await stage.say(ming)


async def test_an_administrator_may_be_as_fast_as_they_like(stage: Stage, wang: User) -> None:
    assert [(await stage.say(wang)).message.id for _ in range(3)] == [1, 2, 3]


async def test_a_zero_interval_is_none(stage: Stage, ming: User) -> None:
    stage.set(send_interval=0.0)
    assert [(await stage.say(ming)).message.id for _ in range(3)] == [1, 2, 3]
