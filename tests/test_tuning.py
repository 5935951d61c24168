"""A room behaves the same with every optimisation on and with all of them off (`CHAT_TUNING`)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatserver.core import tuning
from chatserver.core.model import Role
from chatserver.db.kept_rows import KeptRows
from chatserver.db.transaction import Job, together
from chatserver.db.vacuum_schedule import DELAY_SECONDS, VacuumSchedule
from chatserver.http.aiohttp_compat import masking
from chatserver.realtime import direct_write
from chatserver.realtime.masking import unmask
from chatserver.realtime.shared_buffer import SHARED_MIN, SharedBuffer
from tests.client import opened, picture
from tests.realtime.connections import FakeTransport

BOTH_WAYS = pytest.mark.parametrize("switch", ["on", "off"])


@BOTH_WAYS
async def test_messages_reach_every_reader_once_and_in_order(
    tmp_path: Path, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "ENABLED", switch == "on")
    async with opened(tmp_path, history_limit=1000) as house:
        sender = await (await house.administrator()).socket()
        readers = [await (await house.guest()).socket() for _ in range(5)]
        long = "长" * 1000  # ten of these messages in one batch have more than SHARED_MIN bytes
        await asyncio.gather(*(sender.send("post", text=f"{n} {long}", client_id=f"c{n}") for n in range(60)))
        acks = [await sender.expect("ack", client_id=f"c{n}") for n in range(60)]
        assert len({ack["id"] for ack in acks}) == 60
        for reader in readers:
            await reader.in_step()
            received = [frame["message"] for frame in reader.heard("message")]
            assert [message["id"] for message in received] == sorted(ack["id"] for ack in acks)
            assert [message["text"].split()[0] for message in received] == [str(n) for n in range(60)]


@BOTH_WAYS
async def test_a_picture_is_taken_and_what_is_recalled_leaves_the_files(
    tmp_path: Path, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "ENABLED", switch == "on")
    async with opened(tmp_path) as house:
        member = await house.member("小明")
        shown = await member.show(picture())
        assert shown["kind"] == "image"
        assert (await member.recall(shown["id"])).status == 200
        assert (await member.get(shown["image"])).status == 410


@pytest.mark.parametrize(("value", "is_on"), [("on", "True"), ("off", "False"), (None, "True")])
def test_the_environment_sets_the_switch(value: str | None, is_on: str) -> None:
    environment = {"PATH": os.environ["PATH"]} | ({tuning.VARIABLE: value} if value else {})
    program = "from chatserver.core import tuning; print(tuning.ENABLED)"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == is_on


@BOTH_WAYS
def test_the_switch_reaches_each_optimisation(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "ENABLED", switch == "on")
    is_on = switch == "on"

    def function(tx: object, items: object) -> list[Role]:
        return []

    jobs = [Job(function, lambda result, error: None, is_batched=True, item=n) for n in range(3)]
    assert [len(neighbours) for neighbours in together(jobs)] == ([3] if is_on else [1, 1, 1])
    rows: KeptRows[str] = KeptRows()
    rows.keep({1: "a row"})
    assert rows == ({1: "a row"} if is_on else {})
    shared = SharedBuffer(b"x" * SHARED_MIN)
    assert (shared._file is not None) is is_on
    shared.close()
    schedule = VacuumSchedule()
    schedule.record(0.0, 1.0)
    assert schedule.due(10.0, is_urgent=False) == (61.0 if is_on else 10.0 + DELAY_SECONDS)
    assert (masking.fastest() is not unmask) is is_on
    transport = FakeTransport()
    transport.get_extra_info = lambda name, default=None: _Socket() if name == "socket" else None  # type: ignore[method-assign]
    assert (direct_write.descriptor(transport) == 7) is is_on


class _Socket:
    def fileno(self) -> int:
        return 7
