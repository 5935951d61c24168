import asyncio
import contextlib

import httpx_ws
from sending import arguments, raised


async def main() -> None:
    address, headers, texts = arguments()
    try:
        async with httpx_ws.aconnect_ws(address, headers=headers) as ws:
            with contextlib.suppress(httpx_ws.WebSocketNetworkError):
                for text in texts:
                    await ws.send_text(text)
            await receive_all(ws)
    except httpx_ws.WebSocketUpgradeError as refused:
        raised(refused, status=refused.response.status_code)


async def receive_all(ws: httpx_ws.AsyncWebSocketSession) -> None:
    """This must be inside the `async with`, which wraps an exception that leaves it in an ExceptionGroup."""
    try:
        while True:
            await ws.receive()
    except httpx_ws.WebSocketDisconnect as closed:
        raised(closed, code=closed.code)
    except httpx_ws.WebSocketNetworkError as error:
        raised(error)


asyncio.run(main())
