"""Subscriptions: who may have one, for which addresses, and when it is deleted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatserver.features.push import subscriptions
from chatserver.features.push.store import SUBSCRIPTIONS_OF_MEMBER_MAX, NotificationPreferences
from tests.client import HTML, JSON, PASSWORD, Browser, House, opened
from tests.features.push.browsers import Device

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/"


def device(name: str = "a") -> Device:
    return Device(ENDPOINT + name)


async def rows(house: House) -> list[Any]:
    return await house.server.room.database.run(
        lambda tx: tx.all("SELECT user_id, endpoint, words FROM push_subscriptions ORDER BY id")
    )


async def shown(browser: Browser) -> Any:
    return (await browser.get("/push/")).json["push"]


async def test_it_is_off_until_an_administrator_turns_it_on(house: House) -> None:
    wang, ming = await house.administrator("老王"), await house.member("小明")
    assert await shown(ming) == {"state": "off", "key": "", "subscription": None}
    refused = await ming.post_json("/push/", device().fields())
    assert (refused.status, refused.code) == (403, "forbidden")
    assert "/push/" not in (await ming.page("/profile/")).text
    assert "没有开启" in (await ming.page("/push/", Accept_Language="zh")).text
    assert not (house.data_dir / "vapid.key").exists()

    assert (await wang.post("/settings/", {"push": "on"})).status == 200
    assert 'href="/push/"' in (await ming.page("/profile/")).text
    key = (await shown(ming))["key"]
    assert re.fullmatch("[A-Za-z0-9_-]{87}", key)
    assert f'data-key="{key}"' in (await ming.page("/push/")).text
    audited = await house.server.room.database.run(lambda tx: tx.all("SELECT act, details FROM audit"))
    assert [json.loads(details) for act, details in audited if act == "setting.change"] == [
        {"setting": "push", "before": "off", "after": "on"}
    ]


async def test_without_the_packages_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "IS_INSTALLED", False)
    async with opened(tmp_path, push="on") as house:
        wang = await house.administrator("老王", Accept_Language="en")
        assert await shown(wang) == {"state": "not_installed", "key": "", "subscription": None}
        assert (await wang.post_json("/push/", device().fields())).code == "forbidden"
        assert "are not installed" in (await wang.page("/push/")).text


@pytest.mark.settings(push="on")
async def test_a_browser_says_what_it_wishes_and_changes_it(house: House) -> None:
    ming, phone = await house.member("小明"), device()
    answer = await ming.post_json("/push/", phone.fields(quiet_from="22:00", quiet_to="07:30"))
    assert answer.status == 200
    wished = {"opened": True, "closes": True, "named": True, "words": False}
    assert answer.json["push"]["subscription"] == {**wished, "quiet_from": "22:00", "quiet_to": "07:30"}
    assert answer.json["push"] == await shown(ming)
    page = (await ming.page("/push/")).text
    assert 'value="22:00"' in page and "data-subscribed" in page

    [(_, endpoint, _)] = await rows(house)
    changed = phone.fields(closes=False, words=True, quiet_from="", quiet_to=None)
    assert (await ming.post_json("/push/", changed)).json["push"]["subscription"] == {
        **wished, "closes": False, "words": True, "quiet_from": "", "quiet_to": "",
    }  # fmt: skip
    assert [(row[1], row[2]) for row in await rows(house)] == [(endpoint, 1)]
    assert (await ming.post_json("/push/", {"off": True})).json["push"]["subscription"] is None
    assert await rows(house) == []


@pytest.mark.settings(push="on")
async def test_a_form_does_too(house: House) -> None:
    ming = await house.member("小明")
    fields = {**device().fields(), "opened": "1", "closes": "", "named": "1", "words": ""}
    assert (await ming.post("/push/", fields)).json["push"]["subscription"]["closes"] is False
    assert (await ming.post("/push/", {"off": "1"})).json["push"]["subscription"] is None


@pytest.mark.settings(push="on")
@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"endpoint": "https://push.example.org/x"}, "bad_request", "endpoint"),
        ({"endpoint": "http://fcm.googleapis.com/x"}, "bad_request", "endpoint"),
        ({"endpoint": "https://127.0.0.1/x"}, "bad_request", "endpoint"),
        ({"endpoint": "https://fcm.googleapis.com/" + "x" * 2000}, "bad_request", "endpoint"),
        ({"endpoint": None}, "bad_request", "endpoint"),
        ({"endpoint": 7}, "bad_request", "endpoint"),
        ({"p256dh": "AAAA"}, "bad_request", "p256dh"),
        ({"p256dh": "BA" + "A" * 85}, "bad_request", "p256dh"),
        ({"p256dh": "?"}, "bad_request", "p256dh"),
        ({"auth": "AAAA"}, "bad_request", "auth"),
        ({"auth": ["x"]}, "bad_request", "auth"),
        ({"opened": 2}, "bad_request", "opened"),
        ({"words": "yes"}, "bad_request", "words"),
        ({"quiet_from": "22:00"}, "bad_request", "quiet_to"),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "bad_request", "quiet_to"),
        ({"quiet_from": "24:00", "quiet_to": "07:00"}, "bad_request", "quiet_from"),
        ({"quiet_from": 5, "quiet_to": "07:00"}, "bad_request", "quiet_from"),
        ({"opened": False, "closes": False, "named": False}, "empty", None),
    ],
)
async def test_anything_else_is_refused(house: House, changed: dict[str, Any], code: str, field: str | None) -> None:
    ming = await house.member("小明")
    refused = await ming.post_json("/push/", {**device().fields(), **changed})
    assert (refused.status, refused.code, refused.json["error"].get("field")) == (400, code, field)
    assert await rows(house) == []


@pytest.mark.settings(push="on")
async def test_only_a_page_of_the_room_and_only_members(house: House) -> None:
    ming, guest = await house.member("小明"), await house.guest()
    forged = await ming.request("POST", "/push/", json=device().fields(), headers=JSON)
    assert (forged.status, forged.code) == (403, "csrf")
    assert (await guest.get("/push/")).code == "login_required"
    assert (await guest.post_json("/push/", device().fields())).code == "login_required"
    assert await rows(house) == []


@pytest.mark.settings(push="on")
async def test_a_member_has_at_most_five_and_the_oldest_goes(house: House) -> None:
    await house.member("小明")
    for n in range(SUBSCRIPTIONS_OF_MEMBER_MAX + 1):
        browser = await house.guest()
        await browser.log_in("小明")
        assert (await browser.post_json("/push/", device(str(n)).fields())).status == 200
    assert [row[1] for row in await rows(house)] == [f"{ENDPOINT}{n}" for n in range(1, 6)]


@pytest.mark.settings(push="on")
async def test_a_browser_on_which_another_member_logs_in_tells_that_one_alone(house: House) -> None:
    ming, hong, shared = await house.member("小明"), await house.member("小红"), device()
    await ming.post_json("/push/", shared.fields())
    await hong.post_json("/push/", shared.fields())
    assert len(await rows(house)) == 1
    assert (await shown(ming))["subscription"] is None
    assert (await shown(hong))["subscription"] is not None


@pytest.mark.settings(push="on")
async def test_it_ends_with_the_session(house: House) -> None:
    """It ends by a logout, a new password, and a ban."""
    wang = await house.administrator("老王")
    ming, other = await house.member("小明"), await house.guest()
    await other.log_in("小明")
    await other.post_json("/push/", device("other").fields())
    await ming.post_json("/push/", device("own").fields())
    assert len(await rows(house)) == 2
    await ming.post("/profile/", {"old_password": PASSWORD, "new_password": "another long one"})
    assert [row[1] for row in await rows(house)] == [ENDPOINT + "own"]
    await ming.post("/logout/")
    assert await rows(house) == []
    await ming.log_in("小明", "another long one")
    await ming.post_json("/push/", device("own").fields())
    [(member_id, _, _)] = await rows(house)
    await wang.post(f"/members/{member_id}/", {"act": "ban"})
    assert await rows(house) == []


@pytest.mark.settings(push="on")
async def test_changes_have_a_limit(house: House) -> None:
    ming, phone = await house.member("小明"), device()
    for _ in range(subscriptions.CHANGES_AT_ONCE):
        assert (await ming.post_json("/push/", phone.fields())).status == 200
    assert (await ming.post_json("/push/", phone.fields())).code == "too_fast"


@pytest.mark.settings(push="on")
async def test_the_page_speaks_both_languages(house: House) -> None:
    ming = await house.member("小明")
    assert "Quiet hours" in (await ming.get("/push/?lang=en", HTML)).text
    assert "免打扰时段" in (await ming.get("/push/?lang=zh", HTML)).text


@pytest.mark.parametrize(
    ("quiet", "minute", "is_quiet"),
    [
        ((None, None), 0, False),
        ((60, 120), 59, False),
        ((60, 120), 60, True),
        ((60, 120), 119, True),
        ((60, 120), 120, False),
        ((1320, 420), 1320, True),
        ((1320, 420), 0, True),
        ((1320, 420), 419, True),
        ((1320, 420), 420, False),
        ((1320, 420), 1319, False),
    ],
)
def test_quiet_hours_may_last_over_midnight(quiet: tuple[Any, Any], minute: int, is_quiet: bool) -> None:
    assert NotificationPreferences("zh", True, True, True, False, *quiet).is_quiet(minute) is is_quiet
