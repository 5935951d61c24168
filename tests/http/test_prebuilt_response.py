"""The prebuilt response and aiohttp's own response have the same content, for every kind of client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from chatserver.http.aiohttp_compat.prebuilt import DIRECT_MIN
from tests.client import PATIENCE, Browser, House

API = "/api/recent_messages/"


@dataclass(frozen=True)
class Answer:
    status: str
    headers: dict[str, str]
    body: bytes


class Encoder:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cookies: str) -> None:
        self._reader, self._writer, self._cookies = reader, writer, cookies

    def ask(self, path: str, method: str = "GET", version: str = "1.1", **headers: str) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        cookies = f"Cookie: {self._cookies}\r\n" if self._cookies else ""
        self._writer.write(f"{method} {path} HTTP/{version}\r\nHost: localhost\r\n{cookies}{lines}\r\n".encode())

    async def answer(self, *, with_body: bool = True) -> Answer:
        async with asyncio.timeout(PATIENCE):
            status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().splitlines()[:-1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            assert len(headers) == len(lines), "a header stands twice"
            size = int(headers["content-length"]) if with_body else 0
            return Answer(status, headers, await self._reader.readexactly(size))

    async def is_over(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read() == b""

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
async def reader(house: House) -> Browser:
    """A member of a room that has a message."""
    browser = await house.member("小明")
    await browser.say("谁要奶茶？")
    await browser.page("/")
    return browser


@pytest.fixture
async def wire(reader: Browser) -> AsyncIterator[Encoder]:
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in reader.session.cookie_jar)
    address = urlsplit(reader.address)
    opened = Encoder(*await asyncio.open_connection(address.hostname, address.port), cookies)
    yield opened
    opened.close()


def told(answer: Answer) -> dict[str, str]:
    """The headers, without those that differ between two answers or depend on the connection."""
    return {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id", "connection")}


@pytest.mark.parametrize("path", [API, "/api/recent_messages_apiint/1"])
async def test_both_ways_say_the_same(wire: Encoder, path: str) -> None:
    wire.ask(path)
    fast = await wire.answer()
    wire.ask(path, version="1.0", Connection="keep-alive")
    usual = await wire.answer()
    assert (fast.body, told(fast)) == (usual.body, told(usual))
    assert [message["text"] for message in json.loads(fast.body)["messages"]] == ["谁要奶茶？"]
    assert fast.headers["content-type"] == "application/json"
    assert {"x-content-type-options", "content-security-policy"} <= set(fast.headers)
    assert fast.headers["server"] == "chat"


async def test_both_ways_say_the_same_of_the_page(wire: Encoder) -> None:
    wire.ask("/")
    fast = await wire.answer()
    wire.ask("/?ui=desktop")  # the choice is stored in a cookie, so the response is not prebuilt
    usual = await wire.answer()
    assert usual.headers.pop("set-cookie").startswith("ui=desktop")
    assert told(fast) | {"content-length": ""} == told(usual) | {"content-length": ""}
    assert fast.headers["content-type"] == usual.headers["content-type"] == "text/html; charset=utf-8"
    assert fast.headers["vary"] == "Cookie"


async def test_every_answer_has_an_id_of_its_own_and_the_date(wire: Encoder) -> None:
    ids = set()
    for _ in range(3):
        wire.ask(API)
        answer = await wire.answer()
        assert answer.headers["date"].endswith(" GMT")
        ids.add(answer.headers["x-request-id"])
    assert len(ids) == 3


async def test_head_has_the_length_and_no_body(wire: Encoder) -> None:
    wire.ask(API)
    whole = await wire.answer()
    wire.ask(API, method="HEAD")
    bare = await wire.answer(with_body=False)
    assert told(bare) == told(whole)
    wire.ask("/healthz")
    assert (await wire.answer()).body == b'{"status":"ok"}', "something followed the head"


async def test_a_connection_that_is_to_close_is_closed(wire: Encoder) -> None:
    wire.ask(API, Connection="close")
    answer = await wire.answer()
    assert (answer.status, answer.headers["connection"]) == ("HTTP/1.1 200 OK", "close")
    assert await wire.is_over()


async def test_an_asker_of_version_1_0_gets_one_answer(wire: Encoder) -> None:
    wire.ask(API, version="1.0")
    answer = await wire.answer()
    assert json.loads(answer.body)["messages"]
    assert await wire.is_over()


async def test_many_questions_at_once_are_answered_in_their_order(wire: Encoder) -> None:
    for count in range(2):
        wire.ask(f"/api/recent_messages_apiint/{count}")
    bodies = [json.loads((await wire.answer()).body)["messages"] for _ in range(2)]
    assert [len(each) for each in bodies] == [0, 1]


async def test_who_asks_on_without_reading_is_not_answered_on(house: House, reader: Browser, wire: Encoder) -> None:
    """The response to a client that does not read waits in memory, so its next request waits too."""
    for n in range(40):
        await reader.say("长" * 1500 + str(n))
    before = house.server.room.metrics.answers[200]
    for _ in range(2000):
        wire.ask(API)
    counts = [-1, 0]
    for _ in range(100):
        if counts[-1] == counts[-2] > 0:
            break
        await asyncio.sleep(0.2)
        counts.append(house.server.room.metrics.answers[200] - before)
    assert 0 < counts[-1] < 1000


async def test_a_long_page_arrives_whole_at_a_reader_who_reads_slowly(
    house: House, reader: Browser, wire: Encoder
) -> None:
    """The response is so long that it bypasses the transport, and that the kernel does not take all of it at once."""
    for number in range(60):
        await reader.say(f"{number} {'茶' * 1_900}")
    for _ in range(40):
        wire.ask("/")
    for _ in range(40):
        page = (await wire.answer()).body
        assert len(page) > 4 * DIRECT_MIN
        assert page.rstrip().endswith(b"</html>")
        assert len(json.loads(page.partition(b'id="page-data">')[2].partition(b"</script>")[0])["messages"]) == 61
