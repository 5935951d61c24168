import asyncio

import websockets
from sending import arguments, raised, tell


async def main() -> None:
    address, headers, texts = arguments()
    try:
        ws = await websockets.connect(address, additional_headers=headers)
    except websockets.InvalidStatus as refused:
        raised(refused, status=refused.response.status_code)
        return
    for text in texts:
        await ws.send(text)
    try:
        async for _ in ws:
            pass
    except websockets.ConnectionClosedError as closed:
        raised(closed, code=closed.rcvd and closed.rcvd.code)
        return
    try:
        await ws.recv()
    except websockets.ConnectionClosedOK as closed:
        tell("the loop ends", code=closed.rcvd.code, then=type(closed).__name__)


asyncio.run(main())
