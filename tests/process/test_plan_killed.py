"""A planned window through kills of the server."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.client import Browser
from tests.features.planning.test_planned import DAILY
from tests.process.serving import make_administrator, serving

PATH = "/orders/plans/"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(("minutes", "outcome"), [(3, "opened"), (20, "missed")])
async def test_a_plan_survives_kills_and_opens_once(tmp_path: Path, minutes: int, outcome: str) -> None:
    """It fell due while the server was down; the next server is killed as soon as the plan has been settled."""
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
