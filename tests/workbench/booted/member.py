"""A member's browser in the booted system, where Python has only its standard library."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import struct
import urllib.parse
import urllib.request
import zlib
from typing import Any

_SECONDS_MAX = 60.0
_BOUNDARY = "0123456789abcdef"


class Member:
    """Logs in when it is made. Each method raises urllib.error.HTTPError if the server refuses."""

    def __init__(self, address: str, name: str, password: str) -> None:
        self._address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        found = re.search(rb'<meta name="csrf-token" content="([^"]+)"', self.get("/login/"))
        assert found, "the page shows no token"
        self._token = found[1].decode()
        fields = urllib.parse.urlencode({"csrf_token": self._token, "username": name, "password": password})
        self._post("/login/", fields.encode(), "application/x-www-form-urlencoded")

    def get(self, path: str) -> bytes:
        with self._opener.open(self._address + path, timeout=_SECONDS_MAX) as answer:
            body: bytes = answer.read()
            return body

    def show(self, picture: bytes) -> str:
        """Post a picture. Returns the path at which it is served."""
        head = 'Content-Disposition: form-data; name="{}"'
        parts = [
            head.format("csrf_token").encode() + b"\r\n\r\n" + self._token.encode(),
            head.format('image"; filename="a.png').encode() + b"\r\nContent-Type: image/png\r\n\r\n" + picture,
        ]
        body = b"".join(b"--%b\r\n%b\r\n" % (_BOUNDARY.encode(), part) for part in parts)
        body += b"--%b--\r\n" % _BOUNDARY.encode()
        path: str = self._post("/post/", body, f"multipart/form-data; boundary={_BOUNDARY}")["image"]
        return path

    def _post(self, path: str, body: bytes, kind: str) -> Any:
        headers = {"Content-Type": kind, "Accept": "application/json"}
        request = urllib.request.Request(self._address + path, body, headers)
        with self._opener.open(request, timeout=_SECONDS_MAX) as answer:
            return json.loads(answer.read())


def png(side: int) -> bytes:
    """A square of noise, `side` pixels wide, as PNG (RFC 2083)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + os.urandom(3 * side) for _ in range(side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
