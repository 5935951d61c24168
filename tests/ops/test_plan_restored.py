"""A planned window in a restored backup: openings that were missed meanwhile are handled as after any restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client import House, opened
from tests.features.planning.test_planned import AT_18, DAILY, DAY, HOUR, MINUTE
from tests.ops.conftest import Operate
from tests.support import FakeClock, eventually

PATH = "/orders/plans/"


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
