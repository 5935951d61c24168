"""No message is lost or repeated: readers disconnect at random moments, and a server is killed at random moments."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from tests.client import Browser
from tests.process.reader import Reader
from tests.process.serving import make_administrator, serving

DROPS = 200
KILLS = 10
SENDERS = 20
ACKS_IN_A_LIFE = 20


async def test_who_drops_hundreds_of_times_ends_with_what_the_api_says(tmp_path: Path) -> None:
    chance = random.Random(2026)
    await make_administrator(tmp_path, "店长")
    flags = ("--send-interval", "0", "--history-limit", "40")
    async with serving(tmp_path, *flags) as server, AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(Browser(server.address)) for _ in range(4)]
        for number, writer in enumerate(writers):
            await (writer.log_in("店长") if number == 0 else writer.register(f"writer {number}"))
        readers = [Reader(await stack.enter_async_context(Browser(server.address))) for _ in range(4)]

        busy = [asyncio.create_task(_write(writer, random.Random(number))) for number, writer in enumerate(writers)]
        try:
            for _ in range(DROPS // len(readers)):
                await asyncio.gather(*(reader.follow(chance.random() * 0.08) for reader in readers))
        finally:
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)

        said = await _when_quiet(writers[0])
        assert said["seq"] > 100, "the writers did too little for this to mean anything"
        for reader in readers:
            await reader.catch_up(said["seq"])
            assert _essence(reader.shown) == _essence(said["messages"])
            assert reader.sockets >= DROPS // len(readers) // 2


async def test_kills_at_random_moments_lose_and_repeat_nothing(tmp_path: Path) -> None:
    assert (await killed(tmp_path, KILLS, SENDERS))["acknowledged"] >= KILLS * ACKS_IN_A_LIFE


async def killed(data: Path, kills: int, senders: int, seconds: float = 0.2) -> dict[str, int]:
    """Kill the server this many times while many senders post, and check what it kept.

    A server lives for `seconds` or longer, on a slow machine until ACKS_IN_A_LIFE were received.
    """
    chance = random.Random(2027)
    acknowledged: dict[str, int] = {}
    flags = (
        *("--send-interval", "0", "--history-limit", "100000"),
        *("--registrations-per-hour", "0", "--connections-per-address", "0"),
    )
    async with AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(Browser("")) for _ in range(senders)]
        reader = Reader(browsers[0])
        unsettled: list[str | None] = [None] * senders
        counts = [0] * senders
        for life in range(kills + 1):
            async with serving(data, *flags) as server:
                for number, browser in enumerate(browsers):
                    browser.address = server.address
                    if life == 0:
                        await browser.register(f"sender {number}")
                sending = [
                    asyncio.create_task(_send(browser, number, unsettled, counts, acknowledged))
                    for number, browser in enumerate(browsers)
                ]
                reading = asyncio.create_task(_read_on(reader))
                await asyncio.sleep(seconds * (1 + 2.5 * chance.random()))
                gone: set[asyncio.Task[None]] = set()
                while len(acknowledged) < ACKS_IN_A_LIFE * (life + 1) and not gone:
                    gone, _ = await asyncio.wait(
                        sending, timeout=0.05 * chance.random(), return_when=asyncio.FIRST_COMPLETED
                    )
                if life < kills:
                    await server.kill()
                for task in (*sending, reading):
                    task.cancel()
                for outcome in await asyncio.gather(*sending, reading, return_exceptions=True):
                    assert outcome is None or isinstance(outcome, (asyncio.CancelledError, OSError)), outcome
                if life == kills:
                    for number in range(senders):  # messages that had no answer at the last kill are sent once more
                        await _settle(browsers[number], number, unsettled, acknowledged)
                    said = (await browsers[0].get("/api/recent_messages/")).json
                    kept = await browsers[0].all_messages()
                    await reader.catch_up(said["seq"])
    by_client = {message["client_id"]: message["id"] for message in kept}
    assert len(by_client) == len(kept), "a message was stored twice"
    assert by_client.items() >= acknowledged.items(), "an acknowledged message is gone, or has another id"
    assert [message["id"] for message in kept] == sorted({message["id"] for message in kept})
    assert _essence(reader.shown)[-100:] == _essence(kept)[-100:]
    with contextlib.closing(sqlite3.connect(data / "chat.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return {"kills": kills, "acknowledged": len(acknowledged)}


async def _when_quiet(browser: Browser) -> Any:
    """The state that the API returns after the last frames of disconnected clients were handled."""
    said = None
    while said != (now := (await browser.get("/api/recent_messages_apiint/1000")).json):
        said = now
        await asyncio.sleep(0.3)
    return said


async def _write(browser: Browser, chance: random.Random) -> None:
    """Post again and again, and sometimes recall or delete a message."""
    socket = await browser.dial()
    mine: list[int] = []
    for number in range(100_000):
        await socket.send_json({"type": "post", "client_id": f"c-{number}", "text": f"number {number}"})
        async for frame in socket:
            event = frame.json()
            if event["type"] == "ack":
                mine.append(event["id"])
                break
        if mine and chance.random() < 0.3:
            kind = chance.choice(["recall", "delete"])
            await socket.send_json({"type": kind, "id": mine.pop(chance.randrange(len(mine)))})
        await asyncio.sleep(chance.random() * 0.02)


async def _send(
    browser: Browser, number: int, unsettled: list[str | None], counts: list[int], acknowledged: dict[str, int]
) -> None:
    """Post one message after the other. A message without an `ack` is sent again with its `client_id`, also after a
    kill."""
    while True:
        if unsettled[number] is None:
            counts[number] += 1
            unsettled[number] = f"s{number}-{counts[number]}"
        await _settle(browser, number, unsettled, acknowledged)


async def _settle(browser: Browser, number: int, unsettled: list[str | None], acknowledged: dict[str, int]) -> None:
    client_id = unsettled[number]
    if client_id is None:
        return
    socket: aiohttp.ClientWebSocketResponse | None = None
    try:
        socket = await browser.dial()
        while client_id:
            await socket.send_json({"type": "post", "client_id": client_id, "text": f"text of {client_id}"})
            async for frame in socket:
                event: Any = frame.json()
                if event["type"] == "ack" and event["client_id"] == client_id:
                    acknowledged[client_id] = event["id"]
                    unsettled[number] = client_id = None
                    break
            else:
                raise ConnectionResetError("the server is gone")
    except aiohttp.ClientError as error:
        raise ConnectionResetError("the server is gone") from error
    finally:
        if socket is not None:
            await socket.close()


async def _read_on(reader: Reader) -> None:
    while True:
        await reader.follow(0.15)


def _essence(messages: list[dict[str, Any]]) -> list[tuple[int, str, int, str]]:
    return [(message["id"], message["state"], message["seq"], message["text"]) for message in messages]
