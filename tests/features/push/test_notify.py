"""Which members get which notification, and which notifications are replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatserver.core.model import User
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.post import MessagePosted
from chatserver.features.push import queue as queue_module
from chatserver.features.push import store
from chatserver.features.push.queue import Push, PushQueue
from chatserver.features.push.store import Address, NotificationPreferences
from tests.client import House
from tests.features.push.browsers import Device
from tests.stage import Stage, staged
from tests.support import START_MS, FakeClock, eventually

SERVICE = "https://fcm.googleapis.com/fcm/send/"
ALL = {"opened": True, "closes": True, "named": True, "words": False, "quiet_from": None, "quiet_to": None}


pytestmark = pytest.mark.settings(push="on", send_interval=0, room_name="水果团")


@pytest.fixture
async def stage(stage: Stage) -> Stage:
    await stage.room.notify.load()
    return stage


async def wants(stage: Stage, member: User, language: str = "zh", **wishes: Any) -> int:
    """Store a subscription of a new session. Returns its id."""
    await stage.room.sessions.start(member.id, "", "192.0.2.1")
    [(session_id,)] = await stage.sql("SELECT max(id) FROM sessions")
    address = Address(f"{SERVICE}{session_id}", bytes(65), bytes(16))
    wished = NotificationPreferences(language=language, **{**ALL, **wishes})
    await stage.run(lambda tx: store.put(tx, member.id, session_id, address, wished, 0))
    [(found,)] = await stage.sql("SELECT id FROM push_subscriptions WHERE session_id = ?", session_id)
    return int(found)


async def queued(stage: Stage) -> list[tuple[int, str, bool]]:
    """Subscription, text and whether it alerts, for all queued messages; and empty the queue."""
    return [(push.subscription_id, said["body"], said["alerts"]) for push, said in await pushes(stage)]


async def pushes(stage: Stage) -> list[tuple[Push, dict[str, Any]]]:
    for _ in range(2):  # wait until earlier requests to the database are answered and their results were handled
        await stage.sql("SELECT 1")
    taken = stage.room.push.queue.take(1000, stage.clock.now_ms())
    return [(push, json.loads(push.payload)) for push in taken]


async def test_a_mention_and_a_reply_tell_their_member_without_the_words(stage: Stage, ming: User, hong: User) -> None:
    hers, his = await wants(stage, hong), await wants(stage, ming, "en")
    message = (await stage.say(ming, "@小红 三点见 @小明")).message
    [(push, said)] = await pushes(stage)
    assert (push.subscription_id, push.topic, push.urgency) == (hers, f"message-{message.id}", "normal")
    assert push.expires_ms == START_MS + 12 * 3_600_000
    assert said == {"title": "水果团", "body": "小明提到了你", "tag": f"message-{message.id}", "alerts": True}
    await stage.say(hong, "好", reply_to=message.id)
    assert await queued(stage) == [(his, "小红 replied to you", True)]
    await stage.say(hong, "你们好")
    await stage.say(hong, "小明 you")
    assert await queued(stage) == []


async def test_the_words_come_where_they_are_wanted(stage: Stage, ming: User, hong: User) -> None:
    hers = await wants(stage, hong, words=True)
    await stage.say(ming, "@小红\n三点  见")
    await stage.say(ming, "@小红 " + "很" * 500)
    first, second = await queued(stage)
    assert first == (hers, "小明：@小红 三点 见", True)
    assert second[1] == "小明：@小红 " + "很" * 116 + "…"


async def test_an_administrator_tells_all_and_nobody_themself(stage: Stage, wang: User, ming: User, hong: User) -> None:
    await wants(stage, wang)
    his, hers = await wants(stage, ming), await wants(stage, hong, named=False)
    await stage.say(wang, "@所有人 三点开会")
    assert await queued(stage) == [(his, "老王提到了所有人", True)]
    await stage.say(ming, "@所有人 我来晚了 @小明")
    assert await queued(stage) == []
    assert hers


async def test_nothing_is_told_while_it_is_off(stage: Stage, wang: User, ming: User) -> None:
    await wants(stage, ming)
    stage.set(push="off")
    await stage.say(wang, "@小明")
    await stage.room.windows.start(wang, 600)
    stage.clock.forward(545)
    assert await stage.room.notify.next_warning() is None
    await stage.room.notify.warn()
    assert await queued(stage) == []


async def test_a_recall_takes_it_out_of_the_queue_or_off_the_screen(stage: Stage, ming: User, hong: User) -> None:
    hers = await wants(stage, hong, words=True)
    message = (await stage.say(ming, "@小红 密码是 123")).message
    await stage.sql("SELECT 1")
    await stage.room.recall.recall(ming, message.id)
    assert await queued(stage) == []
    for take_back in (stage.room.recall.recall, stage.room.delete.delete):
        message = (await stage.say(ming, "@小红 密码是 123")).message
        assert len(await queued(stage)) == 1
        await take_back(ming, message.id)
        [(push, said)] = await pushes(stage)
        assert (push.subscription_id, said["tag"]) == (hers, f"message-{message.id}")
        assert (said["body"], said["alerts"]) == ("消息已撤回或删除", False)
        assert "123" not in push.payload.decode()


async def test_an_edit_replaces_the_words_and_tells_whom_it_names_now(stage: Stage, ming: User, hong: User) -> None:
    hua = await stage.join("小花")
    with_words, without, third = await wants(stage, hong, words=True), await wants(stage, hong), await wants(stage, hua)
    message = (await stage.say(ming, "@小红 三点")).message
    assert {key for key, _, _ in await queued(stage)} == {with_words, without}
    await stage.room.edit.edit(ming, message.id, "@小红 四点")
    assert await queued(stage) == [(with_words, "小明：@小红 四点", True)]
    await stage.room.edit.edit(ming, message.id, "@小花 五点")
    assert await queued(stage) == [(third, "小明提到了你", True), (with_words, "小明改了消息", False)]
    await stage.room.edit.edit(ming, message.id, "没事了")
    assert await queued(stage) == []


async def test_an_edit_takes_the_old_words_also_from_who_is_not_told_now(stage: Stage, ming: User, hong: User) -> None:
    hers = await wants(stage, hong, words=True)
    message = (await stage.say(ming, "@小红 三点")).message
    await queued(stage)
    await stage.sql("UPDATE push_subscriptions SET quiet_from = 0, quiet_to = 1439")
    await stage.room.edit.edit(ming, message.id, "@小红 四点")
    assert await queued(stage) == [(hers, "小明改了消息", False)]


async def test_a_message_that_is_gone_before_it_was_read_tells_nobody(stage: Stage, ming: User, hong: User) -> None:
    await wants(stage, hong)
    message = (await stage.say(ming, "@小红 一")).message
    await queued(stage)
    await stage.sql("UPDATE messages SET state = 'recalled', text = '' WHERE id = ?", message.id)
    stage.room.notify.on_posted(MessagePosted(message, MessageEncoder(stage.room.settings.now.timezone)))
    assert await queued(stage) == []


async def test_an_opened_window_is_told_once(stage: Stage, wang: User, ming: User, hong: User) -> None:
    await wants(stage, wang)
    his, hers = await wants(stage, ming), await wants(stage, hong, "en", opened=False)
    posted = await stage.room.windows.start(wang, 600)
    [(push, said)] = await pushes(stage)
    assert (push.subscription_id, push.urgency, push.expires_ms) == (his, "high", posted.window.closes_ms)
    assert said == {"title": "水果团", "body": "开始下单", "tag": f"window-{posted.window.id}", "alerts": True}
    await stage.room.windows.start(wang, 700)
    assert await queued(stage) == [], "its end was moved"
    await stage.room.windows.stop(wang)
    assert await queued(stage) == []
    await stage.room.windows.start(wang, 600)
    assert [key for key, _, _ in await queued(stage)] == [his]
    assert hers


async def test_what_waits_of_a_window_that_was_closed_is_dropped(stage: Stage, wang: User, ming: User) -> None:
    await wants(stage, ming)
    await stage.room.windows.start(wang, 600)
    await stage.sql("SELECT 1")
    assert len(stage.room.push.queue) == 1
    await stage.room.windows.stop(wang)
    assert len(stage.room.push.queue) == 0


async def test_the_end_is_told_a_minute_before(stage: Stage, wang: User, ming: User, hong: User) -> None:
    his, hers = await wants(stage, ming), await wants(stage, hong, "en", opened=False)
    window = (await stage.room.windows.start(wang, 600)).window
    await queued(stage)
    notify = stage.room.notify
    assert await notify.next_warning() == window.closes_ms - 60_000
    stage.clock.forward(539)
    await notify.warn()
    assert await queued(stage) == []
    stage.clock.forward(1)
    await notify.warn()
    assert await queued(stage) == [(his, "下单还有 1 分钟结束", True), (hers, "Ordering ends in a minute", True)]
    assert await notify.next_warning() is None
    await notify.warn()
    assert await queued(stage) == []
    moved = (await stage.room.windows.start(wang, 600)).window
    assert await notify.next_warning() == moved.closes_ms - 60_000


async def test_a_short_window_has_no_warning(stage: Stage, wang: User, ming: User) -> None:
    await wants(stage, ming, opened=False)
    await stage.room.windows.start(wang, 120)
    stage.clock.forward(61)
    await stage.room.notify.warn()
    assert await stage.room.notify.next_warning() is None
    assert await queued(stage) == []


async def test_a_restart_tells_nothing_twice(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock, push="on") as first:
        wang = await first.join("老王")
        await first.sql("UPDATE users SET role = 'administrator'")
        await wants(first, await first.join("小明"))
        await first.room.windows.start(wang, 600)
        clock.forward(550)
    async with staged(tmp_path, clock, push="on") as second:
        await second.room.notify.load()
        assert await second.room.notify.next_warning() is None
        await second.room.notify.warn()
        await second.room.windows.start(wang, 700)
        assert [body for _, body, _ in await queued(second)] == []


async def test_quiet_hours_are_in_the_rooms_time_zone(stage: Stage, wang: User, ming: User) -> None:
    """The clock shows 14:36 in Shanghai."""
    await wants(stage, ming, quiet_from=14 * 60, quiet_to=15 * 60)
    later = await wants(stage, ming, quiet_from=22 * 60, quiet_to=7 * 60)
    await stage.say(wang, "@小明")
    assert [key for key, _, _ in await queued(stage)] == [later]


async def test_a_member_who_is_connected_is_not_told(house: House) -> None:
    ming, hong = await house.member("小明"), await house.member("小红")
    await ming.post_json("/push/", Device(SERVICE + "a").fields())
    socket = await ming.socket()
    await hong.say("@小明 一")
    await settled(house)
    assert len(house.server.room.push.queue) == 0
    await socket.close()
    await eventually(lambda: not house.server.room.hub.online)
    await hong.say("@小明 二")
    await settled(house)
    assert len(house.server.room.push.queue) == 1


async def settled(house: House) -> None:
    await house.server.room.database.run(lambda tx: None)


def test_the_queue_is_bounded_and_replaces_what_is_older(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "QUEUE_MAX", 3)
    queue = PushQueue()
    for n in range(4):
        queue.put(Push(n, "t", b"", "normal", 100))
    assert len(queue) == 3 and not queue.drop(0, "t"), "the oldest went"
    queue.put(Push(1, "t", b"new", "normal", 100))
    queue.put(Push(9, "t", b"", "normal", 5))
    assert len(queue) == 3
    assert queue.drop(3, "t") and not queue.drop(3, "t")
    assert [push.payload for push in queue.take(10, 5)] == [b"new"], "what has expired is dropped"
    assert queue.take(10, 0) == []
