"""All attacks of strangers at the same time: a member at another address gets answers, and the strangers' use is
bounded."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from tests.client import Browser
from tests.process.faults.strangers import ATTACKS
from tests.process.faults.test_readers import resident_kib
from tests.process.serving import ROOT, environment, serving

# Growth of the memory of the server's own process: sockets, outboxes, unread responses, forms.
GROWN_MAX_KIB = 256 * 1024
# Uploads in progress, with the total limit of docs/reliability.md.
UPLOADS_MAX_KIB = 512 * 1024
MESSAGES = 1_000
PING_EVERY = 0.2
# Only ends a test that would hang.
PATIENCE = 120.0


async def test_strangers_cost_a_member_nothing_but_a_little_time(tmp_path: Path) -> None:
    found = await besieged(tmp_path, seconds=4)
    assert found["pings"] > 0


async def besieged(data: Path, seconds: float) -> dict[str, float]:
    """The member's pings in ms, and the maximum of the KiB of memory growth and of uploads held."""
    flags = ("--send-interval", "0", "--history-limit", str(MESSAGES))
    async with serving(data, *flags) as server, Browser(server.address) as member:
        await member.register("小明")
        socket = await member.socket()
        for number in range(MESSAGES):
            await socket.send("post", text=f"第 {number} 条消息 " + "很长" * 40, client_id=f"c-{number}")
        await socket.expect("ack", client_id=f"c-{MESSAGES - 1}")
        before_kib = resident_kib(server)
        attack = await asyncio.create_subprocess_exec(
            *("nice", sys.executable, "-m", "tests.process.faults.strangers", server.address, str(seconds)),
            cwd=ROOT, env=environment(), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        took: list[float] = []
        grown_kib = uploads_kib = 0
        ended = asyncio.create_task(attack.communicate())
        try:
            async with asyncio.timeout(seconds + PATIENCE):
                while not ended.done():
                    begun = time.perf_counter()
                    await socket.send("ping", t=len(took))
                    await socket.expect("pong", t=len(took))
                    took.append((time.perf_counter() - begun) * 1000)
                    socket.forget()
                    grown_kib = max(grown_kib, resident_kib(server) - before_kib)
                    uploads_kib = max(uploads_kib, _size_kib(data / "media/uploads"))
                    await asyncio.sleep(PING_EVERY)
        finally:
            if attack.returncode is None:
                attack.kill()
            out, _ = await ended
        told = [json.loads(line) for line in out.decode().splitlines()]
        assert [each["attack"] for each in told] == [attack.__name__ for attack in ATTACKS]
        assert not [each for each in told if "failed" in each], told
        answers = [status for each in told for status in each["got"]]
        assert "500" not in answers and "1011" not in answers, told
        assert grown_kib <= GROWN_MAX_KIB and uploads_kib <= UPLOADS_MAX_KIB
        assert (await member.say("still here"))["text"] == "still here"
        print(json.dumps(told), file=sys.stderr)
        took.sort()
        return {
            "pings": len(took),
            "p50_ms": took[len(took) // 2],
            "p99_ms": took[int(len(took) * 0.99)],
            "worst_ms": took[-1],
            "grown_kib": grown_kib,
            "uploads_kib": uploads_kib,
        }


def _size_kib(directory: Path) -> int:
    total = 0
    for entry in os.scandir(directory) if directory.exists() else ():
        try:
            total += entry.stat().st_size
        except FileNotFoundError:
            continue
    return total // 1024
