"""A planned window through a kill and a restored backup: missed openings are handled as after any restart."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.client import Browser, House, opened
from tests.features.planning.test_planned import AT_18, DAILY, DAY, HOUR, MINUTE
from tests.ops.conftest import Operate
from tests.process.serving import make_administrator, serving
from tests.support import FakeClock, eventually

PATH = "/orders/plans/"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(("minutes", "outcome"), [(3, "opened"), (20, "missed")])
async def test_a_plan_survives_kills_and_opens_once(tmp_path: Path, minutes: int, outcome: str) -> None:
    """The plan was due while the server was down. The next server is killed as soon as it has handled the plan."""
    assert (await make_administrator(tmp_path)).code == 0
    at = datetime.now(SHANGHAI) - timedelta(minutes=minutes)
    async with Browser("") as admin:
        async with serving(tmp_path) as server:
            admin.address = server.address
            await admin.log_in("店长")
            made = await admin.post_json(PATH, {"act": "make", **DAILY, "at": f"{at:%H:%M}", "seconds": 3600})
            assert made.status == 201
            await server.kill()
        with closing(sqlite3.connect(tmp_path / "chat.db")) as database, database:
            assert database.execute("UPDATE plans SET next_day = ?", (f"{at:%Y-%m-%d}",)).rowcount == 1
        for _ in range(2):
            async with serving(tmp_path) as server:
                admin.address = server.address
                await settled(admin)
                [plan] = (await admin.get(PATH)).json["plans"]
                assert plan["last"]["outcome"] == outcome
                assert plan["opens_ms"] == made.json["plan"]["opens_ms"]
                windows = (await admin.get("/api/windows/")).json["windows"]
                assert [window["planned"] for window in windows] == ([True] if outcome == "opened" else [])
                await server.kill()


async def settled(admin: Browser) -> None:
    socket = await admin.socket()
    while not (await admin.get(PATH)).json["plans"][0]["last"]:
        await socket.in_step()
    await socket.close()


@pytest.mark.parametrize(
    ("late_ms", "outcome", "windows"), [(-HOUR, None, 0), (5 * MINUTE, "opened", 1), (HOUR, "missed", 0)]
)
async def test_a_restored_plan_is_treated_as_after_a_restart(
    tmp_path: Path, operate: Operate, late_ms: int, outcome: str | None, windows: int
) -> None:
    data, copy, file = tmp_path / "data", tmp_path / "copy", tmp_path / "room.tar"
    async with opened(data, FakeClock()) as house:
        admin = await house.administrator()
        await admin.post_json(PATH, {"act": "make", **DAILY, "seconds": 3600})
        assert (await operate("backup", file, "--data-dir", data)).code == 0
        await admin.post_json(PATH, {"act": "remove", "id": 1})
    assert (await operate("restore", file, "--data-dir", copy)).code == 0
    async with opened(copy, FakeClock(AT_18 + late_ms)) as house:
        plan = await eventually_settled(house, late_ms >= 0)
        assert (plan["last"] and plan["last"]["outcome"]) == outcome
        assert plan["opens_ms"] == (AT_18 + DAY if outcome else AT_18)
        assert len((await (await house.guest()).get("/api/windows/")).json["windows"]) == windows


async def eventually_settled(house: House, is_due: bool) -> dict[str, object]:
    planned = house.server.room.planned
    if is_due:
        await eventually(lambda: planned.hello_fields()["planned"]["opens_ms"] > AT_18)
    [plan] = await planned.listed()
    return plan
