"""Each WebSocket library of the table in docs/protocol.md that is installed here is run against the server.

`CHAT_TEST_NODE_PATH` may name the directory with Node's package `ws`.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.bots import made
from tests.client import PATIENCE, Browser, House
from tests.docs.pages import text
from tests.support import eventually

HERE = Path(__file__).parent / "clients"
CODES = (1001, 1008, 1013, 4401, 4403)
Told = dict[str, Any]


@dataclass(frozen=True)
class Library:
    """`row`: the beginning of its row in the table. `is_installed`: whether the version of that row is installed."""

    row: str
    command: tuple[str, ...]
    is_installed: Callable[[str], bool]
    refused: Told
    closed: Callable[[int], Told]
    cut: Told


def python(distribution: str) -> Callable[[str], bool]:
    def is_installed(row: str) -> bool:
        try:
            return f"{distribution} {importlib.metadata.version(distribution)}" in row
        except importlib.metadata.PackageNotFoundError:
            return False

    return is_installed


def run_node(*arguments: str) -> str:
    if shutil.which("node") is None:
        return ""
    return subprocess.run(["node", *arguments], capture_output=True, text=True, timeout=60, env=node_environ()).stdout


def node_environ() -> dict[str, str]:
    return {**os.environ, "NODE_PATH": os.environ.get("CHAT_TEST_NODE_PATH", "")}


@cache
def node_has_ws() -> str:
    return run_node("-e", "try { console.log(require('ws/package.json').version) } catch {}").strip()


@cache
def node_has_its_own() -> str:
    return run_node("--experimental-websocket", "-e", "console.log(typeof WebSocket)").strip()


def websockets_closed(code: int) -> Told:
    if code == 1001:
        return {"how": "the loop ends", "code": code, "then": "ConnectionClosedOK"}
    return {"how": "ConnectionClosedError", "code": code}


def app_ended(code: int | None, returns: bool = False) -> Told:
    return {"how": "run_forever", "returns": returns, "told": [["on_error", code], ["on_close", code]]}


LIBRARIES = {
    "aiohttp": Library(
        "| aiohttp ", (sys.executable, "aiohttp_client.py"), python("aiohttp"),
        {"how": "WSServerHandshakeError", "status": 401}, lambda code: {"how": "the loop ends", "code": code},
        {"how": "the loop ends", "code": 1006},
    ),
    "websockets": Library(
        "| websockets ", (sys.executable, "websockets_client.py"), python("websockets"),
        {"how": "InvalidStatus", "status": 401}, websockets_closed,
        {"how": "ConnectionClosedError", "code": None},
    ),
    "websocket-client": Library(
        "| websocket-client 1.9.2, `create_connection`", (sys.executable, "websocket_client.py"),
        python("websocket-client"), {"how": "WebSocketBadStatusException", "status": 401},
        lambda code: {"how": "recv_data returns", "code": code},
        {"how": "WebSocketConnectionClosedException"},
    ),
    "WebSocketApp": Library(
        "| websocket-client 1.9.2, `WebSocketApp`", (sys.executable, "websocket_app.py"), python("websocket-client"),
        {"how": "run_forever", "returns": True, "told": [["on_error", 401], ["on_close", None]]}, app_ended,
        app_ended(None, returns=True),
    ),
    "httpx-ws": Library(
        "| httpx-ws ", (sys.executable, "httpx_ws_client.py"), python("httpx-ws"),
        {"how": "WebSocketUpgradeError", "status": 401}, lambda code: {"how": "WebSocketDisconnect", "code": code},
        {"how": "WebSocketNetworkError"},
    ),
    "ws": Library(
        "| ws (Node) ", ("node", "ws_client.cjs"), lambda row: bool(node_has_ws()) and node_has_ws() in row,
        {"how": "unexpected-response", "status": 401}, lambda code: {"how": "close", "code": code},
        {"how": "close", "code": 1006},
    ),
    "Node": Library(
        "| Node's own `WebSocket`", ("node", "--experimental-websocket", "node_client.cjs"),
        lambda row: node_has_its_own() == "function", {"how": "error"},
        lambda code: {"how": "close", "code": code, "wasClean": True},
        {"how": "close", "code": 1006, "wasClean": False},
    ),
}  # fmt: skip


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Library:
    found: Library = LIBRARIES[request.param]
    [row] = [line for line in text("docs/protocol.md").splitlines() if line.startswith(found.row)]
    if not found.is_installed(row):
        pytest.skip(f"{row.split('|')[1].strip()} is not installed")
    return found


def test_the_table_has_a_row_for_each() -> None:
    table = text("docs/protocol.md").partition("### What libraries need and report")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\| (?!library|---)", table, re.MULTILINE)) == len(LIBRARIES)


async def told_by(library: Library, house: House, token: str, send: str = "nothing", act: Any = None) -> Told:
    """What the client's program prints. `act` is called when it is connected."""
    *start, program = library.command
    process = await asyncio.create_subprocess_exec(
        *start, str(HERE / program), house.address, token, send, stdout=PIPE, cwd=HERE, env=node_environ()
    )
    try:
        if act is not None:
            await eventually(lambda: house.server.room.hub.users(), "the client is connected")
            await act()
        async with asyncio.timeout(PATIENCE):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    found: Told = json.loads(out)
    return found


async def test_a_wrong_token(house: House, library: Library) -> None:
    assert await told_by(library, house, "wrong") == library.refused


@pytest.mark.parametrize("code", CODES)
async def test_a_closing_code(house: House, library: Library, code: int) -> None:
    admin = await house.administrator()
    bot = await made(admin)

    async def close() -> None:
        await closed_with(code, house, admin, bot["id"])

    sends = {"send": "bad"} if code == 1008 else {"act": close}
    assert await told_by(library, house, bot["token"], **sends) == library.closed(code)


async def closed_with(code: int, house: House, admin: Browser, bot_id: int) -> None:
    if code == 4401:
        await admin.post("/bots/", {"end_token": bot_id})
    elif code == 4403:
        await admin.post(f"/members/{bot_id}/", {"act": "ban"})
    else:
        house.server.room.hub.close_all(code)


async def test_a_frame_that_is_too_long(house: House, library: Library) -> None:
    token = (await made(await house.administrator()))["token"]
    assert await told_by(library, house, token, send="big") == library.closed(1009)


async def test_a_connection_that_is_cut(house: House, library: Library) -> None:
    token = (await made(await house.administrator()))["token"]

    async def cut() -> None:
        house.server.room.hub.abort_all()

    assert await told_by(library, house, token, act=cut) == library.cut
