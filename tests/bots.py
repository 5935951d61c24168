"""Bots for tests. They are made on the page `/bots/`, and then are programs with a token, without cookies and
Origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.client import JSON, Browser, House, multipart


class Bot(Browser):
    """A program that sends its token in the Authorization header, and no header of a browser."""

    def __init__(self, address: str, token: str) -> None:
        super().__init__(address, Authorization=f"Bearer {token}")
        self.bearer = token

    async def post(
        self,
        path: str,
        fields: dict[str, Any] | None = None,
        files: dict[str, bytes] | None = None,
        headers: dict[str, str] = JSON,
        **options: Any,
    ) -> Any:
        data: Any = {name: str(value) for name, value in (fields or {}).items()}
        if files:
            data = multipart(data, files)
        return await self.request("POST", path, data=data, headers=headers, **options)

    async def post_json(self, path: str, value: Any, headers: dict[str, str] = JSON) -> Any:
        return await self.request("POST", path, json=value, headers=headers)

    async def dial(self, origin: str | None = None, **query: Any) -> aiohttp.ClientWebSocketResponse:
        tail = "&".join(f"{name}={value}" for name, value in query.items())
        return await self.session.ws_connect(f"{self.address}/ws/chat/?{tail}", origin=origin, headers=JSON)


async def made(admin: Browser, name: str = "小助手", **fields: Any) -> dict[str, Any]:
    """The bot as the page's JSON has it, with its `token`."""
    answer = await admin.post_json("/bots/", {"name": name, **fields})
    assert answer.status == 201, answer.text
    found: dict[str, Any] = answer.json["bot"]
    return found


@asynccontextmanager
async def running(house: House, token: str) -> AsyncIterator[Bot]:
    async with Bot(house.server.address, token) as bot:
        yield bot
