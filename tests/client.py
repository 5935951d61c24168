"""A browser for tests: cookies, the CSRF token from the page, forms, and a socket that records what it received."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http.cookies import Morsel
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
from multidict import CIMultiDictProxy
from PIL import Image
from yarl import URL

from chatserver.core.clock import Clock, SystemClock
from chatserver.server import Server, running
from tests import made_once
from tests.support import FakeClock, make_config

PASSWORD = "correct horse 电池"
# This timeout only ends a test that would hang. A machine with much other work has needed 40 s for work of one second.
PATIENCE = 120.0

JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html,application/xhtml+xml"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"].startswith("application/json"), self.headers
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error code of this refusal."""
        code: str = self.json["error"]["code"]
        return code

    @property
    def session_cookie(self) -> str:
        """The whole Set-Cookie header of the login."""
        [line] = [line for name, line in self.cookies.items() if is_session(name)]
        return line

    @property
    def cookies(self) -> dict[str, str]:
        """Name -> the whole Set-Cookie header."""
        lines = self.headers.getall("Set-Cookie", [])
        return {line.partition("=")[0]: line for line in lines}


def is_session(name: str) -> bool:
    """True for the name of the session cookie, which ends with a part of the room's own."""
    return re.fullmatch(r"(__Host-)?session-[0-9a-f]{12}", name) is not None


class Browser:
    """The browser of one person. An async context manager."""

    def __init__(self, address: str, **headers: str) -> None:
        self.address = address
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._token = ""
        self._sockets: list[Socket] = []

    async def __aenter__(self) -> Self:
        # Shorter than the server's timeout (listening.HEADER_SECONDS), so that a POST never uses a connection that just
        # ends.
        connector = aiohttp.TCPConnector(keepalive_timeout=5)
        self.session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), headers=self._headers, connector=connector
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in self._sockets:
            await socket.close()
        await self.session.close()

    async def request(self, method: str, path: str, **options: Any) -> Answer:
        async with asyncio.timeout(PATIENCE):
            async with self.session.request(method, self.address + path, allow_redirects=False, **options) as response:
                return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, headers: dict[str, str] = JSON, **options: Any) -> Answer:
        return await self.request("GET", path, headers=headers, **options)

    async def page(self, path: str, **headers: str) -> Answer:
        """The page that a browser gets at `path`."""
        return await self.get(path, {**HTML, **{name.replace("_", "-"): value for name, value in headers.items()}})

    async def token(self) -> str:
        """The CSRF token from a page."""
        if not self._token:
            found = re.search(r'<meta name="csrf-token" content="([^"]+)"', (await self.page("/logout/")).text)
            assert found, "the page shows no token"
            self._token = found[1]
        return self._token

    async def post(
        self,
        path: str,
        fields: dict[str, Any] | None = None,
        files: dict[str, bytes] | None = None,
        headers: dict[str, str] = JSON,
        **options: Any,
    ) -> Answer:
        """Send a form as a page does: multipart if it has a file."""
        token = await self.token()
        data: Any = {name: str(value) for name, value in (fields or {}).items()}
        if files:
            data = multipart({"csrf_token": token, **data}, files)
        else:
            data["csrf_token"] = token
        return await self.request("POST", path, data=data, headers=headers, **options)

    async def post_json(self, path: str, value: Any, headers: dict[str, str] = JSON) -> Answer:
        headers = {**headers, "X-CSRFToken": await self.token()}
        return await self.request("POST", path, json=value, headers=headers)

    async def register(self, name: str, password: str = PASSWORD, **fields: str) -> Answer:
        return await self.post("/register/", {"username": name, "password": password, **fields})

    @property
    def login_token(self) -> str:
        """The value of the session cookie."""
        [value] = [cookie.value for cookie in self.session.cookie_jar if is_session(cookie.key)]
        return value

    async def log_in(self, name: str, password: str = PASSWORD, **fields: str) -> Answer:
        return await self.post("/login/", {"username": name, "password": password, **fields})

    def take_cookies(self, cookies: Iterable[Morsel[str]]) -> None:
        """Those of another browser of the same room."""
        self.session.cookie_jar.update_cookies({cookie.key: cookie for cookie in cookies}, URL(self.address))

    async def member_id(self) -> int:
        """The id of the member who is logged in."""
        found: int = (await self.socket()).hello["user"]["id"]
        return found

    async def say(self, text: str, **fields: Any) -> Any:
        """Post a text. Returns the stored message."""
        answer = await self.post("/post/", {"text": text, **fields})
        assert answer.status == 201, answer.body
        return answer.json

    async def show(self, picture: bytes, **fields: Any) -> Any:
        """Post a picture. Returns the stored message."""
        answer = await self.post("/post/", fields, {"image": picture})
        assert answer.status == 201, answer.body
        return answer.json

    async def recall(self, message_id: int) -> Answer:
        return await self.post(f"/recall_message/{message_id}/")

    async def delete(self, message_id: int) -> Answer:
        return await self.post(f"/delete_message/{message_id}/")

    async def preset(self, command: str, **more: Any) -> Answer:
        return await self.post_json("/send_preset/", {"command": command, **more})

    async def messages(self) -> list[Any]:
        found: list[Any] = (await self.get("/api/recent_messages/")).json["messages"]
        return found

    async def all_messages(self) -> list[Any]:
        """Every message that is kept, oldest first, read page by page."""
        found: list[Any] = []
        below = ""
        while page := (await self.get(f"/api/messages/?limit=100{below}")).json["messages"]:
            found[:0] = page
            below = f"&before={page[0]['id']}"
        return found

    async def dial(self, origin: str | None = None, **query: Any) -> aiohttp.ClientWebSocketResponse:
        """A socket without a reader. Raises aiohttp.WSServerHandshakeError if the handshake is refused."""
        tail = "?" + urlencode(query) if query else ""
        return await self.session.ws_connect(
            f"{self.address}/ws/chat/{tail}",
            origin=self.address if origin is None else origin,
            headers=JSON,
            # A server that a test holds up does not answer the close frame.
            timeout=aiohttp.ClientWSTimeout(ws_close=2),
        )

    async def socket(self, **query: Any) -> Socket:
        """A socket that has received its `hello`."""
        socket = Socket(await self.dial(**query))
        self._sockets.append(socket)
        socket.hello = await socket.expect("hello")
        return socket


