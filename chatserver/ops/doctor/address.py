"""Checks that the server is reachable at its public address, with a WebSocket upgrade like a guest's browser.

The upgrade has a forged X-Forwarded-For header, which a proxy has to replace or to append to.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from chatserver.core.config import Config
from chatserver.http.origin import FORGED_ADDRESS
from chatserver.ops.control.client import ask
from chatserver.ops.doctor.findings import Finding, note, ok, problem, warning

SECONDS_MAX = 10.0
_ADVICE = {
    403: "pass the Host header through the proxy unchanged, and set CHAT_BASE_URL to the public origin",
    421: "pass the Host header through the proxy unchanged, and set CHAT_BASE_URL to the public origin",
    502: "the proxy cannot reach the server: compare its upstream with CHAT_HOST and CHAT_PORT",
    503: "the proxy cannot reach the server: compare its upstream with CHAT_HOST and CHAT_PORT; or the server is full: "
    "look at CHAT_MAX_CONNECTIONS",
}
_UPGRADE = "pass the Upgrade and Connection headers through the proxy (HTTP/1.1 to the server)"


def checks(config: Config, answer: dict[str, Any] | None) -> Iterator[Finding]:
    """`answer` is the running server's answer to the operation `look`; None if no server runs."""
    if answer is None:
        yield note("address", "not checked: no server is running")
        return
    address: str = answer["address"]
    if not address.startswith(("http://", "https://")):
        yield note("address", f"{address} cannot be checked", "set CHAT_BASE_URL to have the public address tried")
        return
    yield from asyncio.run(_connect(config, address))


def _is_numeric(host: str | None) -> bool:
    try:
        ipaddress.ip_address(host or "")
    except ValueError:
        return False
    return True


async def _connect(config: Config, address: str) -> list[Finding]:
    try:
        async with asyncio.timeout(SECONDS_MAX), aiohttp.ClientSession() as session:
            url = f"{address}/ws/chat/"
            # A certificate names the public host, so it is not checked for a numeric address.
            is_checked = not _is_numeric(urlsplit(address).hostname)
            headers = {"X-Forwarded-For": FORGED_ADDRESS}
            async with session.ws_connect(url, origin=address, ssl=is_checked, headers=headers) as socket:
                hello = await socket.receive_json()
                if hello.get("type") != "hello":
                    return [problem("address", f"{address} is answered by another program", "correct CHAT_BASE_URL")]
        found = ok("address", f"{address} answers, including WebSocket")
        return [found, *await _behind_proxies(config)]
    except aiohttp.WSServerHandshakeError as error:
        if error.status == 401:
            return [ok("address", f"{address} answers; guests may not read, so the upgrade was refused")]
        text = f"{address} refused a WebSocket handshake with status {error.status}"
        return [problem("address", text, _ADVICE.get(error.status, _UPGRADE))]
    except (aiohttp.ClientError, OSError, TimeoutError, TypeError, ValueError) as error:
        text = f"{address} cannot be reached: {str(error) or type(error).__name__}"
        return [problem("address", text, "check CHAT_BASE_URL, its name's address, the proxy and its certificate")]


async def _behind_proxies(config: Config) -> list[Finding]:
    """Check, after the handshake with the forged header, what the server saw from its proxies.

    If no proxy is trusted, the header has no effect.
    """
    seen = await ask(config, "proxies", {})
    if seen["other_origin"]:
        origin, own = seen["other_origin"]
        text = f"a browser on a page of {origin} was refused, because the server's own origin is {own}"
        advice = f"pass the Host header through the proxy unchanged, and set CHAT_BASE_URL ({origin}, if it is yours)"
        return [warning("origin", text, advice)]
    if not seen["is_behind_proxy"]:
        return []
    if seen["invalid_hop"]:
        text = f"a trusted proxy names its client {seen['invalid_hop']!r} in X-Forwarded-For, which is no address"
        return [problem("proxy", text, "let it send the client's address there, alone or at the end (docs/install.md)")]
    if seen["has_passed_forged"]:
        text = "the proxy passes on an X-Forwarded-For that its client made up, so that limits can be evaded"
        advice = "let it replace the header or append the client's address to it (HAProxy: option forwardfor)"
        return [problem("proxy", text, advice)]
    return [ok("proxy", "names its clients' addresses itself")]
