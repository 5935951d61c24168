"""A backup during an ordering window: after a restore the window continues, or has ended if its time is over."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.client import Browser, House, opened, real_time
from tests.ops.conftest import Operate
from tests.ops.rooms import visited
from tests.orders import lines, verified, whole_ledger
from tests.process.serving import serving
from tests.support import FakeClock, eventually

SECONDS = 600
ITEM = {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "40", "limit": "8"}


@pytest.fixture
async def backup(tmp_path: Path, operate: Operate) -> dict[str, Any]:
    """An archive that was made while a window was open, between the first and the second order."""
    data, file = tmp_path / "data", tmp_path / "room.tar"
    async with opened(data, real_time()) as house:
        admin, ming = await house.administrator("店长"), await house.member("小明")
        window = (await admin.preset("start", title="周五水果", items=[ITEM], seconds=SECONDS)).json["window"]
        first = await order(ming, "c1", "5")
        assert (await operate("backup", file, "--data-dir", data)).code == 0
        assert (await order(ming, "c2", "1"))["order"]["no"] == 2
    return {"file": file, "window": window, "first": first}


async def order(member: Browser, client_id: str, quantity: str) -> dict[str, Any]:
    answer = await member.post_json("/order/", {"client_id": client_id, "lines": lines(i1=quantity)})
    assert answer.status in (200, 201), answer.body
    told: dict[str, Any] = answer.json
    return told


def ack(answer: dict[str, Any]) -> dict[str, Any]:
    return {"id": answer["id"], "no": answer["order"]["no"], "receipt": answer["receipt"]}


async def test_a_window_that_is_not_over_goes_on(tmp_path: Path, operate: Operate, backup: dict[str, Any]) -> None:
    copy = tmp_path / "copy"
    assert (await operate("restore", backup["file"], "--data-dir", copy)).code == 0
    async with serving(copy) as server, visited(server.address) as ming, visited(server.address, "店长") as admin:
        window = (await ming.socket()).hello["window"]
        assert (window["closes_ms"], window["orders"]) == (backup["window"]["closes_ms"], 1)
        assert (await order(ming, "c1", "5"))["receipt"] == backup["first"]["receipt"]
        again = await order(ming, "c2", "2")  # the order after the backup is lost, and its number is used again
        ledger = await whole_ledger(ming, {"c1": ack(backup["first"]), "c2": ack(again)})
        assert [o["no"] for o in ledger["orders"]] == [1, 2]
        assert (await ming.post_json("/order/", {"lines": lines(i1="2")})).code == "over_limit"
        socket = await ming.socket()
        await admin.preset("start", seconds=1)
        closed = await socket.expect("window", state="closed")
        journal = (await ming.get("/api/windows/1/journal")).json
        kinds = [body and body["kind"] for body in verified(journal)]
        assert kinds == ["opened", "accepted", "accepted", "moved", "closed"]
        assert journal["digest"] == closed["digest"]


async def test_a_window_that_ended_meanwhile_is_closed_at_its_time(
    tmp_path: Path, operate: Operate, backup: dict[str, Any]
) -> None:
    copy = tmp_path / "copy"
    assert (await operate("restore", backup["file"], "--data-dir", copy)).code == 0
    clock = FakeClock(round(time.time() * 1000) + (SECONDS + 60) * 1000)
    async with opened(copy, clock) as house:
        await eventually(lambda: is_closed(house))
        guest = await house.guest()
        window = (await guest.get("/api/windows/1/")).json["window"]
        assert (window["state"], window["closes_ms"]) == ("closed", backup["window"]["closes_ms"])
        bodies = verified((await guest.get("/api/windows/1/journal")).json)
        assert bodies[-1] and (bodies[-1]["kind"], bodies[-1]["at_ms"]) == ("closed", backup["window"]["closes_ms"])


def is_closed(house: House) -> bool:
    return house.server.room.windows.hello_fields()["window"] is None
