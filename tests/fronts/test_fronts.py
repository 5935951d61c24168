"""The room behind Debian's proxies, each with its snippet from docs/deploy/."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import select
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from PIL import Image
from yarl import URL

from chatserver.realtime.connection import SILENT_SECONDS
from chatserver.realtime.hub import PING_SECONDS
from tests.bots import made
from tests.client import JSON, Browser, picture
from tests.fronts.proxies import FRONTS, NAME, ROOT, HereResolver, Pair, certificate, free_port, front, program
from tests.process.serving import Serving, make_administrator, serving

# Another address of this host, for a client that is not the proxy.
ELSEWHERE = "127.0.0.2"
TOKEN = "a-token-of-twenty-four"
PIECE = bytes(64 * 1024)


@dataclass(frozen=True, slots=True)
class Fronted:
    """A room, and the address at which clients reach it."""

    address: str
    pair: Pair
    room: Serving

    @contextlib.asynccontextmanager
    async def browser(self, source: str = ELSEWHERE) -> AsyncIterator[Browser]:
        async with Browser(self.address) as browser:
            await browser.session.close()
            connector = aiohttp.TCPConnector(ssl=self.pair.trusting, local_addr=(source, 0), resolver=HereResolver())
            # Without `unsafe`, so that the cookie jar obeys `Secure`, as browsers do.
            browser.session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar())
            yield browser

    def status(self, head: dict[str, str], size: int) -> int:
        """Post a body of `size` bytes to /post/ until an answer comes; its status. Blocks.

        An ordinary client sends the body to its end, and may find the connection closed before it reads the answer.
        """
        context = self.pair.trusting
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # The tickets of TLS 1.3 would look like an answer.
        lines = ["POST /post/ HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        with (
            socket.create_connection(("127.0.0.1", URL(self.address).port or 0), 30) as plain,
            context.wrap_socket(plain, server_hostname=NAME) as connection,
        ):
            with contextlib.suppress(OSError):
                connection.sendall("\r\n".join(lines).encode())
                for _ in range(size // len(PIECE)):
                    if select.select([connection], [], [], 0)[0]:
                        break
                    connection.sendall(PIECE)
            return int(connection.recv(64).split()[1])


@pytest.fixture(params=FRONTS)
async def fronted(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Fronted]:
    program(request.param)
    directory = tmp_path / "front"
    directory.mkdir()
    pair, port = certificate(directory), free_port()
    address = f"https://{NAME}:{port}"
    settings = {
        "CHAT_BASE_URL": address,
        "CHAT_TRUSTED_PROXIES": "127.0.0.1",
        "CHAT_SEND_INTERVAL": "0",
        "CHAT_METRICS_TOKEN": TOKEN,
    }
    async with serving(tmp_path / "data", **settings) as room:
        room_port = int(room.address.rsplit(":", 1)[1])
        commands = FRONTS[request.param](directory, pair, port, free_port(), room_port)
        async with front(commands, directory):
            yield Fronted(address, pair, room)


async def test_a_member_registers_and_talks_through_it(fronted: Fronted) -> None:
    async with fronted.browser() as browser, fronted.browser() as other:
        answer = await browser.register("小明")
        assert answer.status == 201, answer.body
        # The features that browsers allow only on an https site.
        assert answer.session_cookie.startswith("__Host-") and "Secure" in answer.session_cookie
        assert answer.headers["Strict-Transport-Security"]
        socket, listener = await browser.socket(), await other.socket()
        assert socket.hello["user"]["name"] == "小明" and listener.hello["user"] is None
        assert (await socket.say("你好", client_id="one"))["client_id"] == "one"
        assert (await listener.expect("message"))["message"]["text"] == "你好"
        page = await browser.page("/")
        assert page.status == 200 and "你好" in page.text


async def test_a_page_of_another_site_gets_no_socket_through_it(fronted: Fronted) -> None:
    async with fronted.browser() as browser:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await browser.dial(origin="https://evil.example.org")
        assert refused.value.status == 403


async def test_the_room_knows_the_clients_address_and_believes_no_forged_one(fronted: Fronted) -> None:
    async with fronted.browser() as browser:
        assert (await browser.register("小明")).status == 201
        forged = {**JSON, "X-Forwarded-For": "203.0.113.9"}
        assert (await browser.post("/login/", {"username": "小明", "password": "no"}, headers=forged)).status == 401
        login = {"username": "小明", "password": "correct horse 电池"}
        assert (await browser.post("/login/", login, headers=forged)).status == 200
        sessions = (await browser.page("/profile/")).text
        assert f"<span>{ELSEWHERE}</span>" in sessions
        assert "203.0.113.9" not in sessions and "<span>127.0.0.1</span>" not in sessions


async def test_a_photo_goes_through_and_what_is_too_large_is_refused_in_our_own_words(fronted: Fronted) -> None:
    async with fronted.browser() as browser:
        assert (await browser.register("小明")).status == 201
        photo = noise()
        assert len(photo) > 5 * 1024 * 1024
        message = await browser.show(photo)
        assert (await browser.get(message["image"])).status == 200
        refused = await browser.post("/post/", {}, {"image": b"x" * (21 * 1024 * 1024)})
        assert (refused.status, refused.code) == (413, "image_too_large")


async def test_what_is_above_the_proxys_own_limit_is_413(fronted: Fronted) -> None:
    """Whatever page it sends with it: the room's page has words for the status alone (test_sending_pictures.py)."""
    async with fronted.browser() as browser:
        assert (await browser.register("小明")).status == 201
        size = 40 * 1024 * 1024
        cookies = browser.session.cookie_jar.filter_cookies(URL(fronted.address))
        head = {
            "Host": URL(fronted.address).authority,
            "Origin": fronted.address,
            "Cookie": "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies.values()),
            "X-CSRFToken": await browser.token(),
            "Content-Type": "multipart/form-data; boundary=x",
            "Content-Length": str(size),
        }
        assert await asyncio.to_thread(fronted.status, head, size) == 413


