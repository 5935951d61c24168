"""A client that follows the protocol: it keeps what it got, continues after a reconnect, and checks every frame."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from tests.client import Browser


class Reader:
    """Follows the room over as many sockets as needed.

    Fails if a `seq` does not rise on a connection, if a message is new twice, or if a removed message appears again.
    `shown` are the messages that its reader would see.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._kept: dict[int, dict[str, Any]] = {}
        self._epoch = ""
        self.seq = 0
        self.sockets = 0

    @property
    def shown(self) -> list[dict[str, Any]]:
        return [message for _, message in sorted(self._kept.items()) if message["state"] != "deleted"]

    async def follow(self, seconds: float) -> None:
        """Listen for this time, then drop the connection without a close frame, in the middle of the frames."""
        where = {"after": self.seq, "epoch": self._epoch} if self._epoch else {}
        try:
            ws = await self._browser.dial(**where)
        except (aiohttp.ClientError, OSError):
            await asyncio.sleep(0.02)  # the server is down at this moment
            return
        self.sockets += 1
        try:
            async with asyncio.timeout(seconds):
                await self._listen(ws, asked=bool(where))
        except TimeoutError:
            pass
        finally:
            transport = ws._response.connection and ws._response.connection.transport
            if transport is not None:
                transport.abort()
            await ws.close()

    async def catch_up(self, seq: int) -> None:
        """Reconnect once more, and stay until everything up to `seq` has arrived."""
        while self.seq < seq:
            await self.follow(0.5)

    async def _listen(self, ws: aiohttp.ClientWebSocketResponse, asked: bool) -> None:
        first = await ws.receive()
        if first.type is not aiohttp.WSMsgType.TEXT:
            return  # the server was killed between the handshake and `hello`
        hello = first.json()
        assert hello["type"] == "hello"
        if not asked:
            self._epoch, self.seq = hello["epoch"], hello["seq"]
            await self._read_page()
        last_seq = self.seq if asked else hello["seq"]
        async for frame in ws:
            event = frame.json()
            if event["type"] == "sync":
                last_seq = self._sync(event, last_seq)
                self._epoch, self.seq = hello["epoch"], hello["seq"]
            elif "seq" in event:
                assert event["seq"] > last_seq, (event, last_seq)
                self.seq = last_seq = event["seq"]
                self._change(event)
            elif event["type"] == "expire":
                self._begin_at(event["first_id"])

    async def _read_page(self) -> None:
        answer = (await self._browser.get("/api/recent_messages_apiint/1000")).json
        for message in answer["messages"]:
            self._kept[message["id"]] = message

    def _sync(self, sync: dict[str, Any], last_seq: int) -> int:
        if not sync["complete"]:
            self._kept = {message["id"]: message for message in sync["messages"]}
        else:
            for message in sync["messages"]:
                assert message["seq"] > last_seq, (message, last_seq)
                last_seq = message["seq"]
                self._keep(message)
        self._begin_at(sync["first_id"])
        return max(last_seq, *[message["seq"] for message in sync["messages"]], 0)

    def _change(self, event: dict[str, Any]) -> None:
        if event["type"] == "message":
            self._keep(event["message"])
        elif event["id"] in self._kept:
            state = {"recall": "recalled", "delete": "deleted"}[event["type"]]
            self._kept[event["id"]] = {**self._kept[event["id"]], "state": state, "seq": event["seq"], "text": ""}

    def _keep(self, message: dict[str, Any]) -> None:
        before = self._kept.get(message["id"])
        # The first page may contain messages that its socket then sends as new. No other message is new twice.
        assert before is None or before["seq"] <= message["seq"], (before, message)
        assert before is None or before["state"] == "live" or message["state"] != "live", (before, message)
        self._kept[message["id"]] = message

    def _begin_at(self, first_id: int) -> None:
        self._kept = {number: message for number, message in self._kept.items() if number >= first_id}
