"""Bytes that no browser sends: each request is refused, and none causes an error of the server."""

from __future__ import annotations

import asyncio
import gzip
import json
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.http import listening
from chatserver.http.upload_concurrency import (
    BYTES_OF_ADDRESS_MAX,
    UPLOADS_MAX,
    UPLOADS_OF_ADDRESS_MAX,
    UploadConcurrency,
)
from tests.client import PASSWORD, PATIENCE, Browser, House, opened
from tests.stage import refuses

FORM = "Content-Type: application/x-www-form-urlencoded"
PARTS = "Content-Type: multipart/form-data; boundary=x"
NAMED = b'Content-Disposition: form-data; name="text"\r\n'


async def raw(browser: Browser, request: str, body: bytes = b"", *headers: str | bytes) -> tuple[int, bytes]:
    """Send a raw request with this browser's cookies. Returns the status and the body of the answer."""
    here = urlsplit(browser.address)
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.session.cookie_jar)
    lines: list[str | bytes] = [
        f"{request} HTTP/1.1", f"Host: {here.netloc}", "Accept: application/json", "Connection: close", *headers,
    ]  # fmt: skip
    if cookies:
        lines.append(f"Cookie: {cookies}")
    if body or request.startswith("POST"):
        lines.append(f"Content-Length: {len(body)}")
    head = b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    reader, writer = await asyncio.open_connection(here.hostname, here.port)
    try:
        writer.write(head + b"\r\n\r\n" + body)
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), content


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([PARTS], b"--x\r\nA: " + b"b" * 100_000 + b"\r\n\r\nhello\r\n--x--\r\n"),
        ([PARTS], b"--x\r\n" + b"A: b\r\n" * 5_000 + b"\r\nhello\r\n--x--\r\n"),
        ([PARTS], b"--x\r\nno colon\r\n\r\nhello\r\n--x--\r\n"),
        ([PARTS], b"--x\r\n" + NAMED + b"\r\n\xff\xfe\r\n--x--\r\n"),
        ([PARTS], b"--x\r\nX: y\r\n\r\nhello\r\n--x--\r\n"),
        (["Content-Type: multipart/form-data"], b"hello"),
        (["Content-Type: ;;;"], b"hello"),
        (["Content-Type: application/json"], b'{"text": "hello"'),
        (["Content-Type: application/json"], b'["hello"]'),
        (["Content-Type: application/json"], b'{"text": 5}'),
        ([FORM], b"a=" + b"&" * 5_000),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(house: House, headers: list[str], body: bytes) -> None:
    browser = await house.member("小明")
    status, content = await raw(browser, "POST /post/", body, f"X-CSRFToken: {await browser.token()}", *headers)
    assert status == 400
    assert json.loads(content)["error"]["code"] in ("bad_request", "empty")
    assert await browser.messages() == []


@pytest.mark.parametrize("kind", [FORM, PARTS, "Content-Type: application/json"])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "gzip, gzip", "nonsense"])
async def test_an_encoded_body_is_refused_before_it_is_unpacked(house: House, encoding: str, kind: str) -> None:
    browser = await house.member("小明")
    body = gzip.compress(b"text=" + b"a" * 5_000_000)
    token = f"X-CSRFToken: {await browser.token()}"
    for path in ("/post/", "/login/", "/order/"):
        status, content = await raw(browser, f"POST {path}", body, token, kind, f"Content-Encoding: {encoding}")
        if status != 400:  # aiohttp itself cannot decompress it, and refuses it before any handler
            assert (status, json.loads(content)["error"]["code"]) == (415, "bad_request")
    assert await browser.messages() == []


@pytest.mark.parametrize("path", ["/login/", "/logout/", "/settings/", "/send_preset/", "/members/1/", "/order/"])
async def test_a_file_is_stored_only_where_one_is_taken(house: House, path: str) -> None:
    uploads = house.data_dir / "media" / "uploads"
    admin = await house.administrator()
    for name in ("image", "avatar", "file"):
        answer = await admin.post(path, {}, {name: b"x" * 100_000})
        assert answer.code == "bad_request"
        assert list(uploads.glob("*")) == []


