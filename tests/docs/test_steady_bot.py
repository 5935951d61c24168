"""The bot of docs/protocol.md that misses no message: after a cut connection, a kill, many missed changes, and a
refusal."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatserver.features.messages.post import Draft
from tests.bots import made
from tests.client import PATIENCE, Browser, House, opened, real_time
from tests.docs.pages import blocks
from tests.support import eventually

NAME = "钟"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    _, steady, *_ = blocks("docs/protocol.md", "python")
    path = tmp_path / "bot.py"
    path.write_text(steady, "utf-8")
    return path


@contextlib.asynccontextmanager
async def working(script: Path, house: House, token: str) -> AsyncIterator[Process]:
    """The bot as a connected program; it is killed at the end."""
    # An address with a slash at its end, as people often copy it.
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), house.address + "/", token, cwd=script.parent, stderr=PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def until_online(house: House) -> None:
    await eventually(lambda: NAME in [user.name for user in house.server.room.hub.users()], "the bot is connected")


async def answers(admin: Browser, to: set[int]) -> list[int]:
    """The ids that were answered, in the order of the answers, once the ids of `to` were answered."""

    async def answered() -> list[int]:
        found = [message["reply_to"] for message in await admin.all_messages() if message["user"] == NAME]
        return found if to <= set(found) else []

    return await eventually(answered)


async def ended(process: Process) -> str:
    async with asyncio.timeout(PATIENCE):
        return (await process.communicate())[1].decode()


async def test_it_answers_each_message_once_whatever_happens(tmp_path: Path, script: Path) -> None:
    async with opened(tmp_path / "data", real_time(), history_limit=1000) as house:
        admin = await house.administrator()
        bot = await made(admin, NAME)
        old = (await admin.say("!time"))["id"]

        async with working(script, house, bot["token"]):
            await until_online(house)
            asked = {(await admin.say("!time"))["id"]}
            assert await answers(admin, asked) == [*asked]
            # Cut the connection: messages meanwhile are changes after the bot's `seq`.
            house.server.room.hub.close_all(1001)
            asked.add((await admin.say("!time"))["id"])
            assert await answers(admin, asked) == sorted(asked)

        # Kill the bot, and post more changes than the server remembers.
        asked.add((await admin.say("!time"))["id"])
        [author] = [session.user for session in [await house.server.room.sessions.find(admin.login_token)] if session]
        for number in range(350):
            await house.server.room.post.post(author, Draft(f"{number}"))
        asked.add((await admin.say("!time"))["id"])
        async with working(script, house, bot["token"]):
            assert await answers(admin, asked) == sorted(asked)
        assert old not in asked


@pytest.mark.parametrize(("act", "words"), [("new_token", "the token is not valid"), ("ban", "banned")])
async def test_it_stops_when_it_is_not_wanted(tmp_path: Path, script: Path, act: str, words: str) -> None:
    async with opened(tmp_path / "data", real_time()) as house:
        admin = await house.administrator()
        bot = await made(admin, NAME)
        async with working(script, house, bot["token"]) as process:
            await until_online(house)
            if act == "ban":
                await admin.post(f"/members/{bot['id']}/", {"act": "ban"})
            else:
                await admin.post("/bots/", {"new_token": bot["id"]})
            assert words in await ended(process)
        async with working(script, house, bot["token"]) as process:
            assert words in await ended(process)


# The headers that are left if a proxy removes the token.
AS_A_GUEST = """
import asyncio, sys, bot
guest = bot.Bot(sys.argv[1], "a token")
guest.headers = {"Origin": sys.argv[1]}
asyncio.run(guest.run())
"""


async def test_it_notices_that_it_is_taken_for_a_guest(script: Path, house: House) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", AS_A_GUEST, house.address, cwd=script.parent, stderr=PIPE
    )
    assert "takes the Authorization header away" in await ended(process)


def loaded(script: Path) -> Any:
    spec = importlib.util.spec_from_file_location("steady_bot", script)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_impatient(script: Path) -> None:
    script.write_text(script.read_text("utf-8").replace("heartbeat=20", "heartbeat=0.1"), "utf-8")


async def test_it_gives_up_a_connection_that_is_dead(tmp_path: Path, script: Path) -> None:
    make_impatient(script)
    over = asyncio.Event()

    async def answer_no_ping(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        await over.wait()
        return ws

    app = web.Application()
    app.router.add_get("/ws/chat/", answer_no_ping)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        bot = loaded(script).Bot(str(server.make_url("/")), "a token", tmp_path / "bot.json")
        bot.http = http
        async with asyncio.timeout(PATIENCE):
            assert await bot.listen() == 1006
        over.set()


def test_what_it_sends_is_as_short_as_its_text(script: Path) -> None:
    assert len(loaded(script).encode("蓝莓").encode()) == 8
