"""WebKitGTK's MiniBrowser over WebDriver (https://www.w3.org/TR/webdriver2/), on a screen of Xvfb."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.browser.engines.loop_thread import LoopThread, loop_thread
from tests.browser.engines.tab import PATIENCE_SECONDS, POLL_SECONDS, Engine, EngineError, Tab, one, until

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver 2, section 12.1
_ENTER = "\ue006"
_DRIVER = ("xvfb-run", "--auto-servernum", "--server-args=-screen 0 1600x1200x24", "WebKitWebDriver")


def browser() -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))), None)


def find() -> str:
    there = browser() and shutil.which("WebKitWebDriver") and shutil.which("xvfb-run")
    return "" if there else "`sudo apt install webkit2gtk-driver xvfb xauth` gives one"


@contextmanager
def start(width: int, height: int) -> Iterator[Tab]:
    with _running() as address, loop_thread(PATIENCE_SECONDS) as loop:
        client = loop.wait(_client())
        try:
            tab = _Tab(loop, client, address)
            tab.resize(width, height)
            yield tab
            tab.close()
        finally:
            loop.wait(client.close())


ENGINE = Engine("WebKit", find, start)


async def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_SECONDS))


@contextmanager
def _running() -> Iterator[str]:
    """Start the driver. Returns its address. It does not accept port 0, so a free port is chosen just before."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environ = {**os.environ, "HOME": home, "XDG_RUNTIME_DIR": home, "LANG": "C.UTF-8"}
        command = [*_DRIVER, f"--port={port}", "--host=127.0.0.1"]
        # In a session of its own, because the driver starts the browser, and all of them must end together.
        process = subprocess.Popen(command, env=environ, start_new_session=True, stderr=subprocess.DEVNULL)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


class _Tab:
    def __init__(self, loop: LoopThread, client: aiohttp.ClientSession, address: str) -> None:
        self._loop, self._client = loop, client
        self._session = address
        self._call("GET", "/status")
        options = {"binary": str(browser()), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        self._session = f"{address}/session/{self._call('POST', '/session', capabilities=wanted)['sessionId']}"

    def resize(self, width: int, height: int) -> None:
        """The window's own bar takes a part of the height, and no window is narrower than 447 px."""
        self._call("POST", "/window/rect", x=0, y=0, width=width, height=height)

    def open(self, address: str) -> None:
        self._call("POST", "/url", url=address)

    def run(self, expression: str) -> Any:
        return self._call("POST", "/execute/sync", script=f"return ({expression})", args=[])

    def press(self, selector: str) -> None:
        until(self, f"Boolean({one(selector)})")
        node = self._call("POST", "/execute/sync", script=f"return {one(selector)}", args=[])
        self._call("POST", f"/element/{node[_ELEMENT]}/click")

    def type(self, text: str) -> None:
        node = self._call("GET", "/element/active")
        self._call("POST", f"/element/{node[_ELEMENT]}/value", text=text.replace("\n", _ENTER))

    def close(self) -> None:
        self._call("DELETE", "")

    def _call(self, method: str, path: str, **body: Any) -> Any:
        return self._loop.wait(self._ask(method, self._session + path, body))

    async def _ask(self, method: str, address: str, body: dict[str, Any]) -> Any:
        over = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                json = body if method == "POST" else None
                async with self._client.request(method, address, json=json) as response:
                    answer = await response.json(content_type=None)
                    if response.status != 200:
                        raise EngineError(answer)
                    return answer["value"]
            except aiohttp.ClientConnectorError:  # the driver is still starting
                assert asyncio.get_running_loop().time() < over
                await asyncio.sleep(POLL_SECONDS)
