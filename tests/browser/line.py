"""The line between a page and the room, which a test can hold, cut or change.

Set it up before the page is opened: `ming = come(); line = Line(ming); ming.join("小明")`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route, WebSocketRoute

from tests.browser.conftest import Visitor

Frame = dict[str, Any]


class Line:
    def __init__(self, visitor: Visitor) -> None:
        self.sent: list[Frame] = []  # all frames that the page sent
        self.attempts = 0
        self.address = ""
        self.is_cut = False
        # The frame that the page gets instead; None if it gets none.
        self.up: Callable[[Frame], Frame | None] = lambda frame: frame
        self.down: Callable[[Frame], Frame | None] = lambda frame: frame
        self._visitor = visitor
        self._page = visitor.page
        self._open: WebSocketRoute | None = None
        self._held: list[str] | None = None
        self._page.route_web_socket(re.compile("/ws/chat/"), self._connect)

    def holds(self) -> None:
        """Hold the frames of the server, as on a slow line."""
        self._held = []

    def releases(self) -> None:
        pinned, self._held = self._held or [], None
        for text in pinned:
            self._to_page(text)

    def cuts(self, requests: bool = False) -> None:
        """Close the connection and refuse new ones. With `requests`, refuse HTTP requests too."""
        self.is_cut = True
        if requests:
            self._page.route("**/post/", self._abort)
        self.drops()

    def drops(self) -> None:
        """Close the connection. The next attempt succeeds."""
        if self._open is not None:
            self._open.close(code=1001)
            self._open = None

    def falters(self) -> None:
        """Close the connection, and wait until the page has connected again by itself."""
        before = self.attempts
        self.drops()
        # The test must not wait for the page to be offline, because the page may be online again before the test looks.
        self._visitor.until(lambda: self.attempts > before)
        self._visitor.wait_online()

    def mends(self) -> None:
        self.is_cut = False
        self._held = None
        self._page.unroute("**/post/", self._abort)
        self._page.evaluate("() => window.dispatchEvent(new Event('online'))")

    def says(self, frame: Frame) -> None:
        """Send a frame to the page, as if it came from the server."""
        assert self._open is not None
        self._open.send(json.dumps(frame))

    def _connect(self, route: WebSocketRoute) -> None:
        self.attempts += 1
        self.address = route.url
        if self.is_cut:
            route.close(code=1001)
            return
        self._open = route
        server = route.connect_to_server()

        def from_page(text: str | bytes) -> None:
            frame = json.loads(text)
            self.sent.append(frame)
            changed = self.up(frame)
            if changed is not None:
                server.send(json.dumps(changed))

        def from_server(text: str | bytes) -> None:
            assert isinstance(text, str)
            if self._held is not None:
                self._held.append(text)
            elif self._open is route:
                self._to_page(text)

        route.on_message(from_page)
        server.on_message(from_server)

    def _to_page(self, text: str) -> None:
        changed = self.down(json.loads(text))
        if changed is not None and self._open is not None:
            self._open.send(json.dumps(changed))

    @staticmethod
    def _abort(route: Route) -> None:
        route.abort()
