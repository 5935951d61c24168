"""A member without a browser, who acts over HTTP, for tests that look at another member's page."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
import uuid
from http.cookiejar import CookieJar
from typing import Any

PASSWORD = "strawberries at noon"


class Caller:
    """Registers, or logs in if the name is taken. Every call returns the server's JSON."""

    def __init__(self, address: str, name: str) -> None:
        self.address = address
        self.name = name
        self._jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        page = self._opener.open(f"{address}/login/", timeout=30).read().decode()
        token = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert token
        self._token = token[1]
        entry = {"username": name, "password": PASSWORD}
        try:
            self.user = self.send("/register/", entry)["user"]
        except urllib.error.HTTPError as refused:
            assert refused.code == 409 or refused.code == 400, refused.read()
            self.user = self.send("/login/", entry)["user"]

    def says(self, text: str, reply_to: int | None = None, image: bytes | None = None) -> dict[str, Any]:
        fields = {"text": text} | ({"reply_to": str(reply_to)} if reply_to else {})
        return self.send("/post/", fields, image)

    def says_many(self, count: int, words: str = "第 {} 条") -> list[dict[str, Any]]:
        return [self.says(words.format(i + 1)) for i in range(count)]

    def recalls(self, message: dict[str, Any]) -> dict[str, Any]:
        return self.send(f"/recall_message/{message['id']}/", {})

    def deletes(self, message: dict[str, Any]) -> dict[str, Any]:
        return self.send(f"/delete_message/{message['id']}/", {})

    def newest(self) -> list[dict[str, Any]]:
        """The newest messages, oldest first."""
        with self._opener.open(f"{self.address}/api/recent_messages/", timeout=30) as answer:
            messages: list[dict[str, Any]] = json.loads(answer.read())["messages"]
        return messages

    def presets(self, command: str, **more: Any) -> dict[str, Any]:
        return self._ask("/send_preset/", json.dumps({"command": command, **more}).encode(), "application/json")

    def opens_window(self, **more: Any) -> str:
        """Open an ordering window for 10 minutes. Returns the address of its ledger. `more`: fields of the `start`
        command."""
        return f"{self.address}/orders/{self.presets('start', seconds=600, **more)['window']['id']}/"

    def orders(self, lines: list[dict[str, Any]], text: str = "") -> dict[str, Any]:
        return self._ask("/order/", json.dumps({"lines": lines, "text": text}).encode(), "application/json")

    def sends(self, path: str, **fields: Any) -> dict[str, Any]:
        """Send a POST of JSON."""
        return self._ask(path, json.dumps(fields).encode(), "application/json")

    def reads(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(self.address + path, headers={"Accept": "application/json"})
        found: dict[str, Any] = json.load(self._opener.open(request, timeout=30))
        return found

    def send(
        self, path: str, fields: dict[str, str], image: bytes | None = None, name: str = "image"
    ) -> dict[str, Any]:
        """Send a multipart POST, as a form does. `name` is the name of the file's field."""
        edge = uuid.uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
            for field, value in {"csrf_token": self._token, **fields}.items()
        ]
        if image is not None:
            head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n\r\n'
            parts.append(head.encode() + image + b"\r\n")
        return self._ask(path, b"".join(parts) + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}")

    def cookies(self) -> list[dict[str, Any]]:
        """The login's cookies, for a browser that continues with this login."""
        return [{"name": each.name, "value": each.value, "url": self.address} for each in self._jar]

    def _ask(self, path: str, body: bytes, content_type: str) -> dict[str, Any]:
        request = urllib.request.Request(
            self.address + path,
            body,
            {"Content-Type": content_type, "Accept": "application/json", "X-CSRFToken": self._token},
        )
        with self._opener.open(request, timeout=60) as answer:
            told: dict[str, Any] = json.loads(answer.read())
        return told
