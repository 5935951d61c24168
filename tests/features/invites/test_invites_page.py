"""The page of invitations, for administrators, programs and invited people."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from chatserver.http.qr_code import qr_code
from tests.client import HTML, Answer, Browser, House


async def made(admin: Browser, **fields: Any) -> Any:
    answer = await admin.post("/invites/", fields)
    assert answer.status == 201, answer.text
    return answer.json["invite"]


async def opened(admin: Browser) -> list[Any]:
    return (await admin.get("/invites/")).json["invites"]


def code(address: str) -> str:
    return address.partition("/register/?invite=")[2]


async def invited(house: House, name: str, address: str) -> Answer:
    return await (await house.guest()).register(name, invite=code(address))


async def test_a_program_makes_lists_and_withdraws(house: House) -> None:
    admin = await house.administrator()
    await admin.post("/settings/", {"registration": "invite"})
    invite = await made(admin, uses=2, hours=24)
    now_ms = house.clock.now_ms()
    assert invite["address"].startswith(f"{house.server.address}/register/?invite=")
    assert {name: value for name, value in invite.items() if name not in ("address", "id")} == {
        "uses_left": 2, "created_ms": now_ms, "expires_ms": now_ms + 24 * 3_600_000, "made_by": "店长",
        "joined": [], "joined_count": 0,
    }  # fmt: skip
    assert (await invited(house, "小明", invite["address"])).status == 201
    assert [(row["id"], row["uses_left"]) for row in await opened(admin)] == [(invite["id"], 1)]
    assert (await admin.post("/invites/", {"withdraw": invite["id"]})).json["invites"] == []
    assert (await invited(house, "小红", invite["address"])).code == "invite_invalid"
    assert (await admin.post("/invites/", {"withdraw": invite["id"]})).code == "not_found"


async def test_json_may_be_sent_too(house: House) -> None:
    admin = await house.administrator()
    answer = await admin.post_json("/invites/", {"uses": 3, "hours": 0.5})
    assert (answer.status, answer.json["invite"]["uses_left"]) == (201, 3)
    for wrong in ({"uses": True}, {"uses": 1.5}, {"uses": [1]}, {"uses": 10**400}):
        assert (await admin.post_json("/invites/", wrong)).json["error"]["field"] == "uses"


async def test_without_a_word_it_is_for_one_and_a_week(house: House) -> None:
    invite = await made(await house.administrator())
    assert (invite["uses_left"], invite["expires_ms"] - invite["created_ms"]) == (1, 168 * 3_600_000)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"uses": "0"}, "uses"), ({"uses": "10001"}, "uses"), ({"uses": "many"}, "uses"), ({"uses": "nan"}, "uses"),
        ({"hours": "0"}, "hours"), ({"hours": "8785"}, "hours"), ({"hours": "inf"}, "hours"),
        ({"hours": "nan"}, "hours"), ({"port": "80"}, "port"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_and_nothing_is_made(house: House, fields: Any, field: str) -> None:
    admin = await house.administrator()
    refused = await admin.post("/invites/", fields)
    assert (refused.status, refused.code, refused.json["error"]["field"]) == (400, "bad_request", field)
    page = await admin.post("/invites/", fields, headers=HTML)
    assert page.status == 400 and 'role="alert"' in page.text
    assert await opened(admin) == []


async def test_a_browser_makes_one_without_a_script_and_sees_its_address_once(house: House) -> None:
    admin = await house.administrator()
    answer = await admin.post("/invites/", {"uses": "5", "hours": "72"}, headers=HTML)
    assert answer.status == 201
    found = re.search(r'id="share-address">([^<]+)<', answer.text)
    assert found
    address = html.unescape(found[1])
    assert "可加入 5 人，有效期至 2026-11-25 14:36" in answer.text
    page = (await admin.page("/invites/")).text
    assert code(address) not in page and "share-address" not in page
    assert "还可加入 5 人" in page and "店长 创建于 2026-11-22 14:36" in page
    assert (await invited(house, "小明", address)).status == 201


async def test_a_browser_withdraws_one(house: House) -> None:
    admin = await house.administrator()
    invite = await made(admin, uses=5)
    page = (await admin.page("/invites/")).text
    assert f'name="withdraw" value="{invite["id"]}"' in page
    answer = await admin.post("/invites/", {"withdraw": invite["id"]}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/invites/?done=withdrawn")
    page = (await admin.page("/invites/?done=withdrawn")).text
    assert 'role="status"' in page and "data-invite" not in page and "没有有效的邀请" in page
    again = await admin.post("/invites/", {"withdraw": invite["id"]}, headers=HTML)
    assert again.status == 404 and 'role="alert"' in again.text


async def test_those_that_let_nobody_in_any_more_are_not_listed(house: House) -> None:
    admin = await house.administrator()
    await admin.post("/settings/", {"registration": "invite"})
    short, once, stays = await made(admin, hours=1), await made(admin, uses=1), await made(admin, uses=9)
    await invited(house, "小明", once["address"])
    house.clock.forward(3600)
    assert [row["id"] for row in await opened(admin)] == [stays["id"]]
    assert (await invited(house, "小红", short["address"])).code == "invite_invalid"


async def test_the_list_says_who_came_by_which_also_of_used_up_ones(house: House) -> None:
    admin = await house.administrator()
    await admin.post("/settings/", {"registration": "invite"})
    once, many = await made(admin, uses=1), await made(admin, uses=9)
    for name, invite in (("小明", once), ("小红", many), ("小刚", many)):
        assert (await invited(house, name, invite["address"])).status == 201
    told = (await admin.get("/invites/")).json
    [row], [past] = told["invites"], told["used"]
    assert (row["id"], row["joined"], row["joined_count"]) == (many["id"], ["小红", "小刚"], 2)
    assert past == {
        "id": once["id"], "created_ms": house.clock.now_ms(), "made_by": "店长", "joined": ["小明"], "joined_count": 1,
    }  # fmt: skip
    page = (await admin.page("/invites/")).text
    assert f'data-used="{once["id"]}"' in page and all(f">{name}</bdi>" in page for name in ("小明", "小红", "小刚"))
    withdrawn = (await admin.post("/invites/", {"withdraw": many["id"]})).json
    assert [each["id"] for each in withdrawn["used"]] == [many["id"], once["id"]]
    assert withdrawn["invites"] == []


async def test_a_new_one_has_a_qr_code_of_its_address(house: House) -> None:
    answer = await (await house.administrator()).post("/invites/", {"uses": "1"}, headers=HTML)
    found = re.search(r'id="share-address">([^<]+)<', answer.text)
    drawn = re.search(r'viewBox="0 0 (\d+) \d+"><path d="([^"]+)"', answer.text)
    assert found and drawn
    assert (int(drawn[1]), drawn[2]) == (qr_code(html.unescape(found[1])).size, qr_code(html.unescape(found[1])).path)
    assert "data-share" not in (await (await house.administrator()).page("/invites/")).text


async def test_the_operators_are_listed_and_may_be_withdrawn(house: House) -> None:
    admin = await house.administrator()
    await house.server.room.invites.create(3, 24)
    [invite] = await opened(admin)
    assert invite["made_by"] is None
    assert "在服务器上创建于" in (await admin.page("/invites/")).text
    assert (await admin.post("/invites/", {"withdraw": invite["id"]})).json["invites"] == []


async def test_who_is_an_administrator_no_longer_makes_none(house: House) -> None:
    admin, other = await house.administrator("店长"), await house.administrator("副店长")
    members = {row["name"]: row["id"] for row in (await admin.get("/members/")).json["members"]}
    await admin.post(f"/members/{members['副店长']}/", {"act": "demote"})
    assert (await other.post("/invites/", {"uses": "1"})).code == "forbidden"
    assert await opened(admin) == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("registration", ["open", "invite", "closed"])
async def test_the_page_says_whether_an_invitation_is_asked_for(house: House, language: str, registration: str) -> None:
    admin = await house.administrator()
    await admin.post("/settings/", {"registration": registration})
    page = (await admin.page(f"/invites/?lang={language}")).text
    assert f'<html lang="{language}"' in page
    assert ('href="/settings/#field-registration"' in page) == (registration != "invite")
    for there in ("/settings/", "/members/"):
        assert 'href="/invites/"' in (await admin.page(there)).text


@pytest.mark.parametrize("agent", ["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (iPhone) Mobile"])
async def test_the_room_leads_its_administrators_to_invitations(house: House, agent: str) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    # The link is in the menu, and in the room while it has no messages.
    assert (await admin.page("/", User_Agent=agent)).text.count('href="/invites/"') == 3
    assert 'href="/invites/"' not in (await ming.page("/", User_Agent=agent)).text
