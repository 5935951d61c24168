"""The socket for `chatserver push`: which messages it hands over, and to which process."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatserver.features.push import delivery, handover
from chatserver.features.push.handover import FORGOTTEN_MAX, TAKEN_MAX
from tests.client import PATIENCE, Browser, House, opened
from tests.features.push.browsers import Device, from_base64url
from tests.support import eventually

SERVICE = "https://fcm.googleapis.com/fcm/send/"


async def ask(house: House, command: str, **arguments: Any) -> Any:
    """The answer of the push socket, as raw JSON."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_unix_connection(house.data_dir / "push" / "push.sock")
        writer.write(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        return answer


async def take(house: House, limit: int = TAKEN_MAX) -> list[Any]:
    found: list[Any] = (await ask(house, "push_take", limit=limit))["answer"]["messages"]
    return found


async def subscribed(house: House, name: str = "小明", **wishes: Any) -> tuple[Browser, Device]:
    member = await house.member(name)
    device = Device(f"{SERVICE}{member.login_token}")
    assert (await member.post_json("/push/", device.fields(**wishes))).status == 200
    return member, device


@pytest.mark.settings(push="on")
async def test_what_is_handed_over_is_what_a_push_service_wants(house: House, tmp_path: Path) -> None:
    assert (tmp_path / "push").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "push" / "push.sock").stat().st_mode & 0o777 == 0o666
    _, device = await subscribed(house, words=True)
    hong = await house.member("小红")
    posted = await hong.say("@小明 三点")
    [message] = await take(house)
    body = base64.b64decode(message.pop("body"))
    said = {"title": "聊天室", "body": "小红：@小明 三点", "tag": f"message-{posted['id']}", "alerts": True}
    assert device.payload(body) == said
    assert re.fullmatch(r"vapid t=[\w.-]+,k=[\w-]{87}", message["authorization"])
    claims = json.loads(from_base64url(message.pop("authorization").split(".")[1]))
    assert (claims["aud"], claims["sub"]) == ("https://fcm.googleapis.com", "https://localhost")
    assert message == {
        "subscription": 1,
        "endpoint": device.endpoint,
        "topic": f"message-{posted['id']}",
        "urgency": "normal",
        "ttl": 12 * 3600,
    }


async def test_where_others_may_enter_the_data_directory_the_socket_is_the_servers_own(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "of the operator").write_text("not empty, so its mode is kept")
    data.chmod(0o755)
    async with opened(data):
        assert (data / "push").stat().st_mode & 0o777 == 0o700
        assert (data / "push" / "push.sock").stat().st_mode & 0o777 == 0o600


@pytest.mark.settings(push="on")
async def test_a_request_waits_and_a_newer_one_takes_its_place(house: House) -> None:
    await subscribed(house)
    hong = await house.member("小红")
    older = asyncio.create_task(take(house))
    await eventually(lambda: house.server.room.push._newest)
    newer = asyncio.create_task(take(house))
    assert await older == []
    await hong.say("@小明")
    assert len(await newer) == 1


async def test_an_empty_answer_comes_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "WAIT_SECONDS", 0.01)
    async with opened(tmp_path, push="on") as house:
        assert await take(house) == []


async def test_a_session_that_ended_and_a_service_off_the_list_get_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "WAIT_SECONDS", 0.01)
    async with opened(tmp_path, push="on") as house:
        ming, _ = await subscribed(house)
        hong = await house.member("小红")
        await subscribed(house, "小花")
        await hong.say("@小明 一")
        await ming.post("/logout/")
        assert await take(house) == []
        await hong.say("@小花 二")
        await house.server.room.database.run(
            lambda tx: tx.execute("UPDATE push_subscriptions SET endpoint = 'https://push.example.org/x'")
        )
        assert await take(house) == []


@pytest.mark.settings(push="on")
async def test_a_subscription_that_its_service_does_not_know_is_forgotten(house: House) -> None:
    ming, _ = await subscribed(house)
    await subscribed(house, "小红")
    assert await ask(house, "push_forget", subscriptions=[1, 99]) == {"answer": {}}
    assert (await ming.get("/push/")).json["push"]["subscription"] is None
    rows = await house.server.room.database.run(lambda tx: tx.all("SELECT id FROM push_subscriptions"))
    assert rows == [(2,)]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("push_take", {}),
        ("push_take", {"limit": 0}),
        ("push_take", {"limit": TAKEN_MAX + 1}),
        ("push_take", {"limit": True}),
        ("push_take", {"limit": 1, "outcomes": ["sent"]}),
        ("push_take", {"limit": 1, "outcomes": {"lost": 1}}),
        ("push_take", {"limit": 1, "outcomes": {"sent": -1}}),
        ("push_take", {"limit": 1, "outcomes": {"sent": True}}),
        ("push_forget", {"subscriptions": "1"}),
        ("push_forget", {"subscriptions": [0]}),
        ("push_forget", {"subscriptions": [10**18]}),
        ("push_forget", {"subscriptions": [1] * (FORGOTTEN_MAX + 1)}),
        ("create-admin", {"name": "老王", "password": "correct horse 电池"}),
        ("list_members", {}),
        ("snapshot", {}),
    ],
)
async def test_it_can_do_nothing_else(house: House, command: str, arguments: dict[str, Any]) -> None:
    assert (await ask(house, command, **arguments))["refused"] == "bad_request"


async def test_the_settings_page_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "WAIT_SECONDS", 0.01)
    async with opened(tmp_path) as house:
        wang = await house.administrator("老王", Accept_Language="en")

        async def page() -> str:
            return (await wang.page("/settings/")).text

        assert "setting-note" not in await page()
        await wang.post("/settings/", {"push": "on"})
        assert "No process sends the notifications" in await page()
        await take(house)
        assert "setting-note" not in await page()
        house.clock.forward(delivery.ASKED_SECONDS)
        assert "No process sends the notifications" in await page()
        monkeypatch.setattr(handover, "IS_INSTALLED", False)
        assert "the extra push" in await page()
