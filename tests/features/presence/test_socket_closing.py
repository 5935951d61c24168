"""How a socket ends: by the rules of the protocol, by the rules of the room, and after an error."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.client import PASSWORD, PATIENCE, Browser, House

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


class Encoder:
    """A raw socket of a guest, for frames that no client library sends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def open(cls, address: str) -> AsyncIterator[Encoder]:
        here = urlsplit(address)
        reader, writer = await asyncio.open_connection(here.hostname, here.port)
        lines = [
            "GET /ws/chat/ HTTP/1.1", f"Host: {here.netloc}", f"Origin: {address}", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
        ]  # fmt: skip
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
            yield cls(reader, writer)
        finally:
            writer.close()

    def send_raw(self, data: bytes) -> None:
        self._writer.write(data)

    def send(self, opcode: int, payload: bytes, final: bool = True, reserved: int = 0) -> None:
        size = len(payload)
        head = bytes([(0x80 if final else 0) | reserved | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65_536:
            head += struct.pack("!BH", 0x80 | 126, size)
        else:
            head += struct.pack("!BQ", 0x80 | 127, size)
        self._writer.write(head + b"\0\0\0\0" + payload)  # masked with the key 0, which changes nothing

    async def next(self, *opcodes: int) -> bytes:
        """The payload of the next frame of this kind."""
        async with asyncio.timeout(PATIENCE):
            while True:
                first, size = await self._reader.readexactly(2)
                if size == 126:
                    (size,) = struct.unpack("!H", await self._reader.readexactly(2))
                elif size == 127:
                    (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
                payload = await self._reader.readexactly(size)
                if first & 0xF in opcodes:
                    return payload

    async def close_code(self) -> int:
        (code,) = struct.unpack("!H", (await self.next(CLOSE))[:2])
        assert isinstance(code, int)
        return code

    async def hung_up(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            return not await self._reader.read()


async def closed_after(house: House, *frames: tuple[int, bytes, bool, int]) -> int:
    async with Encoder.open(house.address) as wire:
        for opcode, payload, final, reserved in frames:
            wire.send(opcode, payload, final, reserved)
        return await wire.close_code()


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(BINARY, b"hello", True, 0)], 1003),
        ([(TEXT, b"\xff\xfe", True, 0)], 1007),
        ([(TEXT, b"\xed\xa0\x80", True, 0)], 1007),
        ([(TEXT, b"x" * (64 * 1024 + 1), True, 0)], 1009),
        ([(TEXT, b"x" * 40_000, False, 0), (0, b"x" * 40_000, True, 0)], 1009),
        ([(TEXT, b"hello", True, 0x40)], 1002),
        ([(0x3, b"hello", True, 0)], 1002),
        ([(0, b"nothing to continue", True, 0)], 1002),
        ([(PING, b"half", False, 0)], 1002),
        ([(PING, b"x" * 126, True, 0)], 1002),
        ([(CLOSE, b"a", True, 0)], 1002),
        ([(CLOSE, struct.pack("!H", 999), True, 0)], 1002),
        ([(CLOSE, struct.pack("!H", 1006), True, 0)], 1002),
    ],
)
async def test_what_breaks_the_protocol_is_closed_with_its_code(
    house: House, frames: list[tuple[int, bytes, bool, int]], code: int
) -> None:
    other = await (await house.member("小明")).socket()
    assert await closed_after(house, *frames) == code
    await other.say("nobody else minds", "c-1")


@pytest.mark.parametrize(
    "unmasked",
    [
        b"\x81\x05hello",
        b"\x81\x7e\x01\x00" + b"x" * 256,
        b"\x89\x00",
        b"\x81\x80\0\0\0\0" + b"\x81\x00",  # after a valid frame
        b"\x81\xfe\x01\x00\0\0\0\0" + b"x" * 256 + b"\x81\x05hello",
    ],
)
async def test_a_frame_that_is_not_masked_breaks_the_protocol(house: House, unmasked: bytes) -> None:
    for pieces in ([unmasked], [unmasked[:1], unmasked[1:]]):
        async with Encoder.open(house.address) as wire:
            for piece in pieces:
                wire.send_raw(piece)
                await asyncio.sleep(0.01)
            assert await wire.close_code() == 1002


async def test_a_frame_of_64_kib_is_still_heard(house: House) -> None:
    browser = await house.member("小明")
    socket = await browser.socket()
    start = '{"type":"post","client_id":"c-1","text":"'
    await socket.ws.send_str(start + "x" * (64 * 1024 - len(start) - 2) + '"}')
    assert (await socket.expect("refused"))["code"] == "too_long"
    await socket.ws.send_str(start + "x" * (64 * 1024 - len(start) - 1) + '"}')
    assert await socket.closed() == 1009


async def test_a_text_in_pieces_is_one_text(house: House) -> None:
    async with Encoder.open(house.address) as wire:
        word = "é".encode()
        wire.send(TEXT, b'{"type":"typing","x":"' + word[:1], final=False)
        wire.send(PING, b"between")
        wire.send(0, word[1:] + b'"}')
        assert await wire.next(PONG) == b"between"
        while b"login_required" not in await wire.next(TEXT):
            pass


