"""The handshake of a WebSocket (RFC 6455, section 4.2): which requests get 101, and how all others are refused."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from chatserver.http.aiohttp_compat import hand_over
from tests.client import PATIENCE, House
from tests.realtime.parsed import PING, TEXT, close, frame
from tests.support import eventually

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the accept value of that key, from the example of section 1.3


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, str]:
        error: dict[str, str] = json.loads(self.body)["error"]
        return error


class Dialled:
    """A raw connection to the room."""

    def __init__(self, house: House, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.house, self.reader, self.writer = house, reader, writer

    def ask(self, version: str = "1.1", method: str = "GET", behind: bytes = b"", **changes: str | None) -> None:
        """A handshake with these headers changed, or omitted for None. `behind` follows in the same TCP segment."""
        headers: dict[str, str | None] = {
            "Host": urlsplit(self.house.address).netloc,
            "Origin": self.house.address,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": KEY,
            "Sec-WebSocket-Version": "13",
            "Accept": "application/json",
        }
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None)
        self.writer.write(f"{method} /ws/chat/ HTTP/{version}\r\n{lines}\r\n".encode() + behind)

    async def answer(self) -> Answer:
        async with asyncio.timeout(PATIENCE):
            status, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()[:-1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(int(status.split()[1]), headers, body)

    async def payload(self) -> bytes:
        """The payload of the next frame."""
        async with asyncio.timeout(PATIENCE):
            _, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            return await self.reader.readexactly(size)

    async def until(self, word: bytes) -> bytes:
        """The payload of the next frame that contains `word`."""
        while word not in (payload := await self.payload()):
            pass
        return payload


@asynccontextmanager
async def dialled(house: House) -> AsyncIterator[Dialled]:
    here = urlsplit(house.address)
    reader, writer = await asyncio.open_connection(here.hostname, here.port)
    try:
        yield Dialled(house, reader, writer)
    finally:
        writer.close()


async def asked(house: House, **how: str | None) -> Answer:
    async with dialled(house) as line:
        line.ask(**how)  # type: ignore[arg-type]
        return await line.answer()


async def test_a_handshake_is_answered_with_the_hash_of_its_key(house: House) -> None:
    answer = await asked(house)
    assert answer.status == 101
    assert answer.headers["sec-websocket-accept"] == ACCEPT
    assert (answer.headers["upgrade"], answer.headers["connection"].lower()) == ("websocket", "upgrade")
    assert answer.headers["x-request-id"]
    assert {"sec-websocket-protocol", "sec-websocket-extensions"}.isdisjoint(answer.headers)


@pytest.mark.parametrize("headers", [{"Upgrade": "WebSocket"}, {"Connection": "keep-alive, Upgrade"}])
async def test_names_are_not_case_sensitive_and_other_options_may_stand_beside(
    house: House, headers: dict[str, str]
) -> None:
    assert (await asked(house, **headers)).status == 101


async def test_an_offered_subprotocol_and_extension_are_passed_over_without_a_warning(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answer = await asked(
            house, Sec_WebSocket_Protocol="chat, superchat", Sec_WebSocket_Extensions="permessage-deflate"
        )
    assert answer.status == 101
    assert {"sec-websocket-protocol", "sec-websocket-extensions"}.isdisjoint(answer.headers)
    assert caplog.records == []


@pytest.mark.parametrize("version", ["8", "7", "14", "", "13, 8", None])
async def test_another_version_is_answered_with_426_and_the_one_that_is_spoken(
    house: House, version: str | None
) -> None:
    answer = await asked(house, Sec_WebSocket_Version=version)
    assert answer.status == 426
    assert answer.headers["sec-websocket-version"] == "13"
    assert answer.headers["upgrade"] == "websocket"
    assert answer.error["code"] == "bad_request" and "13" in answer.error["message"]


async def test_http_1_0_is_refused(house: House) -> None:
    answer = await asked(house, version="1.0")
    assert (answer.status, answer.error["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"Upgrade": None},
        {"Upgrade": "h2c"},
        {"Connection": None},
        {"Connection": "close"},
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": ""},
        {"Sec_WebSocket_Key": "dGhlIHNhbXBsZQ=="},
        {"Sec_WebSocket_Key": "not base64 at all!"},
        {"Sec_WebSocket_Key": "é" * 12},
        {"Content_Length": "2", "behind": b"hi"},
    ],
)
async def test_what_is_no_handshake_is_refused(house: House, changes: dict[str, str | None]) -> None:
    answer = await asked(house, **changes)
    assert (answer.status, answer.error["code"]) == (400, "bad_request")


@pytest.mark.parametrize("origin", [None, ""])
async def test_without_an_origin_it_is_refused_with_words_that_name_the_header(
    house: House, origin: str | None
) -> None:
    answer = await asked(house, Origin=origin)
    assert (answer.status, answer.error["code"]) == (403, "forbidden")
    assert "Origin" in answer.error["message"]


@pytest.mark.parametrize("origin", ["null", "https://other.example"])
async def test_with_another_origin_it_is_refused_with_words_that_name_both(house: House, origin: str) -> None:
    answer = await asked(house, Origin=origin)
    assert (answer.status, answer.error["code"]) == (403, "forbidden")
    assert origin in answer.error["message"] and house.address in answer.error["message"]


async def test_a_connection_serves_requests_after_a_handshake_that_was_refused(house: House) -> None:
    async with dialled(house) as line:
        line.ask(Sec_WebSocket_Version="8")
        assert (await line.answer()).status == 426
        line.ask()
        assert (await line.answer()).status == 101
        assert b'"hello"' in await line.payload()


# Bytes that a client sends after the request


async def test_frames_in_the_segment_of_the_request_are_heard(house: House) -> None:
    async with dialled(house) as line:
        line.ask(behind=frame(TEXT, b'{"type":"ping","t":1}') + frame(PING, b"marco"))
        assert (await line.answer()).status == 101
        assert b'"hello"' in await line.payload()
        assert b"login_required" in await line.until(b"refused")
        assert await line.until(b"marco") == b"marco"


async def test_a_frame_that_is_half_behind_the_request_is_heard(house: House) -> None:
    ping = frame(PING, b"marco")
    async with dialled(house) as line:
        line.ask(behind=ping[:5])
        assert (await line.answer()).status == 101
        line.writer.write(ping[5:])
        assert await line.until(b"marco") == b"marco"


async def test_more_than_aiohttp_keeps_behind_a_request_is_heard(house: House) -> None:
    """aiohttp stops reading then, and the connection must read again."""
    pings = [frame(PING, b"%d" % number + b"x" * 100) for number in range(900)]
    async with dialled(house) as line:
        line.ask(behind=b"".join(pings))
        assert (await line.answer()).status == 101
        await line.until(b"899x")
        line.writer.write(frame(PING, b"after"))
        assert await line.until(b"after") == b"after"


async def test_a_close_in_the_segment_of_the_request_is_answered(house: House) -> None:
    async with dialled(house) as line:
        line.ask(behind=close(1000))
        assert (await line.answer()).status == 101
        assert await line.until(struct.pack("!H", 1000)) == struct.pack("!H", 1000)
        async with asyncio.timeout(PATIENCE):
            assert await line.reader.read() == b""


async def test_a_request_before_the_handshake_is_answered_first(house: House) -> None:
    async with dialled(house) as line:
        line.writer.write(f"GET /healthz HTTP/1.1\r\nHost: {urlsplit(house.address).netloc}\r\n\r\n".encode())
        line.ask(behind=frame(PING, b"marco"))
        assert (await line.answer()).body == b'{"status":"ok"}'
        assert (await line.answer()).status == 101
        assert await line.until(b"marco") == b"marco"


# The hand-over


async def test_aiohttp_keeps_nothing_of_a_connection_that_was_handed_over(house: House) -> None:
    import gc

    from aiohttp.web_protocol import RequestHandler

    def handlers() -> int:
        gc.collect()
        return sum(isinstance(each, RequestHandler) for each in gc.get_objects())

    browser = await house.guest()
    await browser.get("/healthz")
    before = handlers()
    sockets = [await browser.socket() for _ in range(5)]
    await eventually(lambda: handlers() <= before)
    for socket in sockets:
        await socket.in_step()


async def test_a_fault_while_a_connection_begins_ends_it(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr(house.server.room.hub, "join", fail)
        async with dialled(house) as line:
            line.ask()
            async with asyncio.timeout(PATIENCE):
                assert await line.reader.read() == b""
    assert "ZeroDivisionError" in caplog.text
    assert (await asked(house)).status == 101


async def test_a_request_that_aiohttp_reads_on_behind_is_not_handed_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If aiohttp's parser recognized other requests as handshakes than this server does, bytes could be lost."""
    real = hand_over.hand_over

    def not_upgraded(request: object, protocol: object) -> bytes:
        request.protocol._upgraded = False  # type: ignore[attr-defined]
        return real(request, protocol)  # type: ignore[arg-type]

    monkeypatch.setattr("chatserver.features.presence.socket.hand_over", not_upgraded)
    answer = await asked(house)
    assert (answer.status, answer.error["code"]) == (400, "bad_request")
