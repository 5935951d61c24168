"""The number of loop passes between two batches: a minimum, and more while each pass adds jobs."""

from __future__ import annotations

import asyncio

import pytest

from chatserver.core import tuning
from chatserver.db.loop_ticks import PASSES, PASSES_MAX, between_batches


async def passes(monkeypatch: pytest.MonkeyPatch, *, bringing: int) -> int:
    """The number of passes, if each of the first `bringing` passes adds a job."""
    monkeypatch.setattr(tuning, "ENABLED", True)
    queue: list[int] = []
    made = 0

    async def client() -> None:
        nonlocal made
        while True:
            if made < bringing:
                queue.append(made)
            made += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(client())
    await between_batches(queue)
    task.cancel()
    return made


async def test_a_room_where_nothing_comes_waits_for_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await passes(monkeypatch, bringing=0) == PASSES


async def test_passes_that_bring_jobs_are_followed_by_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await passes(monkeypatch, bringing=PASSES + 3) == PASSES + 4


async def test_there_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await passes(monkeypatch, bringing=10_000) == PASSES_MAX
