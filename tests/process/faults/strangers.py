"""`python -m tests.process.faults.strangers ADDRESS SECONDS`: attacks of strangers and of one member at the same time.

Each attack comes from a loopback address of its own, so that a limit on one attack does not hide the cost of another.
At the end it prints a line of JSON for each attack: status or close code -> number.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp

from tests.client import Browser, picture
from tests.process.faults.crowd import handshake

# 124 KB that take seconds to normalise: combining marks in alternating order.
COSTLY = "\u0301\u0316" * 31_000
PHOTO_SIDES = 4000, 3000


class Stranger:
    """One attack: its source address, and the answers that it got."""

    def __init__(self, address: str, source: str, ends: float) -> None:
        self.address = address
        self.here = urlsplit(address)
        self.source = source
        self.got: Counter[str] = Counter()
        self._ends = ends

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self._ends

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.here.hostname, self.here.port, local_addr=(self.source, 0))


Attack = Callable[[Stranger], Awaitable[None]]


async def passwords(stranger: Stranger) -> None:
    """Log in under an unknown name with a password that is expensive to check."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(local_addr=(stranger.source, 0)), cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as session:
        async with session.get(f"{stranger.address}/login/") as page:
            [token] = re.findall(r'<meta name="csrf-token" content="([^"]+)"', await page.text())
        while stranger.goes_on:
            form = aiohttp.FormData({"username": "nobody", "password": COSTLY}, default_to_multipart=True)
            headers = {"X-CSRFToken": token, "Accept": "application/json"}
            async with session.post(f"{stranger.address}/login/", data=form, headers=headers) as answer:
                stranger.got[str(answer.status)] += 1


async def uploads(stranger: Stranger) -> None:
    """Send a large file slowly to a form that accepts none, without a login."""
    head = (
        f"POST /login/ HTTP/1.1\r\nHost: {stranger.here.netloc}\r\nContent-Length: 19000000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    )
    await _many(stranger, 20, head.encode() + b"\0" * 1_000_000, b"\0" * 30, 1.0)


async def half_headers(stranger: Stranger) -> None:
    """Open connections that send one byte of a header a second."""
    await _many(stranger, 300, b"GET / HTTP/1.1\r\nX-Slow: ", b"x", 1.0)


async def deaf_readers(stranger: Stranger) -> None:
    """Request the longest answers again and again, and never read them."""
    ask = f"GET /api/recent_messages_apiint/1000 HTTP/1.1\r\nHost: {stranger.here.netloc}\r\n\r\n".encode()
    await _many(stranger, 40, ask * 20, ask, 1.0, reads=False)


async def _many(stranger: Stranger, count: int, first: bytes, then: bytes, seconds: float, reads: bool = True) -> None:
    """`count` connections that send `first`, then `then` every `seconds`. Each connects again when it is closed."""

    async def one() -> None:
        while stranger.goes_on:
            reader, writer = await stranger.connect()
            if not reads:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
            with contextlib.suppress(ConnectionError):
                writer.write(first)
                while stranger.goes_on and not writer.is_closing():
                    await asyncio.sleep(seconds)
                    writer.write(then)
            with contextlib.suppress(ConnectionError, TimeoutError):
                if reads:
                    line = await asyncio.wait_for(reader.readline(), 1)
                    stranger.got[line.decode().partition(" ")[2][:3] or "closed"] += 1
            stranger.got["begun"] += 1
            writer.transport.abort()

    await asyncio.gather(*(one() for _ in range(count)))


async def searches(stranger: Stranger) -> None:
    """Search for a word of every message and for a word of none, twenty searches at a time."""
    connector = aiohttp.TCPConnector(local_addr=(stranger.source, 0), limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(word: str) -> None:
            while stranger.goes_on:
                async with session.get(
                    f"{stranger.address}/api/messages/", params={"q": word, "limit": "100"}
                ) as answer:
                    await answer.read()
                    stranger.got[str(answer.status)] += 1
                    if answer.status in (429, 503):
                        await asyncio.sleep(0.1)

        await asyncio.gather(*(one(word) for word in ["消息", "找不到的话"] * 10))


async def handshakes(stranger: Stranger) -> None:
    """Open sockets that request all changes since the beginning, and drop them."""

    async def one() -> None:
        while stranger.goes_on:
            reader, writer = await stranger.connect()
            writer.write(handshake(stranger.address, "?after=0"))
            with contextlib.suppress(ConnectionError):
                stranger.got[(await reader.readline()).decode()[9:12] or "closed"] += 1
            writer.transport.abort()
            await asyncio.sleep(0.005)

    await asyncio.gather(*(one() for _ in range(4)))


async def guests_frames(stranger: Stranger) -> None:
    """Send frames on sixty sockets of guests, who may not send any, and continue after refusals."""
    await _frames(stranger, 60, {})


async def members_frames(stranger: Stranger) -> None:
    """Send 240 frames a second on each of sixty sockets of one member."""
    async with Browser(stranger.address) as member:
        await member.register("话多的人")
        await _frames(stranger, 60, {cookie.key: cookie.value for cookie in member.session.cookie_jar})


async def _frames(stranger: Stranger, count: int, cookies: dict[str, str]) -> None:
    connector = aiohttp.TCPConnector(local_addr=(stranger.source, 0), limit=0)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:
        jar.update_cookies(cookies)

        async def one() -> None:
            while stranger.goes_on:
                try:
                    async with session.ws_connect(f"{stranger.address}/ws/chat/", origin=stranger.address) as ws:
                        while stranger.goes_on and not ws.closed:
                            for _ in range(24):
                                await ws.send_str('{"type":"ping","t":1}')
                            with contextlib.suppress(TimeoutError):
                                async with asyncio.timeout(0.1):
                                    while (await ws.receive()).type is aiohttp.WSMsgType.TEXT:
                                        pass
                        stranger.got[str(ws.close_code)] += 1
                except aiohttp.ClientError as error:
                    stranger.got[str(getattr(error, "status", "lost"))] += 1
                    await asyncio.sleep(0.5)

        await asyncio.gather(*(one() for _ in range(count)))


async def photographs(stranger: Stranger) -> None:
    """Upload forty photographs of 12 megapixels at the same time, as one member."""
    photo = await asyncio.to_thread(picture, *PHOTO_SIDES, "JPEG")
    async with Browser(stranger.address) as member:
        await member.register("拍照的人")

        async def one(number: int) -> None:
            while stranger.goes_on:
                answer = await member.post("/post/", {"text": str(number)}, {"image": photo})
                stranger.got[str(answer.status)] += 1
                await asyncio.sleep(0.2)

        await asyncio.gather(*(one(number) for number in range(40)))


ATTACKS: tuple[Attack, ...] = (
    passwords, uploads, half_headers, deaf_readers, searches, handshakes, guests_frames, members_frames, photographs,
)  # fmt: skip


async def main(address: str, seconds: float) -> None:
    ends = time.monotonic() + seconds
    strangers = [Stranger(address, f"127.0.1.{number}", ends) for number in range(1, len(ATTACKS) + 1)]
    results = await asyncio.gather(
        *(
            asyncio.wait_for(attack(stranger), seconds + 20)
            for attack, stranger in zip(ATTACKS, strangers, strict=True)
        ),
        return_exceptions=True,
    )
    for attack, stranger, result in zip(ATTACKS, strangers, results, strict=True):
        failed = {"failed": repr(result)} if isinstance(result, BaseException) else {}
        print(json.dumps({"attack": attack.__name__, "got": stranger.got, **failed}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
