"""The newest messages in memory, as of one commit."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from chatserver.core.model import User
from chatserver.features.messages import recent as recent_module
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.recent import RecentMessages
from tests.stage import Stage


async def test_load_holds_deleted_rows_and_knows_what_it_does_not_hold(
    stage: Stage, ming: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 5):
        await stage.said(ming, str(number))
    await stage.room.delete.delete(ming, 4)
    await stage.room.recall.recall(ming, 1)
    monkeypatch.setattr(recent_module, "ROWS_MAX", 3)
    recent = RecentMessages(MessageEncoder(ZoneInfo("Asia/Shanghai")))
    await recent.load(stage.database)
    assert [message["id"] for message in json.loads(recent.newest(100))] == [2, 3]  # 4 is deleted
    assert recent.greeting() == {"epoch": recent.epoch, "seq": 6, "first_id": 1}
    assert recent.changes_after(5) is None  # the recall of 1, which is not held
    assert recent.changes_after(6) == b"[]"