async def test_a_body_that_trickles_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each chunk comes in time, but the whole body would never end."""
    from chatserver.http import forms

    monkeypatch.setattr(forms, "GRACE_SECONDS", 0.5)
    browser = await house.member("小明")
    token = f"X-CSRFToken: {await browser.token()}"
    here = urlsplit(house.address)
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.session.cookie_jar)
    lines = ["POST /post/ HTTP/1.1", f"Host: {here.netloc}", f"Cookie: {cookies}", token, FORM, "Content-Length: 9999"]
    reader, writer = await asyncio.open_connection(here.hostname, here.port)
    writer.write("\r\n".join([*lines, "", "text="]).encode())
    answered = asyncio.ensure_future(reader.readline())
    async with asyncio.timeout(PATIENCE):
        while not answered.done():
            writer.write(b"a")
            await asyncio.wait([answered], timeout=0.05)
    assert (await answered).split()[1] == b"400"
    writer.close()


def test_uploads_under_way_are_bounded_in_all_and_for_each_address() -> None:
    uploads = UploadConcurrency()
    with ExitStack() as stack:
        for _ in range(UPLOADS_OF_ADDRESS_MAX):
            stack.enter_context(uploads.slot("one")).take()
        with uploads.slot("one") as slot, refuses(ErrorCode.BUSY):
            slot.take()
        with uploads.slot("other") as slot:
            slot.take()
            with refuses(ErrorCode.BUSY):
                for _ in range(BYTES_OF_ADDRESS_MAX // 1_000_000 + 1):
                    slot.add(1_000_000)
        for n in range(UPLOADS_MAX - UPLOADS_OF_ADDRESS_MAX):
            stack.enter_context(uploads.slot(f"address {n}")).take()
        with uploads.slot("last") as slot, refuses(ErrorCode.BUSY):
            slot.take()
    assert not uploads.count and not uploads.bytes


@pytest.mark.parametrize("value", [b"\xff\xfe", b"\xe4\xb8", b"a" * 3_000, b"\xc3\xa9"])
@pytest.mark.parametrize("name", [b"Cookie: visitor=", b"Cookie: session=", b"Cookie: ui=", b"User-Agent: ",
                                  b"Accept-Language: ", b"X-CSRFToken: ", b"Sec-Fetch-Site: "])  # fmt: skip
async def test_headers_that_are_no_text_are_nothing_special(house: House, name: bytes, value: bytes) -> None:
    browser = await house.guest()
    for request, body in (("GET /", b""), ("GET /profile/", b""), ("POST /login/", b"username=x&password=y")):
        status, _ = await raw(browser, request, body, name + value, FORM)
        assert status < 500, request


async def test_a_browser_whose_name_is_no_text_logs_in(house: House) -> None:
    browser = await house.member("小明")
    body = b"username=%E5%B0%8F%E6%98%8E&password=" + PASSWORD.encode()
    token = f"X-CSRFToken: {await browser.token()}"
    assert (await raw(browser, "POST /login/", body, token, FORM, b"User-Agent: \xff\xfe"))[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/?lang=%ff",
        "/?ui=%00",
        "/api/messages/?q=%ff%fe",
        "/api/messages/?q=%00",
        "/login/?next=%ff",
        "/setup/?token=%ff",
        "/register/?invite=%ed%a0%80",
        "/?" + "a" * 7_000,
    ],
)
async def test_an_address_that_is_no_text_is_nothing_special(house: House, path: str) -> None:
    assert (await raw(await house.guest(), f"GET {path}"))[0] < 500


@pytest.mark.parametrize(
    "value",
    [
        "[1]",
        "null",
        '"start"',
        "{",
        '{"command": ["start"]}',
        '{"command": "start", "seconds": "60"}',
        '{"command": "start", "seconds": true}',
        "[" * 50_000,
        '{"command": 1e999}',
    ],
)
async def test_json_that_is_no_command_is_refused(house: House, value: str) -> None:
    admin = await house.administrator()
    token = f"X-CSRFToken: {await admin.token()}"
    status, content = await raw(admin, "POST /send_preset/", value.encode(), token, "Content-Type: application/json")
    assert (status, json.loads(content)["error"]["code"]) == (400, "bad_request")


async def test_a_fault_of_ours_is_told_with_a_number_that_the_log_has_too(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await house.member("小明")

    async def fail(*_: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(house.server.room.post, "post", fail)
    answer = await browser.post("/post/", {"text": "hello"})
    assert (answer.status, answer.code) == (500, "internal")
    assert answer.json["error"]["id"] in caplog.text
    assert "secret" not in answer.text and "Traceback" not in answer.text


async def test_a_half_sent_request_header_is_dropped(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    assert listening.HEADER_SECONDS == 15.0
    monkeypatch.setattr(listening, "HEADER_SECONDS", 0.3)
    async with opened(tmp_path) as house:
        here = urlsplit(house.address)
        for half in (b"", b"GET / HTTP/1.1\r\nHost: "):
            reader, writer = await asyncio.open_connection(here.hostname, here.port)
            writer.write(half)
            async with asyncio.timeout(PATIENCE):
                assert await reader.read() == b""
            writer.close()


async def test_a_body_that_stands_still_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from chatserver.http import forms

    assert forms.CHUNK_TIMEOUT_SECONDS == 30.0
    monkeypatch.setattr(forms, "CHUNK_TIMEOUT_SECONDS", 0.3)
    browser = await house.member("小明")
    token = f"X-CSRFToken: {await browser.token()}"
    here = urlsplit(house.address)
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.session.cookie_jar)
    lines = ["POST /post/ HTTP/1.1", f"Host: {here.netloc}", f"Cookie: {cookies}", token, FORM, "Content-Length: 100"]
    reader, writer = await asyncio.open_connection(here.hostname, here.port)
    writer.write("\r\n".join([*lines, "", "text=half"]).encode())
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readline()).split()[1] == b"400"
    writer.close()


@pytest.mark.parametrize("value", [b"\xed\xa0\x80", b"tea", b"\xff", b""])
@pytest.mark.parametrize("path", ["/", "/nowhere", "/healthz"])
async def test_an_expectation_that_nobody_knows_is_refused_whatever_its_bytes(
    house: House, path: str, value: bytes
) -> None:
    status, _ = await raw(await house.guest(), f"GET {path}", b"", b"Expect: " + value)
    assert status == (417 if value else status) and status < 500


@pytest.mark.parametrize(
    "header",
    [
        b"Upgrade: \xed\xa0\x80",
        b"Upgrade: websocket\r\nSec-WebSocket-Version: \xff",
        b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: \xff\xfe",
    ],
)
async def test_a_handshake_that_is_no_text_is_refused(house: House, header: bytes) -> None:
    origin = f"Origin: {house.address}"
    status, content = await raw(await house.guest(), "GET /ws/chat/", b"", origin, header)
    assert status in (400, 426) and b"bad_request" in content


@pytest.mark.parametrize("path", ["/login/", "/post/", "/register/"])
async def test_the_text_of_a_form_is_bounded_as_a_whole(house: House, path: str) -> None:
    """Each part is within its limit, but all parts together are not."""
    browser = await house.member("小明")
    fields = {f"field-{n}": "x" * 60_000 for n in range(6)}
    answer = await browser.post(path, fields, {"image" if path == "/post/" else "avatar": b"x"})
    assert answer.code == "body_too_large"
