"""A room in which nothing happens uses almost no processor time."""

from __future__ import annotations

import asyncio
import gc
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chatserver.core import garbage_collection
from tests.client import Browser
from tests.process.serving import PATIENCE, ROOT, serving

RESIDENT_MAX = 80 * 1024 * 1024
WATCHED_SECONDS = 12

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def resident(pids: list[int]) -> int:
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return sum(int(kib) * 1024 for text in texts for kib in re.findall(r"^VmRSS:\s+(\d+)", text, re.MULTILINE))


def wakings(pids: list[int]) -> int:
    """The number of voluntary context switches of all threads; each means that something woke the thread afterwards."""
    texts = [path.read_text() for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(count) for text in texts for count in re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M))


async def test_it_sleeps_and_is_small(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        log = tmp_path / "chat.db-wal"
        async with asyncio.timeout(PATIENCE):  # this is the last work of a start: erasing what a crash left
            while log.stat().st_size:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.1)
        before = wakings(family(server.process.pid))
        await asyncio.sleep(WATCHED_SECONDS)
        pids = family(server.process.pid)
        assert len(pids) == 1, "image workers start on demand"
        assert wakings(pids) - before <= WATCHED_SECONDS
        assert resident(pids) <= RESIDENT_MAX


async def test_a_page_and_a_scrape_later_it_is_still_small(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, Browser(server.address) as browser:
        for path in ("/", "/?ui=mobile", "/register/", "/metrics"):
            assert (await browser.page(path)).status == 200
        assert resident(family(server.process.pid)) <= RESIDENT_MAX


def test_what_a_start_does_not_need_is_not_imported() -> None:
    idle = "('PIL', 'prometheus_client', 'pi_heif')"
    program = f"import sys, chatserver.server; print([name for name in {idle} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_collector_is_at_work_again_once_the_room_listens() -> None:
    """The collector is off during a start (`cli.serve`). It must be on again afterwards, because a room runs for
    years."""
    before = gc.get_threshold()
    gc.disable()
    try:
        garbage_collection.resume()
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
        gc.enable()
