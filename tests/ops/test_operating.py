"""The operator's commands on a real room, while the server runs and while it does not."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.client import PASSWORD, House, opened
from tests.ops.conftest import Operate

NEW_PASSWORD = "another long one"


Run = Callable[..., Awaitable[str]]


@pytest.fixture
def run(operate: Operate) -> Run:
    """`run(data_dir, "invite")` returns the command's output: standard output if it succeeds, else standard error."""

    async def run_command(data_dir: Path, *argv: str, typed: str = "", code: int = 0) -> str:
        done = await operate(*argv, "--data-dir", data_dir, typed=typed)
        assert done.code == code, done.err
        return done.err if code else done.out

    return run_command


async def test_a_reset_password_ends_every_session_of_a_running_room(house: House, run: Run) -> None:
    ming, hong = await house.member("小明"), await house.member("小红")
    socket, other = await ming.socket(), await hong.socket()
    argv = ["reset-password", "小明", "--password-stdin", "--json"]
    told = json.loads(await run(house.data_dir, *argv, typed=NEW_PASSWORD + "\n"))
    assert told == {"name": "小明", "sessions_ended": 1}
    assert await socket.closed() == 4401
    assert (await ming.log_in("小明", PASSWORD)).code == "login_failed"
    assert (await ming.log_in("小明", NEW_PASSWORD)).status == 200
    assert (await other.say("still here"))["type"] == "ack"
    told = await run(house.data_dir, "reset-password", "小刚", "--password-stdin", typed=NEW_PASSWORD + "\n", code=1)
    assert told == "chatserver: there is no member named '小刚'\n"


async def test_a_link_to_set_a_password_opens_that_of_an_administrator_too(house: House, run: Run) -> None:
    await house.administrator("店长")
    address = (await run(house.data_dir, "reset-password", "店长", "--link")).strip()
    assert address.startswith(f"{house.address}/password/")
    guest = await house.guest()
    assert (await guest.post(address.removeprefix(house.address), {"password": NEW_PASSWORD})).status == 200
    told = json.loads(await run(house.data_dir, "reset-password", "店长", "--link", "--json"))
    assert told["name"] == "店长" and told["expires_ms"] == house.clock.now_ms() + 24 * 3_600_000
    told = await run(house.data_dir, "reset-password", "小刚", "--link", code=1)
    assert told == "chatserver: there is no member named '小刚'\n"


async def test_the_same_while_nobody_serves(tmp_path: Path, run: Run) -> None:
    async with opened(tmp_path) as house:
        await house.member("小明")
    assert "小明 has a new password" in await run(
        tmp_path, "reset-password", "小明", "--password-stdin", typed=NEW_PASSWORD + "\n"
    )
    async with opened(tmp_path) as house:
        assert (await (await house.guest()).log_in("小明", NEW_PASSWORD)).status == 200


async def test_the_members_of_a_room(tmp_path: Path, run: Run) -> None:
    async with opened(tmp_path) as house:
        await house.administrator("店长")
        await house.member("小明")
        running: list[dict[str, Any]] = json.loads(await run(tmp_path, "list-members", "--json"))
    assert json.loads(await run(tmp_path, "list-members", "--json")) == running
    assert [(member["name"], member["role"]) for member in running] == [("店长", "administrator"), ("小明", "member")]
    assert {member["created_ms"] for member in running} == {house.clock.now_ms()}
    assert {member["seen_ms"] for member in running} == {house.clock.now_ms()}
    assert {member["banned"] for member in running} == {False}


async def test_an_invitation_opens_the_door_of_the_address_that_it_names(tmp_path: Path, run: Run) -> None:
    async with opened(tmp_path, registration="invite") as house:
        address = (await run(tmp_path, "invite")).strip()
        assert address.startswith(f"{house.address}/register/?invite=")
        guest = await house.guest()
        assert (await guest.page(address.removeprefix(house.address))).status == 200
        assert (await guest.register("小明", invite=address.partition("=")[2])).status == 201
    told = json.loads(await run(tmp_path, "invite", "--uses", "2", "--json"))
    assert told["address"] == f"http://127.0.0.1:8000/register/?invite={told['code']}"
    async with opened(tmp_path, registration="invite") as house:
        # The link was made with the real clock, and this room has a clock of its own.
        house.clock.set_wall(told["expires_ms"] - 1)
        assert (await (await house.guest()).register("小红", invite=told["code"])).status == 201


async def test_settings_shows_the_administrators_word_running_or_not(tmp_path: Path, run: Run) -> None:
    async def row() -> dict[str, Any]:
        rows = json.loads(await run(tmp_path, "settings", "--json", "--text-max", "900"))
        found: dict[str, Any] = next(row for row in rows if row["name"] == "text_max")
        return found

    async with opened(tmp_path) as house:
        await (await house.administrator()).post("/settings/", {"text_max": "500"})
        running = await row()
    assert (running["value"], running["source"], running["default"]) == (500, "room", 2000)
    assert await row() == running
