"""Readers that do not read, all readers at the same time, and a shutdown with everything in progress."""

from __future__ import annotations

import asyncio
import signal
import struct
import time
from pathlib import Path

from tests.client import Browser, multipart, picture
from tests.process.faults.crowd import deaf, guests
from tests.process.serving import Serving, serving
from tests.support import eventually

PATIENCE = 120.0
FLAGS = ("--send-interval", "0", "--connections-per-address", "0", "--registrations-per-hour", "0")
MEMORY_MAX_KIB = 64 * 1024


def resident_kib(server: Serving) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def descriptors(server: Serving) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


async def settled_descriptors(server: Serving) -> int:
    """The descriptors of a server whose start has ended: it reads its templates in a thread after it listens."""
    counts: list[int] = []
    while len(counts) < 10 or len(set(counts[-10:])) > 1:
        counts.append(descriptors(server))
        await asyncio.sleep(0.03)
    return counts[-1]


async def test_readers_that_never_read_cost_little_and_leave_nothing(tmp_path: Path) -> None:
    await never_reading(tmp_path, readers=20, messages=1_000, size=8_000)


async def never_reading(data: Path, readers: int, messages: int, size: int = 1_000) -> dict[str, float]:
    """`readers` sockets never read while `messages` of `size` bytes are sent, more than the kernel buffers for them.

    Returns the cost: KiB, ms per message, and the seconds until their descriptors were closed.
    """
    async with serving(data, *FLAGS, "--text-max", "10000") as server, Browser(server.address) as member:
        await member.register("小明")
        writer = await member.socket()
        await writer.say("warm", "w-1")
        before_kib, before_fds = resident_kib(server), await settled_descriptors(server)
        ears = [deaf(server.address) for _ in range(readers)]
        await eventually(lambda: descriptors(server) >= before_fds + readers)
        most_kib, took = before_kib, []
        for number in range(0, messages, 20):
            writer.frames.clear()
            writer._taken.clear()
            begun = time.perf_counter()
            for each in range(number, number + 20):
                await writer.send("post", text="x" * size, client_id=f"c-{each}")
            await writer.expect("ack", client_id=f"c-{number + 19}")
            took.append((time.perf_counter() - begun) / 20 * 1000)
            most_kib = max(most_kib, resident_kib(server))
        begun = time.perf_counter()
        await eventually(lambda: descriptors(server) <= before_fds)
        seconds = time.perf_counter() - begun
        assert most_kib - before_kib <= MEMORY_MAX_KIB
        for ear in ears:
            ear.close()
        return {"grown_kib": most_kib - before_kib, "p99_ms": sorted(took)[int(len(took) * 0.99)], "freed_s": seconds}


async def test_all_readers_come_back_at_once_and_continue_where_they_were(tmp_path: Path) -> None:
    await coming_back(tmp_path, readers=200)


async def coming_back(data: Path, readers: int) -> dict[str, float]:
    """The server is killed. `readers` return to the next server at the same time, each with its last state."""
    async with serving(data, *FLAGS) as server, Browser(server.address) as member:
        await member.register("小明")
        cookies = {cookie.key: cookie.value for cookie in member.session.cookie_jar}
        hello = (await member.socket()).hello
        for number in range(5):
            await member.say(f"before {number}")
        await server.kill()
    async with serving(data, *FLAGS) as server:
        begun = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            back = await guests(server.address, [f"?after={hello['seq']}&epoch={hello['epoch']}"] * readers, 1_000)
        seconds = time.perf_counter() - begun
        for guest in back:
            whole = await asyncio.wait_for(guest.until(b"before 4"), PATIENCE)
            assert b'"complete":true' in whole
            assert [whole.count(f'"before {number}"'.encode()) for number in range(5)] == [1] * 5
        async with Browser(server.address) as member:
            member.session.cookie_jar.update_cookies(cookies)
            await member.say("to all")
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(guest.until(b'"to all"') for guest in back))
        for guest in back:
            guest.drop()
        return {"back_s": seconds}


async def test_an_end_with_readers_senders_and_uploads_under_way_loses_nothing(tmp_path: Path) -> None:
    await ending(tmp_path, readers=100, uploads=10)


async def ending(data: Path, readers: int, uploads: int) -> dict[str, float]:
    """Send SIGTERM while `readers` listen, one member posts as fast as acks allow, and `uploads` are half sent."""
    async with serving(data, *FLAGS) as server, Browser(server.address) as member:
        await member.register("小明")
        writer = await member.socket()
        there = await guests(server.address, [""] * readers)
        token = await member.token()
        halfway = [asyncio.create_task(_half_an_upload(member, token)) for _ in range(uploads)]
        posting = asyncio.create_task(_post_on(writer))
        await writer.expect("ack", client_id="c-20")
        server.process.send_signal(signal.SIGTERM)
        begun = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            heard = await asyncio.gather(*(guest.to_the_end() for guest in there))
            assert await server.process.wait() == 0
        seconds = time.perf_counter() - begun
        assert await writer.closed() == 1001
        goodbye = b"\x88\x02" + struct.pack("!H", 1001)
        assert all(goodbye in each for each in heard)
        for guest in there:
            guest.drop()
        for task in (posting, *halfway):
            task.cancel()
        await asyncio.gather(posting, *halfway, return_exceptions=True)
        acks = writer.heard("ack")
    async with serving(data, *FLAGS, "--history-limit", "100000") as server, Browser(server.address) as guest:
        kept = {m["id"]: m for m in (await guest.get("/api/recent_messages_apiint/100000")).json["messages"]}
        first = min(kept)
        assert len(acks) >= 20
        for ack in acks:
            assert ack["id"] < first or kept[ack["id"]]["client_id"] == ack["client_id"]
        assert not [path for path in (data / "media").rglob("uploads/*")]
        return {"ended_s": seconds, "acknowledged": len(acks)}


async def _post_on(writer) -> None:  # type: ignore[no-untyped-def]
    number = 0
    while True:
        number += 1
        await writer.send("post", text=f"message {number}", client_id=f"c-{number}")
        if number % 20 == 0:
            await asyncio.sleep(0.01)


async def _half_an_upload(member: Browser, token: str) -> None:
    """Send a body that is shorter than its Content-Length, and wait."""
    whole = multipart({"csrf_token": token}, {"image": picture(400, 300)})

    async def body():  # type: ignore[no-untyped-def]
        yield f'--{whole.boundary}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'.encode()
        head = 'Content-Disposition: form-data; name="image"; filename="x"'
        yield f"--{whole.boundary}\r\n{head}\r\n\r\n".encode() + b"\x89PNG" + b"\0" * 200_000
        await asyncio.Event().wait()

    headers = {"Content-Type": f"multipart/form-data; boundary={whole.boundary}"}
    async with member.session.post(member.address + "/post/", data=body(), headers=headers):
        pass
