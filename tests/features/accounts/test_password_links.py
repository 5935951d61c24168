"""Password links: who makes one for which member; each works once, for a day, and only for its member."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.model import Role, User
from chatserver.features.accounts.moderate import Act
from chatserver.features.accounts.password_links import LINKS_MAX, WRONG_TOKENS_MAX
from tests.client import HTML, PASSWORD, Browser, House
from tests.stage import Stage, refuses, staged
from tests.support import FakeClock

NEW = "a new long secret"
HERE = "192.0.2.1"


async def token_for(stage: Stage, member: User, maker: User | None) -> str:
    return (await stage.room.password_links.create(member.id, maker)).token


async def assert_gone(stage: Stage, token: str) -> None:
    with refuses(ErrorCode.GONE):
        await stage.room.password_links.member_of(token, HERE)
    with refuses(ErrorCode.GONE):
        await stage.room.password_links.use(token, NEW, HERE)


async def test_a_link_sets_the_password_once_and_ends_all_logins(stage: Stage, wang: User) -> None:
    ming, links = await stage.join("小明"), stage.room.password_links
    session = await stage.room.sessions.start(ming.id, "", HERE)
    token = await token_for(stage, ming, wang)
    assert (await links.member_of(token, HERE)).name == "小明"
    with refuses(ErrorCode.PASSWORD_WEAK):
        await links.use(token, "12345678", HERE)
    assert await stage.room.sessions.find(session)
    await links.use(token, NEW, HERE)
    assert await stage.room.sessions.find(session) is None
    assert (await stage.room.login.authenticate("小明", NEW, HERE)).user.id == ming.id
    await assert_gone(stage, token)
    assert await stage.sql("SELECT * FROM password_links") == []


async def test_it_is_valid_for_a_day_and_a_new_one_takes_its_place(stage: Stage, wang: User) -> None:
    ming = await stage.join("小明")
    first, second = await token_for(stage, ming, wang), await token_for(stage, ming, wang)
    await assert_gone(stage, first)
    stage.clock.forward(24 * 3600 - 1)
    assert (await stage.room.password_links.member_of(second, HERE)).id == ming.id
    stage.clock.forward(1)
    await assert_gone(stage, second)
    await token_for(stage, await stage.join("小红"), wang)
    assert len(await stage.sql("SELECT * FROM password_links")) == 1


async def test_only_administrators_make_one_and_for_members_alone(stage: Stage, wang: User) -> None:
    ming, other = await stage.join("小明"), await stage.join("店长", Role.ADMINISTRATOR)
    for maker, member in ((ming, ming), (ming, other), (wang, other), (wang, wang)):
        with refuses(ErrorCode.FORBIDDEN):
            await token_for(stage, member, maker)
    with refuses(ErrorCode.NOT_FOUND):
        await stage.room.password_links.create(999, wang)
    await stage.room.members.act(wang, ming.id, Act.BAN)
    with refuses(ErrorCode.BANNED):
        await token_for(stage, ming, wang)
    assert (await stage.room.password_links.member_of(await token_for(stage, other, None), HERE)).id == other.id


@pytest.mark.parametrize("act", [Act.BAN, Act.PROMOTE])
async def test_it_ends_with_what_its_member_was(stage: Stage, wang: User, act: Act) -> None:
    ming = await stage.join("小明")
    token = await token_for(stage, ming, wang)
    await stage.room.members.act(wang, ming.id, act)
    await assert_gone(stage, token)
    await stage.room.members.act(wang, ming.id, {Act.BAN: Act.UNBAN, Act.PROMOTE: Act.DEMOTE}[act])
    await assert_gone(stage, token)


@pytest.mark.parametrize("act", [Act.BAN, Act.DEMOTE])
async def test_it_ends_with_the_role_of_who_made_it(stage: Stage, wang: User, act: Act) -> None:
    ming, other = await stage.join("小明"), await stage.join("店长", Role.ADMINISTRATOR)
    token = await token_for(stage, ming, other)
    await stage.room.members.act(wang, other.id, act)
    await assert_gone(stage, token)


async def test_it_survives_a_restart_and_the_database_holds_no_token(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        wang, ming = await stage.join("老王", Role.ADMINISTRATOR), await stage.join("小明")
        token = await token_for(stage, ming, wang)
        assert token.encode() not in stage.files()
    async with staged(tmp_path, clock) as stage:
        await stage.room.password_links.use(token, NEW, HERE)


async def test_links_and_wrong_tokens_are_limited(stage: Stage, wang: User) -> None:
    ming = await stage.join("小明")
    for _ in range(LINKS_MAX):
        token = await token_for(stage, ming, wang)
    with refuses(ErrorCode.TOO_FAST):
        await token_for(stage, ming, wang)
    for _ in range(WRONG_TOKENS_MAX):
        with refuses(ErrorCode.GONE):
            await stage.room.password_links.member_of("guessed", HERE)
    with refuses(ErrorCode.TOO_FAST):
        await stage.room.password_links.member_of(token, HERE)
    assert await stage.room.password_links.member_of(token, "192.0.2.2")
    stage.clock.forward(3600)
    assert await stage.room.password_links.member_of(token, HERE)


async def ids(admin: Browser) -> dict[str, Any]:
    return {row["name"]: row["id"] for row in (await admin.get("/members/")).json["members"]}


async def test_a_program_makes_one_and_its_page_logs_the_member_in(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    answer = await admin.post(f"/members/{(await ids(admin))['小明']}/password-link")
    link = answer.json["link"]
    assert answer.status == 201 and link["expires_ms"] == house.clock.now_ms() + 24 * 3_600_000
    assert link["address"].startswith(f"{house.server.address}/password/") and "小明" in link["message"]
    assert set(link["code"]) == {"size", "path"}
    path, guest = link["address"].removeprefix(house.server.address), await house.guest()
    page = await guest.page(path)
    assert page.status == 200 and "小明" in page.text
    weak = await guest.post(path, {"password": "12345678"}, headers=HTML)
    assert weak.status == 400 and 'role="alert"' in weak.text
    done = await guest.post(path, {"password": NEW}, headers=HTML)
    assert (done.status, done.headers["Location"]) == (303, "/")
    assert (await guest.page("/profile/")).status == 200
    assert (await ming.get("/profile/")).status in (303, 401)
    assert (await (await house.guest()).log_in("小明", PASSWORD)).code == "login_failed"
    again = await (await house.guest()).page(path)
    assert again.status == 410 and "管理员" in again.text


async def test_a_browser_makes_one_without_a_script_and_sees_it_once(house: House) -> None:
    admin, _ = await house.administrator(), await house.member("小明")
    page, member_id = (await admin.page("/members/")).text, (await ids(admin))["小明"]
    assert re.findall(r'formaction="([^"]+)"', page) == [f"/members/{member_id}/password-link"]
    answer = await admin.post(f"/members/{member_id}/password-link", headers=HTML)
    found = re.search(r'id="share-address">([^<]+)<', answer.text)
    assert answer.status == 201 and found and "qr-code" in answer.text
    path = html.unescape(found[1]).removeprefix(house.server.address)
    assert (await (await house.guest()).post(path, {"password": NEW})).json["user"]["name"] == "小明"
