"""Firefox ESR over WebDriver BiDi: JSON over one WebSocket (https://www.w3.org/TR/webdriver-bidi/)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp

from tests.browser.engines.loop_thread import LoopThread, loop_thread
from tests.browser.engines.tab import PATIENCE_SECONDS, Engine, EngineError, Tab, one, until

_ENTER = "\ue006"  # WebDriver 2, section 17.4.2


def find() -> str:
    return "" if shutil.which("firefox-esr") else "`sudo apt install firefox-esr` gives one"


@contextmanager
def start(width: int, height: int) -> Iterator[Tab]:
    with (
        tempfile.TemporaryDirectory() as profile,
        _running(profile) as address,
        loop_thread(PATIENCE_SECONDS) as loop,
    ):
        connection = loop.wait(_Connection.open(address))
        try:
            tab = _Tab(loop, connection)
            tab.resize(width, height)
            yield tab
        finally:
            loop.wait(connection.close())


ENGINE = Engine("Firefox ESR", find, start)


@contextmanager
def _running(profile: str) -> Iterator[str]:
    """Start the browser. Returns the address of its WebSocket."""
    command = ["firefox-esr", "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                yield f"{found[1]}/session"
                break
        else:
            raise AssertionError("Firefox ended at once")
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


class _Connection:
    """Sends commands one after the other. Does not subscribe to events."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._session, self._socket, self._sent = session, socket, 0

    @classmethod
    async def open(cls, address: str) -> _Connection:
        session = aiohttp.ClientSession()
        connection = cls(session, await session.ws_connect(address))
        await connection.call("session.new", capabilities={})
        return connection

    async def call(self, method: str, **params: Any) -> Any:
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=PATIENCE_SECONDS)
            if answer.get("id") == self._sent:
                if answer["type"] != "success":
                    raise EngineError(answer)
                return answer["result"]

    async def close(self) -> None:
        await self._socket.close()
        await self._session.close()


class _Tab:
    def __init__(self, loop: LoopThread, connection: _Connection) -> None:
        self._loop, self._connection = loop, connection
        self._context = self._call("browsingContext.getTree")["contexts"][0]["context"]

    def resize(self, width: int, height: int) -> None:
        self._on_page("browsingContext.setViewport", viewport={"width": width, "height": height})

    def open(self, address: str) -> None:
        self._on_page("browsingContext.navigate", url=address, wait="complete")

    def run(self, expression: str) -> Any:
        value = self._evaluate(f"Promise.resolve({expression}).then(value => JSON.stringify(value))")
        return json.loads(value["value"]) if value["type"] == "string" else None

    def press(self, selector: str) -> None:
        until(self, f"Boolean({one(selector)})")
        node = self._evaluate(f"(node => (node.scrollIntoView({{block: 'nearest'}}), node))({one(selector)})")
        origin = {"type": "element", "element": {"sharedId": node["sharedId"]}}
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": origin}
        presses = [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "actions": presses})

    def type(self, text: str) -> None:
        keys = [_ENTER if key == "\n" else key for key in text]
        self._act(
            {
                "type": "key",
                "id": "keyboard",
                "actions": [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")],
            }
        )

    def _act(self, source: dict[str, Any]) -> None:
        self._on_page("input.performActions", actions=[source])

    def _evaluate(self, expression: str) -> dict[str, Any]:
        target = {"context": self._context}
        answer = self._call("script.evaluate", expression=expression, target=target, awaitPromise=True)
        if answer["type"] != "success":
            raise EngineError(answer)
        result: dict[str, Any] = answer["result"]
        return result

    def _on_page(self, method: str, **params: Any) -> None:
        self._call(method, context=self._context, **params)

    def _call(self, method: str, **params: Any) -> Any:
        return self._loop.wait(self._connection.call(method, **params))
