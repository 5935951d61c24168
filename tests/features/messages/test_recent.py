"""The newest messages in memory, as of one commit. Deleted messages displace no others."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chatserver.core.model import State, User
from chatserver.features.messages import recent as recent_module
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.recent import RecentMessages
from tests.client import House, opened, real_time
from tests.stage import Stage

ENCODER = MessageEncoder(ZoneInfo("Asia/Shanghai"))


def ids(encoded: bytes | None) -> list[int]:
    return [message["id"] for message in json.loads(encoded or b"null")]


async def loaded(stage: Stage) -> RecentMessages:
    recent = RecentMessages(ENCODER)
    await recent.load(stage.database)
    return recent


async def test_load_knows_what_it_does_not_hold(stage: Stage, ming: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 5):
        await stage.said(ming, str(number))
    await stage.room.delete.delete(ming, 4)
    await stage.room.recall.recall(ming, 1)
    monkeypatch.setattr(recent_module, "ROWS_MAX", 2)
    recent = await loaded(stage)
    assert ids(recent.newest(100)) == [2, 3]  # 4 is deleted
    assert recent.hello_fields() == {"epoch": recent.epoch, "seq": 6, "first_id": 1}
    assert recent.changes_after(5) is None  # the recall of 1, which is not in memory
    assert recent.changes_after(6) == b"[]"
    assert recent.has_more(2) and not recent.holds(3)


async def test_load_forgets_the_earliest_deletions_first(
    stage: Stage, wang: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_module, "DELETED_MAX", 2)
    for _ in range(4):
        await stage.said(wang)
    for message_id in (3, 1, 2):
        await stage.room.delete.delete(wang, message_id)
    recent = await loaded(stage)
    assert ids(recent.newest(100)) == [4]
    assert recent.changes_after(4) is None  # the deletion of 3 was the fifth change
    assert ids(recent.changes_after(5)) == [1, 2]


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_was_deleted_the_newest_are_those_of_the_database(
    stage: Stage, wang: User, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Random posts, recalls, deletions and expiries. The messages in memory equal those of a new read after each
    commit."""
    for name, value in (("ROWS_MAX", 8), ("REFILL_BELOW", 6), ("DELETED_MAX", 4)):
        monkeypatch.setattr(recent_module, name, value)
    stage.set(history_limit=15, send_interval=0)
    await stage.room.recent.load(stage.database)
    chance = random.Random(seed)
    for _ in range(120):
        kept = [message for (message,) in await stage.sql("SELECT id FROM messages WHERE state <> 'deleted'")]
        act = chance.choice(("post", "post", "delete", "delete", "recall"))
        if act == "post" or not kept:
            await stage.said(wang)
        else:
            await (stage.room.delete.delete if act == "delete" else stage.room.recall.recall)(wang, chance.choice(kept))
        await stage.run(lambda tx: None)
        page = await stage.room.history.newest(100)
        recent = stage.room.recent
        truth = [message.id for message in page.messages]
        assert ids(recent.newest(6)) == truth[-6:]
        assert recent.has_more(6) or len(truth) <= 6
        for count in (1, 6, 8, 15):
            assert not recent.holds(count) or ids(recent.newest(count)) == truth[-count:]
        _assert_changes_are_all(recent, await stage.sql("SELECT id, seq FROM messages"))


def _assert_changes_are_all(recent: RecentMessages, rows: list[tuple[int, int]]) -> None:
    for seq in range(max(0, recent.seq - 10), recent.seq + 1):
        changes = recent.changes_after(seq)
        if changes is not None:
            changed = sorted((changed_seq, message_id) for message_id, changed_seq in rows if changed_seq > seq)
            assert ids(changes) == [message_id for _, message_id in changed]


@pytest.mark.parametrize("restarted", [False, True])
async def test_twenty_messages_and_then_505_that_were_deleted(tmp_path: Path, restarted: bool) -> None:
    """The twenty messages are on the page, in `sync`, over HTTP, in older pages and in a search."""
    async with opened(tmp_path / "data", real_time(), upload_max_mb=1) as house:
        ming = await house.member("小明")
        socket = await ming.socket()
        for number in range(20):
            await socket.say(f"草莓 {number}", f"kept {number}")
        for number in range(505):
            ack = await socket.say("走了", f"gone {number}")
            await socket.send("delete", id=ack["id"])
        await socket.expect("delete", id=ack["id"])
        if not restarted:
            await _sees_twenty(house)
    if restarted:
        async with opened(tmp_path / "data", real_time()) as house:
            await _sees_twenty(house)


async def _sees_twenty(house: House) -> None:
    guest = await house.guest()
    texts = [f"草莓 {number}" for number in range(20)]
    data = json.loads(re.search(r'id="page-data">(.*?)</script>', (await guest.page("/")).text)[1])  # type: ignore[index]
    assert [message["text"] for message in data["messages"]] == texts
    assert not data["has_more"]
    for address in (
        "recent_messages/",
        "recent_messages_apiint/100",
        "messages/?limit=50",
        "messages/?q=草莓&limit=50",
    ):
        found = (await guest.get(f"/api/{address}")).json["messages"]
        assert [message["text"] for message in found] == texts, address
    for after, epoch in ((0, data["epoch"]), (0, "another")):
        socket = await guest.socket(after=after, epoch=epoch)
        sync = await socket.expect("sync")
        assert not sync["complete"]
        assert [message["text"] for message in sync["messages"]] == texts
        assert socket.hello["seq"] == data["seq"]


async def test_a_member_who_was_away_is_told_of_each_deletion(house: House) -> None:
    ming = await house.member("小明")
    first = await ming.say("第一条")
    left = (await ming.socket()).hello
    gone = [(await ming.say("走了"))["id"] for _ in range(3)]
    for message_id in [first["id"], *gone]:
        await ming.delete(message_id)
    sync = await (await ming.socket(after=left["seq"], epoch=left["epoch"])).expect("sync")
    assert sync["complete"]
    assert [(each["id"], each["state"]) for each in sync["messages"]] == [
        (message_id, State.DELETED) for message_id in [first["id"], *gone]
    ]