async def test_it_keeps_no_copy_of_a_picture_that_is_recalled_nor_of_a_file(fronted: Fronted) -> None:
    async with fronted.browser() as browser, fronted.browser() as guest:
        assert (await browser.register("小明")).status == 201
        message = await browser.show(picture(90, 90))
        seen = [(await guest.get(message["image"])).status for _ in range(2)]
        assert (await browser.recall(message["id"])).status == 200
        assert [*seen, (await guest.get(message["image"])).status] == [200, 200, 410]
        style = re.search(r'href="(/static/[^"]+\.css)"', (await guest.page("/")).text)
        assert style
        guest.session.cookie_jar.clear()  # with a cookie Varnish keeps no copy anyway
        answers = [await guest.get(style[1]) for _ in range(2)]
        # Varnish names two requests where it answers with a copy: this one, and the one that fetched it.
        assert all(answer.status == 200 and " " not in answer.headers.get("X-Varnish", "") for answer in answers)


async def test_a_bot_works_through_it_and_its_log_has_no_token(fronted: Fronted, tmp_path: Path) -> None:
    await make_administrator(tmp_path / "data")
    async with fronted.browser() as admin:
        assert (await admin.log_in("店长")).status == 200
        token = (await made(admin))["token"]
        assert (await admin.request("POST", f"/bots/{token}/messages", json={"text": "by its address"})).status == 201
        bearer = {"Authorization": f"Bearer {token}"}
        async with admin.session.ws_connect(f"{fronted.address}/ws/chat/", headers=bearer) as ws:
            assert (await ws.receive_json())["user"]["role"] == "bot"
    logged = "".join(path.read_text("utf-8") for path in (tmp_path / "front").glob("*.log"))
    assert token not in logged
    if logged:  # Caddy writes no access log by default
        assert "POST /login/" in logged and "POST /bots/ " in logged


async def test_figures_are_not_for_the_world(fronted: Fronted) -> None:
    async with fronted.browser() as browser:
        for forged in ({}, {"Host": "localhost"}, {"X-Forwarded-For": "127.0.0.1"}):
            answer = await browser.get("/metrics", forged)
            assert answer.status != 200 or b"chat_" not in answer.body, forged
        answer = await browser.get("/metrics", {"Authorization": f"Bearer {TOKEN}"})
        assert answer.status == 200 and b"chat_connections" in answer.body
    async with Browser(fronted.room.address) as local:
        assert (await local.get("/metrics")).status == 403


async def test_readers_come_back_through_it_when_the_room_says_1001(fronted: Fronted) -> None:
    async with fronted.browser() as browser:
        socket = await browser.socket()
        stopping = asyncio.create_task(fronted.room.stop())
        assert await socket.closed() == 1001
        assert (await stopping).code == 0


def noise() -> bytes:
    """A picture that no format can compress."""
    file = io.BytesIO()
    Image.frombytes("RGB", (1600, 1200), os.urandom(1600 * 1200 * 3)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("file", "pattern", "unit"),
    [
        ("nginx.conf", r"proxy_read_timeout (\d+)s;", 1),
        ("nginx.conf", r"proxy_send_timeout (\d+)s;", 1),
        ("apache.conf", r"upgrade=websocket timeout=(\d+)\n", 1),
        ("haproxy.cfg", r"timeout client (\d+)s\n", 1),
        ("haproxy.cfg", r"timeout server (\d+)s\n", 1),
        ("haproxy.cfg", r"timeout tunnel (\d+)h\n", 3600),
    ],
)
def test_the_front_waits_longer_than_the_room_pings(file: str, pattern: str, unit: int) -> None:
    found = re.search(pattern, (ROOT / "docs/deploy" / file).read_text("utf-8"))
    assert found and int(found[1]) * unit > max(SILENT_SECONDS, 2 * PING_SECONDS)


@pytest.mark.parametrize(
    ("file", "pattern", "per_mb"),
    [
        ("nginx.conf", r"client_max_body_size (\d+)m", 1),
        ("Caddyfile", r"max_size (\d+)MB", 1),
        ("apache.conf", r"LimitRequestBody (\d+)", 2**20),
        ("lighttpd.conf", r"server.max-request-size = (\d+)", 2**10),
    ],
)
def test_the_front_lets_through_what_the_room_takes(file: str, pattern: str, per_mb: int) -> None:
    from chatserver.core.config import SETTINGS

    found = re.search(pattern, (ROOT / "docs/deploy" / file).read_text("utf-8"))
    [upload] = [setting.default for setting in SETTINGS if setting.name == "upload_max_mb"]
    assert found and int(found[1]) / per_mb > int(upload)


async def test_a_plain_address_leads_to_the_https_one(tmp_path: Path) -> None:
    program("nginx")
    directory = tmp_path / "front"
    directory.mkdir()
    port, plain = free_port(), free_port()
    commands = FRONTS["nginx"](directory, certificate(directory), port, plain, free_port())
    async with front(commands, directory), Browser(f"http://127.0.0.1:{plain}") as browser:
        answer = await browser.get("/register/?invite=x", {"Host": NAME})
        assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/register/?invite=x")