class Socket:
    """Records every frame that arrives."""

    hello: dict[str, Any]

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.frames: list[dict[str, Any]] = []
        self._taken: set[int] = set()
        self._news = asyncio.Condition()
        self._is_over = False
        self._task = asyncio.create_task(self._listen())

    async def send(self, type: str, **fields: Any) -> None:
        await self.ws.send_json({"type": type, **fields})

    async def say(self, text: str, client_id: str = "", **fields: Any) -> dict[str, Any]:
        """Post a text. Returns the `ack`."""
        await self.send("post", text=text, client_id=client_id, **fields)
        return await self.expect("ack", client_id=client_id)

    async def expect(self, type: str, **fields: Any) -> dict[str, Any]:
        """The first frame of this type and with these fields that no earlier call returned."""
        wanted = {"type": type, **fields}

        def found() -> bool:
            return self._find(wanted) is not None or self._is_over

        await self._until(found, wanted)
        index = self._find(wanted)
        assert index is not None, f"the socket closed before {wanted} came: {self.frames}"
        self._taken.add(index)
        return self.frames[index]

    async def closed(self) -> int | None:
        """The code with which the server closed the socket."""
        await self._until(lambda: self._is_over, "the end")
        return self.ws.close_code

    async def in_step(self) -> None:
        """Wait until everything that the server sent before this call has arrived."""

        def answers() -> int:  # a guest's ping is refused, and the refusal serves as well
            return len(self.heard("pong")) + len(self.heard("refused"))

        before = answers()
        await self.send("ping")
        await self._until(lambda: answers() > before or self._is_over, "pong")

    def forget(self) -> None:
        """Drop the frames that have arrived so far."""
        self._taken.update(range(len(self.frames)))

    def types(self) -> list[str]:
        return [frame["type"] for frame in self.frames]

    def heard(self, type: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == type]

    async def close(self) -> None:
        await self.ws.close()
        await self._task

    def _find(self, wanted: dict[str, Any]) -> int | None:
        for index, frame in enumerate(self.frames):
            if index not in self._taken and wanted.items() <= frame.items():
                return index
        return None

    async def _until(self, is_so: Callable[[], bool], wanted: object) -> None:
        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(is_so)
        except TimeoutError:
            raise AssertionError(f"{wanted} never came: {self.frames}") from None

    async def _listen(self) -> None:
        async for message in self.ws:
            async with self._news:
                self.frames.append(message.json())
                self._news.notify_all()
        async with self._news:
            self._is_over = True
            self._news.notify_all()


class House:
    """A running server, and the browsers that visit it."""

    def __init__(self, server: Server, clock: Any, stack: AsyncExitStack, data_dir: Path) -> None:
        self.server = server
        self.address = server.address
        self.clock = clock
        self.data_dir = data_dir
        self._stack = stack

    async def guest(self, **headers: str) -> Browser:
        return await self._stack.enter_async_context(Browser(self.address, **headers))

    async def member(self, name: str, **headers: str) -> Browser:
        """Register a member and log in."""
        browser = await self.guest(**headers)
        answer = await browser.register(name)
        assert answer.status == 201, answer.body
        return browser

    async def administrator(self, name: str = "店长", **headers: str) -> Browser:
        await self.server.room.administrators.make_administrator(name, PASSWORD)
        browser = await self.guest(**headers)
        answer = await browser.log_in(name)
        assert answer.status == 200, answer.body
        return browser


@asynccontextmanager
async def opened(data_dir: Path, clock: Clock | None = None, **settings: Any) -> AsyncIterator[House]:
    """Open a room during the block. There is no interval between messages unless a test sets one."""
    clock = clock or FakeClock()
    config = make_config(data_dir, **{"send_interval": 0, **settings})
    made_once.empty_database(data_dir / "chat.db")
    async with running(config, clock) as server, AsyncExitStack() as stack:
        yield House(server, clock, stack, data_dir)


def real_time() -> Clock:
    """The real clock, for tests of timers, which sleep on it."""
    return SystemClock()


def multipart(fields: dict[str, str], files: dict[str, bytes]) -> aiohttp.MultipartWriter:
    """Text parts first, then files, in the given order. The names of the files have no meaning."""
    form = aiohttp.MultipartWriter("form-data")
    for name, value in fields.items():
        part = form.append(value)
        part.set_content_disposition("form-data", name=name)
    for name, content in files.items():
        part = form.append(io.BytesIO(content), {"Content-Type": "application/octet-stream"})
        part.set_content_disposition("form-data", name=name, filename="x.txt")
    return form


def picture(width: int = 40, height: int = 30, kind: str = "PNG", colour: str = "tomato") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, kind)
    return file.getvalue()


def files_under(directory: Path) -> dict[str, bytes]:
    """Every file with its content, for tests that check that something was erased."""
    found = {}
    for path in directory.rglob("*"):
        if path.is_file():
            found[path.relative_to(directory).as_posix()] = path.read_bytes()
    return found