@pytest.mark.parametrize(
    "text",
    ["not json", "", "[]", "null", '"post"', "{}", '{"type":1}', '{"type":"shout"}', '{"type":["post"]}', "[" * 60_000,
     '{"type":"ping","t":NaN}', "1" * 6_000],
)  # fmt: skip
async def test_nonsense_is_refused_and_the_tenth_time_is_the_last(house: House, text: str) -> None:
    socket = await (await house.member("小明")).socket()
    for _ in range(9):
        await socket.ws.send_str(text)
        assert (await socket.expect("refused"))["code"] == "bad_request"
    await socket.say("still here", "c-1")
    await socket.ws.send_str(text)
    assert (await socket.expect("refused"))["code"] == "bad_request"
    assert await socket.closed() == 1008


async def test_a_ping_is_ponged_and_a_close_answered(house: House) -> None:
    async with Encoder.open(house.address) as wire:
        wire.send(PING, b"are you there")
        assert await wire.next(PONG) == b"are you there"
        wire.send(CLOSE, struct.pack("!H", 1000))
        assert await wire.close_code() == 1000
        assert await wire.hung_up()


async def test_the_server_pings_and_drops_who_stays_silent(house: House) -> None:
    async with Encoder.open(house.address) as silent, Encoder.open(house.address) as alive:
        await asyncio.gather(silent.next(TEXT), alive.next(TEXT))
        house.clock.forward(30)
        await asyncio.gather(silent.next(PING), alive.next(PING))
        alive.send(PONG, b"")
        alive.send(PING, b"heard")
        await alive.next(PONG)
        house.clock.forward(31)
        await alive.next(PING)  # the connection is not dropped: it is pinged again
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            while True:
                await silent.next(TEXT)


# By the rules of the room


async def test_a_logout_ends_the_sockets_of_that_login_alone(house: House) -> None:
    browser, phone = await house.member("小明"), await house.guest()
    await phone.log_in("小明")
    here, also_here, there = await browser.socket(), await browser.socket(), await phone.socket()
    await browser.post("/logout/")
    assert [await here.closed(), await also_here.closed()] == [4401, 4401]
    await there.say("still here", "c-1")


async def test_a_socket_hears_nothing_after_its_login_ended(house: House) -> None:
    browser, other = await house.member("小明"), await house.member("小红")
    socket = await browser.socket()
    await asyncio.gather(browser.token(), other.token())
    await asyncio.gather(browser.post("/logout/"), *(other.say(str(n)) for n in range(10)))
    assert await socket.closed() == 4401
    await other.say("after")
    assert "after" not in [frame["message"]["text"] for frame in socket.heard("message")]


async def handshake_status(browser: Browser) -> tuple[int, str]:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.dial()
    assert refused.value.headers is not None
    return refused.value.status, refused.value.headers.get("Retry-After", "")


@pytest.mark.settings(max_connections=2)
async def test_more_sockets_than_the_house_holds_are_refused(house: House) -> None:
    guest = await house.guest()
    first, _ = await guest.socket(), await guest.socket()
    status, retry_after = await handshake_status(guest)
    assert status == 503 and int(retry_after) >= 1
    await first.close()
    await guest.socket()


@pytest.mark.settings(connections_per_address=1, trusted_proxies="127.0.0.1")
async def test_more_sockets_than_one_address_may_have_are_refused(house: House) -> None:
    one, another = (
        await house.guest(X_Forwarded_For="203.0.113.1"),
        await house.guest(X_Forwarded_For="203.0.113.2"),
    )
    await one.socket()
    assert (await handshake_status(one))[0] == 503
    await another.socket()


@pytest.mark.settings(max_connections=0, connections_per_address=0)
async def test_no_limit_is_no_limit(house: House) -> None:
    guest = await house.guest()
    assert len([await guest.socket() for _ in range(5)]) == 5


async def test_a_plain_request_is_no_handshake(house: House) -> None:
    guest = await house.guest()
    answer = await guest.get("/ws/chat/", {"Accept": "application/json", "Origin": house.address})
    assert 400 <= answer.status < 500
    assert "error" in answer.json


async def test_a_password_that_changed_elsewhere_ends_the_socket_and_not_the_changers(house: House) -> None:
    browser, phone = await house.member("小明"), await house.guest()
    await phone.log_in("小明")
    here, there = await browser.socket(), await phone.socket()
    await browser.post("/profile/", {"old_password": PASSWORD, "new_password": "another long one"})
    assert await there.closed() == 4401
    await here.say("still here", "c-1")


@pytest.mark.settings(max_connections=2)
async def test_of_many_who_come_at_once_no_more_are_let_in_than_the_house_holds(house: House) -> None:
    member = await house.member("小明")
    dialled = await asyncio.gather(*(member.dial() for _ in range(12)), return_exceptions=True)
    sockets = [each for each in dialled if not isinstance(each, BaseException)]
    assert len(sockets) == 2
    for socket in sockets:
        await socket.close()
