"""A client as the protocol wants it: keeps what it was told, comes back where it was, trusts nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from tests.client import Browser


class Reader:
    """Follows the room over as many sockets as it takes.

    Fails on a `seq` that does not rise on a connection, on a message told twice as new, and on one
    that comes back to life. `shown` is what its reader would see.
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
        """Listen for so long, then drop the connection without a word, in the middle of whatever comes."""
        where = {"after": self.seq, "epoch": self._epoch} if self._epoch else {}
        try:
            ws = await self._browser.dial(**where)
        except (aiohttp.ClientError, OSError):
            await asyncio.sleep(0.02)  # the server is not there just now
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
        """Come back once more and stay until everything up to `seq` is known."""
        while self.seq < seq:
            await self.follow(0.5)

    async def _listen(self, ws: aiohttp.ClientWebSocketResponse, asked: bool) -> None:
        first = await ws.receive()
        if first.type is not aiohttp.WSMsgType.TEXT:
            return  # killed between the handshake and its first word
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
        # A first page may already hold what its socket then tells as new; nothing else is told twice.
        assert before is None or before["seq"] <= message["seq"], (before, message)
        assert before is None or before["state"] == "live" or message["state"] != "live", (before, message)
        self._kept[message["id"]] = message

    def _begin_at(self, first_id: int) -> None:
        self._kept = {number: message for number, message in self._kept.items() if number >= first_id}
