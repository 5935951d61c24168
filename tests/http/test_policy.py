"""The room page's Content-Security-Policy names the room's own WebSocket, and no host that a request invents."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from chatserver.http.headers import CONTENT_SECURITY_POLICY
from tests.client import PATIENCE, House


async def policy(house: House, host: str, version: str = "1.1") -> str:
    """The policy of the room page for a request with this Host header, which a program can choose."""
    address = urlsplit(house.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"GET / HTTP/{version}\r\nHost: {host}\r\nCookie: visitor=x\r\nAccept: text/html\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    policies = [line.partition(": ")[2] for line in head.splitlines() if line.startswith("Content-Security-Policy:")]
    assert len(policies) == 1, head
    return policies[0]


def connections(policy: str) -> list[str]:
    return next(part.split()[1:] for part in policy.split(";") if part.split()[0] == "connect-src")


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("host", ["chat.example", "Chat.Example:8443", "127.0.0.1:8000", "xn--fiq228c.example"])
async def test_the_pages_own_host_is_named_with_both_schemes(house: House, host: str, version: str) -> None:
    """Safari before 16 does not count ws: and wss: as 'self'."""
    named = host.lower()
    assert connections(await policy(house, host, version)) == ["'self'", f"ws://{named}", f"wss://{named}"]


@pytest.mark.parametrize(
    "host",
    [
        "a; script-src *",
        "a script-src",
        "*",
        "*.example",
        "evil.example/path",
        "user@evil.example",
        "[::1]:8000",
        "under_score.example",
        "example:port",
        "a" * 300,
        "a,b",
    ],
)
async def test_what_is_no_host_writes_no_policy(house: House, host: str) -> None:
    assert await policy(house, host) == CONTENT_SECURITY_POLICY


@pytest.mark.settings(base_url="https://chat.example:8443")
async def test_with_a_base_url_its_host_is_named(house: House) -> None:
    assert connections(await policy(house, "chat.example:8443"))[1:] == [
        "ws://chat.example:8443",
        "wss://chat.example:8443",
    ]


async def test_only_the_page_with_the_socket_names_it(house: House) -> None:
    guest = await house.guest()
    for path in ("/login/", "/register/", "/nowhere/", "/healthz"):
        assert (await guest.page(path)).headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, path
