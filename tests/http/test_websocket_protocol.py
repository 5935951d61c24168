"""RFC 6455 by the Autobahn suite, and the limits on valid frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chatserver.core import rate_limit
from chatserver.http import client_frame, handshake
from chatserver.http.aiohttp_compat import masking
from chatserver.http.aiohttp_compat.hand_over import hand_over, handed_over
from chatserver.http.request_id import REQUEST_ID
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection
from tests.client import Browser, House, Socket, opened
from tests.realtime.parsed import CONTINUATION, TEXT, frame

# Some cases send longer frames than the room accepts. Only this limit differs from the running server.
ECHO_MAX = 128 * 1024
GROUPS = ("1", "2", "3", "4", "5", "6", "7", "10")
CASES = 247
PATIENCE = 300.0
ANSWER_SECONDS = 60.0


class Echo:
    """A receiver that echoes what it gets."""

    def __init__(self, connection: EchoConnection) -> None:
        self._connection = connection

    def text_received(self, text: str) -> None:
        self._connection.send(frames.text(text.encode()))

    def fragment_received(self) -> None:
        pass

    def ping_received(self, payload: bytes) -> None:
        self._connection.send(frames.pong(payload))

    def pong_received(self) -> None:
        pass

    def close(self, code: int) -> None:
        self._connection.close(code, 0.0)

    def connection_lost(self) -> None:
        pass


class EchoConnection(Connection):
    """The room's connection, which also accepts binary messages, because the suite sends them."""

    __slots__ = ()

    def binary_received(self, payload: bytearray) -> None:
        text = frames.text(bytes(payload))
        self.send(bytes((text[0] + 1, *text[1:])))  # the opcode of text is 1, of binary 2


async def echo(request: web.Request) -> web.StreamResponse:
    request[REQUEST_ID] = ""
    handshake.check(request)
    connection = EchoConnection(None, None, "", 0.0, masking.fastest())
    connection.receiver = Echo(connection)
    rest = hand_over(request, connection)
    connection.send(handshake.answer(request))
    connection.feed(bytearray(rest), len(rest))
    return handed_over()


@asynccontextmanager
async def echoing() -> AsyncIterator[str]:
    """host:port of an echo server."""
    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        yield f"127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    finally:
        await runner.cleanup()


class Patient:
    """The suite's end of a connection. It waits a minute for an answer, where a case waits half a second or one.

    A case ends with the answer, so it waits longer only on a busy machine.
    """

    def __init__(self, protocol: Any) -> None:
        object.__setattr__(self, "_protocol", protocol)

    def killAfter(self, _: float) -> None:
        self._protocol.killAfter(ANSWER_SECONDS)

    def closeAfter(self, _: float) -> None:
        self._protocol.closeAfter(ANSWER_SECONDS)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._protocol, name, value)


async def test_every_case_of_the_conformance_suite_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Autobahn suite's own cases, with their numbers."""
    monkeypatch.setattr(frames, "MESSAGE_MAX", ECHO_MAX)
    kosoku = pytest.importorskip("kosoku", reason="kosoku, which carries the cases, is not installed")
    import_module("kosoku._caseindex").initialize_shims()  # the cases import each other by their own names
    case = import_module("case").Case
    begin = case.__init__
    monkeypatch.setattr(case, "__init__", lambda self, protocol: begin(self, Patient(protocol)))
    async with echoing() as address, asyncio.timeout(PATIENCE):
        try:
            found = await kosoku.run_fuzzingclient(address, [f"{group}.*" for group in GROUPS], None, concurrency=8)
        except kosoku.FailureError as failure:
            failed = [each for each in failure.results if not each.passed]
            pytest.fail("\n".join(f"{each.case_id}: {each.result} {each.result_close}" for each in failed))
    assert len(found) == CASES
    assert {each.behavior.value for each in found} <= {"OK", "NON-STRICT", "INFORMATIONAL"}
    # A text is checked when it is complete. The suite would prefer a refusal at the first wrong byte, but also accepts
    # this.
    assert {each.case_id for each in found if each.behavior.value == "NON-STRICT"} <= {f"6.4.{n}" for n in range(1, 5)}


# The rate of frames


