import asyncio

import aiohttp
from sending import arguments, raised, tell


async def main() -> None:
    address, headers, texts = arguments()
    async with aiohttp.ClientSession(headers=headers) as http:
        try:
            ws = await http.ws_connect(address)
        except aiohttp.WSServerHandshakeError as refused:
            raised(refused, status=refused.status)
            return
        for text in texts:
            await ws.send_str(text)
        async for _ in ws:
            pass
        tell("the loop ends", code=ws.close_code)


asyncio.run(main())
