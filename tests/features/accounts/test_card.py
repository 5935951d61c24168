"""The card of a member: profile, orders of the open window, and the acts that an administrator may do."""

from __future__ import annotations

from tests.client import House
from tests.support import eventually


async def acts(house: House, reader: object, member_id: int) -> list[str]:
    card = (await reader.get(f"/api/members/{member_id}/")).json  # type: ignore[attr-defined]
    return [act["act"] for act in card.get("acts", [])]


async def test_every_reader_sees_who_a_member_is_and_nothing_more(house: House) -> None:
    admin, ming = await house.administrator("店长"), await house.member("小明")
    members = {row["name"]: row for row in (await admin.get("/members/")).json["members"]}
    wanted = {name: members["小明"][name] for name in ("id", "name", "role", "avatar", "created_ms", "old_name")}
    await ming.say("你好")
    for reader in (await house.guest(), ming, await house.member("小红")):
        card = (await reader.get(f"/api/members/{wanted['id']}/")).json
        assert card == {"member": wanted, "orders": None}
    missing = await ming.get("/api/members/999/")
    assert (missing.status, missing.code) == (404, "not_found")
    await admin.post("/settings/", {"guests": "none"})
    assert (await (await house.guest()).get(f"/api/members/{wanted['id']}/")).status == 401


async def test_a_guest_sees_the_cards_of_those_whom_the_room_shows_and_cannot_count_through_all(house: House) -> None:
    ming, guest = await house.member("小明"), await house.guest()
    hidden = await guest.get("/api/members/1/")
    assert (hidden.status, hidden.code) == (404, "not_found")
    socket = await ming.socket()
    assert (await guest.get("/api/members/1/")).json["member"]["name"] == "小明"
    await socket.close()
    await eventually(lambda: not house.server.room.hub.is_online(1))
    assert (await guest.get("/api/members/1/")).status == 404
    message = await ming.say("你好")
    assert (await guest.get("/api/members/1/")).status == 200
    await ming.delete(message["id"])
    assert (await guest.get("/api/members/1/")).status == 404
    answers = [(await guest.get(f"/api/members/{n}/")).status for n in range(2, 20)]
    assert answers == [404] * 15 + [429] * 3
    assert (await ming.get("/api/members/1/")).status == 200


async def test_the_orders_are_those_of_the_open_window(house: House) -> None:
    admin, ming = await house.administrator("店长"), await house.member("小明")
    ids = {row["name"]: row["id"] for row in (await admin.get("/members/")).json["members"]}
    await admin.post_json("/send_preset/", {"command": "start", "seconds": 90})
    placed = [await ming.post_json("/order/", {"lines": [], "text": text}) for text in ("草莓两盒", "蓝莓一盒")]
    assert [answer.status for answer in placed] == [201, 201]
    assert (await admin.get(f"/api/members/{ids['小明']}/")).json["orders"] == 2
    assert (await admin.get(f"/api/members/{ids['店长']}/")).json["orders"] == 0
    await admin.post_json("/send_preset/", {"command": "stop"})
    assert (await admin.get(f"/api/members/{ids['小明']}/")).json["orders"] is None


async def test_administrators_are_told_what_they_may_do_in_their_language(house: House) -> None:
    admin, _ = await house.administrator("店长"), await house.member("小明")
    ids = {row["name"]: row["id"] for row in (await admin.get("/members/")).json["members"]}
    ming, own = ids["小明"], ids["店长"]
    assert await acts(house, admin, own) == []
    assert await acts(house, admin, ming) == ["mute", "promote", "take_name", "ban"]
    await admin.post_json(f"/members/{ming}/", {"act": "mute", "seconds": 600})
    card = (await admin.get(f"/api/members/{ming}/?lang=en")).json
    assert [act["act"] for act in card["acts"]] == ["mute", "unmute", "promote", "take_name", "ban"]
    assert card["muted_until_ms"] == house.clock.now_ms() + 600_000 and card["banned"] is False
    assert [act for act in card["acts"] if act["act"] == "mute"] == [
        {"act": "mute", "label": "Mute", "done": card["acts"][0]["done"]}
    ]
    assert "小明" in card["acts"][-1]["question"]
    assert card["spans"][0] == {"seconds": 600, "label": "10 minutes"}
    await admin.post_json(f"/members/{ming}/", {"act": "ban"})
    assert await acts(house, admin, ming) == ["take_name", "unban"]
    await admin.post_json(f"/members/{ming}/", {"act": "unban"})
    await admin.post_json(f"/members/{ming}/", {"act": "promote"})
    assert await acts(house, admin, ming) == ["mute", "unmute", "demote", "take_name", "ban"]