async def refusals(socket: Socket, count: int) -> list[dict[str, object]]:
    for number in range(count):
        await socket.send("ping", t=number)
    await socket.expect("refused", code="too_fast")
    return socket.heard("refused")


async def test_frames_beyond_the_pace_are_refused_and_heard_again_later(house: House) -> None:
    socket = await (await house.member("小明")).socket()
    [refused] = await refusals(socket, rate_limit.BURST + 1)
    assert refused["code"] == "too_fast" and isinstance(refused["retry_after_ms"], int)
    house.clock.forward(refused["retry_after_ms"] / 1000)
    await socket.send("ping", t="later")
    assert await socket.expect("pong", t="later")


async def test_who_does_not_slow_down_is_closed_and_nobody_else_minds(house: House) -> None:
    other = await (await house.member("小红")).socket()
    socket = await (await house.member("小明")).socket()
    for number in range(rate_limit.BURST + rate_limit.REFUSALS_MAX + 1):
        await socket.send("ping", t=number)
    assert await socket.closed() == 1008
    assert len(socket.heard("refused")) == rate_limit.REFUSALS_MAX
    await other.say("still here", "c-1")


async def test_guests_pings_and_pongs_of_the_protocol_count_too(house: House) -> None:
    ws = await (await house.guest()).dial()
    for _ in range(rate_limit.BURST + rate_limit.REFUSALS_MAX + 1):
        await ws.ping(b"x")
    async with asyncio.timeout(PATIENCE):
        async for _ in ws:
            pass
    assert ws.close_code == 1008


async def test_a_message_of_endless_fragments_counts_too(house: House) -> None:
    ws = await (await house.guest()).dial()
    transport = ws._writer.transport  # raw, because no client library sends such frames
    transport.write(frame(TEXT, final=False))
    for _ in range(rate_limit.BURST + rate_limit.REFUSALS_MAX + 1):
        transport.write(frame(CONTINUATION, final=False))
    async with asyncio.timeout(PATIENCE):
        async for _ in ws:
            pass
    assert ws.close_code == 1008


async def test_messages_that_are_stored_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "BURST", 100)
    async with opened(tmp_path) as house:
        socket = await (await house.member("小明")).socket()
        for number in range(400):
            await socket.send("post", text=str(number), client_id=f"c-{number}")
        await socket.expect("ack", client_id="c-399")
        assert socket.heard("refused") == []


# The number of connections


@pytest.mark.settings(max_connections=2)
async def test_a_member_finds_room_where_a_guest_does_not(house: House) -> None:
    member, guest = await house.member("小明"), await house.guest()
    first, second = await guest.socket(), await guest.socket()
    socket = await member.socket()
    await socket.say("in", "c-1")
    ends = [asyncio.create_task(each.closed()) for each in (first, second)]
    ended, still = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    assert [each.result() for each in ended] == [1013] and len(still) == 1
    await member.socket()  # this closes the second guest's connection
    assert await still.pop() == 1013
    assert await refused_status(member) == await refused_status(guest) == 503
    await socket.say("nobody who was in lost a place to a member", "c-2")


@pytest.mark.settings(connections_per_address=1, trusted_proxies="127.0.0.1")
async def test_a_member_finds_room_at_an_address_full_of_guests(house: House) -> None:
    here = {"X_Forwarded_For": "203.0.113.1"}
    elsewhere = await (await house.guest(X_Forwarded_For="203.0.113.2")).socket()
    guest = await (await house.guest(**here)).socket()
    socket = await (await house.member("小明", **here)).socket()
    assert await guest.closed() == 1013
    await socket.say("in", "c-1")
    await elsewhere.in_step()
    assert not elsewhere.ws.closed


async def refused_status(browser: Browser) -> int:
    from aiohttp import WSServerHandshakeError

    with pytest.raises(WSServerHandshakeError) as refused:
        await browser.dial()
    return refused.value.status


# JSON values

DIGITS = "1" * 5_000
DEEP = 60_000  # 100,000 brackets are longer than a frame may be: see the form below

