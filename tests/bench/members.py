"""Members of the room, registered with the requests that a browser sends."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass
from urllib.parse import urlencode

PASSWORD = "a bench is a long seat"
_TOKEN = re.compile(rb'<meta name="csrf-token" content="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Member:
    """A logged-in member: `cookie` is the header's whole value, `token` the CSRF token that belongs to it."""

    name: str
    cookie: str
    token: str


def register(host: str, port: int, count: int, first: int = 0) -> list[Member]:
    """Register `count` members, numbered from `first`, one request after the other, over one connection."""
    connection = http.client.HTTPConnection(host, port, timeout=30)
    try:
        connection.request("GET", "/register/")
        page = connection.getresponse()
        visitor = _cookie(page, "visitor")
        found = _TOKEN.search(page.read())
        if found is None:
            raise RuntimeError("the page for registering has no CSRF token")
        token = found[1].decode()
        names = [f"bench reader {number}" for number in range(first, first + count)]
        return [_register(connection, name, visitor, token) for name in names]
    finally:
        connection.close()


def _register(connection: http.client.HTTPConnection, name: str, visitor: str, token: str) -> Member:
    body = urlencode({"username": name, "password": PASSWORD, "csrf_token": token})
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": visitor,
    }
    connection.request("POST", "/register/", body, headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 201:
        raise RuntimeError(f"{name} could not register: {answer.status} {said[:300]!r}")
    return Member(name, f"{visitor}; {_cookie(answer, 'session')}", token)


def _cookie(answer: http.client.HTTPResponse, name: str) -> str:
    """`name=value`, as a browser would send it back. The room may have added a suffix of its own to the name."""
    for header in answer.headers.get_all("Set-Cookie") or ():
        pair: str = header.partition(";")[0]
        if re.match(rf"{name}(-\w+)?=", pair):
            return pair
    raise RuntimeError(f"no cookie {name!r} in the answer")
