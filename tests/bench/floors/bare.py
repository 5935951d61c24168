"""Bare aiohttp: a WebSocket that only listens, a WebSocket whose messages go to all, and a constant page.

python -m tests.bench.floors.bare BODY_FILE CONTENT_TYPE

`/listen` is the lowest cost of an accepted connection; `/repeat` is the loop over `send_str` that most examples show,
without a database; `/constant` answers with the file's bytes.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web

ACK = '{"type":"ack","client_id":""}'


async def listen(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    async for _ in ws:
        pass
    return ws


def repeater(text: str) -> web.Application:
    readers: set[web.WebSocketResponse] = set()

    async def repeat(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        readers.add(ws)
        try:
            async for message in ws:
                if message.type is web.WSMsgType.TEXT:
                    for reader in list(readers):
                        await reader.send_str(text)
                    await ws.send_str(ACK)
        finally:
            readers.discard(ws)
        return ws

    app = web.Application()
    app.router.add_get("/repeat", repeat)
    return app


async def main(body: bytes, content_type: str) -> None:
    async def constant(request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": content_type})

    app = repeater(body.decode())
    app.router.add_get("/listen", listen)
    app.router.add_get("/constant", constant)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print("listening", runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes(), sys.argv[2]))