TORTURE = {
    "NaN": '{"type":"ping","t":NaN}',
    "-Infinity": '{"type":"ping","t":-Infinity}',
    "an infinity by the back door": '{"type":"ping","t":1e999}',
    "half a character to say": '{"type":"post","client_id":"c-1","text":"\\ud800"}',
    "half a character for a name": '{"type":"post","client_id":"\\udfff","text":"x"}',
    "half a character for a key": '{"type":"react","id":1,"emoji":"\\ud83d","\\ud800":1}',
    "half a character to echo": '{"type":"ping","t":"\\ud800"}',
    "5,000 digits for a time": f'{{"type":"ping","t":{DIGITS}}}',
    "5,000 digits for an id": f'{{"type":"recall","id":{DIGITS}}}',
    "4,000 digits for an id": f'{{"type":"recall","id":{DIGITS[:4_000]}}}',
    "a number below all": f'{{"type":"delete","id":-{DIGITS[:400]}}}',
    "lists in lists": "[" * DEEP + "]" * 5,
    "objects in objects": '{"a":' * (DEEP // 5),
    "a frame that is deep inside": '{"type":"post","text":' + "[" * 50_000 + "]" * 10_000 + "}",
    "a type that is a list": '{"type":["ping"]}',
    "true for an id": '{"type":"recall","id":true}',
    "a fraction for an id": '{"type":"recall","id":1.5}',
    "NUL": '{"type":"post","client_id":"c-0","text":"a\\u0000b"}',
    "two types": '{"type":"ping","type":"shout"}',
    "a byte order mark": '\ufeff{"type":"ping"}',
}


@pytest.mark.parametrize("what", TORTURE)
async def test_torture_is_refused_on_a_socket_that_goes_on(house: House, what: str) -> None:
    socket = await (await house.member("小明")).socket()
    await socket.ws.send_str(TORTURE[what])
    refused = await socket.expect("refused")
    assert refused["code"] == "bad_request"
    await socket.say("still here", "c-2")
    assert [message["text"] for message in await (await house.guest()).messages()] == ["still here"]


async def test_a_hundred_thousand_brackets_in_a_body_are_refused(house: House) -> None:
    admin = await house.administrator()
    headers = {"X-CSRFToken": await admin.token(), "Content-Type": "application/json", "Accept": "application/json"}
    for body in ("[" * 100_000, '{"a":' * 20_000, '{"command":' + DIGITS + "}", '{"command":NaN}'):
        answer = await admin.request("POST", "/send_preset/", data=body.encode(), headers=headers)
        assert (answer.status, answer.code) == (400, "bad_request")
        assert json.loads(answer.body)


async def test_all_sockets_of_a_member_share_one_allowance(house: House) -> None:
    ming, hong = await house.member("小明"), await house.member("小红")
    sockets = [await ming.socket() for _ in range(4)]
    other = await hong.socket()
    for socket in sockets:  # time stands still, so no token is refilled
        for _ in range(rate_limit.BURST // 4 - 5):
            await socket.send("typing")
    for socket in sockets:
        while not socket.heard("refused"):
            await socket.send("ping")
            await asyncio.sleep(0.005)
    assert {frame["code"] for socket in sockets for frame in socket.heard("refused")} == {"too_fast"}
    assert sum(len(socket.heard("pong")) for socket in sockets) <= 20
    await other.send("ping")
    await other.expect("pong")


async def test_a_guest_who_goes_on_sending_is_closed(house: House) -> None:
    socket = await (await house.guest()).socket()
    for _ in range(client_frame.GUEST_FRAMES_MAX):
        await socket.send("ping")
    assert await socket.closed() == 1008
    assert {frame["code"] for frame in socket.heard("refused")} == {"login_required"}


async def test_handshakes_of_one_address_have_a_rate(tmp_path: Path) -> None:
    async with opened(tmp_path, connections_per_address=10) as house:
        guest = await house.guest()
        for _ in range(20):
            await (await guest.dial()).close()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await guest.dial()
        assert refused.value.status == 429 and int(refused.value.headers["Retry-After"]) >= 1
        house.clock.forward(1)
        await (await guest.dial()).close()
    async with opened(tmp_path / "more", connections_per_address=0) as house:
        guest = await house.guest()
        for _ in range(60):
            await (await guest.dial()).close()
