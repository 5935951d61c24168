"""`sync` frames are shared by clients that missed the same changes, and dropped at the next change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatserver.core.model import User
from chatserver.features.accounts.events import MemberChanged
from chatserver.features.messages.recent import RecentMessages
from chatserver.features.messages.sync import KEPT_MAX, SyncFrames
from tests.stage import Stage


@pytest.fixture
async def recent(stage: Stage, ming: User) -> RecentMessages:
    stage.set(send_interval=0)
    await stage.room.recent.load(stage.database)
    for number in range(1, 4):
        await stage.said(ming, str(number))
    return stage.room.recent


def read(frame: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(frame[frame.index(b"{") :])
    return found


def texts(frame: bytes) -> list[str]:
    return [message["text"] for message in read(frame)["messages"]]


async def test_one_frame_serves_all_who_have_missed_the_same(recent: RecentMessages) -> None:
    syncs = SyncFrames(recent)
    assert texts(syncs.frame("1", recent.epoch)) == ["2", "3"]
    assert syncs.frame("1", recent.epoch) is syncs.frame("1", recent.epoch)
    assert texts(syncs.frame("2", recent.epoch)) == ["3"]
    assert read(syncs.frame("1", recent.epoch))["complete"]
    for after, epoch in (("1", "another"), ("x", recent.epoch), ("9", recent.epoch)):
        assert not read(syncs.frame(after, epoch))["complete"]
        assert texts(syncs.frame(after, epoch)) == ["1", "2", "3"]


async def test_each_change_is_in_the_next_frame(stage: Stage, ming: User, recent: RecentMessages) -> None:
    syncs = SyncFrames(recent)
    syncs.frame("1", recent.epoch)
    await stage.said(ming, "4")
    assert texts(syncs.frame("1", recent.epoch)) == ["2", "3", "4"]
    await stage.room.recall.recall(ming, 2)
    assert texts(syncs.frame("1", recent.epoch)) == ["3", "4", ""]
    recent.on_member_changed(MemberChanged(ming._replace(avatar="avatars/new.webp")))
    authors = {message["avatar"] for message in read(syncs.frame("1", recent.epoch))["messages"]}
    assert authors == {"/media/avatars/new.webp"}


async def test_no_more_frames_are_kept_than_a_few(recent: RecentMessages) -> None:
    syncs = SyncFrames(recent)
    first = syncs.frame("1", recent.epoch)
    for after in range(100, 100 + KEPT_MAX):
        syncs.frame(str(after), recent.epoch)
    assert syncs.frame("1", recent.epoch) is not first
