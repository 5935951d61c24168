"""The room's own TLS: a renewed certificate is loaded on SIGHUP, and no connection is closed."""

from __future__ import annotations

import asyncio
import shutil
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from chatserver.http.certificate import Certificate
from tests.client import Browser
from tests.fronts.proxies import NAME, HereResolver, Pair, certificate
from tests.process.serving import PATIENCE, Serving, serving


@asynccontextmanager
async def browser(address: str, pair: Pair) -> AsyncIterator[Browser]:
    """An SSL context that trusts only this certificate."""
    async with Browser(address) as found:
        await found.session.close()
        connector = aiohttp.TCPConnector(ssl=pair.trusting, resolver=HereResolver())
        found.session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar())
        yield found


@asynccontextmanager
async def room(tmp_path: Path, live: Pair) -> AsyncIterator[tuple[Serving, str]]:
    flags = ("--tls-cert", str(live.certificate), "--tls-key", str(live.key))
    async with serving(tmp_path / "data", *flags, CHAT_LOG_FORMAT="text") as server:
        assert server.address.startswith("https://127.0.0.1:")
        yield server, server.address.replace("127.0.0.1", NAME)


def put(new: Pair, live: Pair) -> None:
    shutil.copy(new.certificate, live.certificate)
    shutil.copy(new.key, live.key)


async def logged(server: Serving, words: str) -> str:
    assert server.process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        while words not in (line := (await server.process.stderr.readline()).decode()):
            assert line, f"the log ended without {words!r}"
    return line


async def test_a_renewed_certificate_counts_for_newcomers_and_those_who_are_here_notice_nothing(tmp_path: Path) -> None:
    old, new = certificate(tmp_path, "old"), certificate(tmp_path, "new")
    live = Pair(tmp_path / "live.pem", tmp_path / "live.key")
    put(old, live)
    async with room(tmp_path, live) as (server, address), browser(address, old) as member:
        assert "Secure" in (await member.register("小明")).session_cookie
        socket = await member.socket()
        await socket.say("before", client_id="one")
        put(new, live)
        server.process.send_signal(signal.SIGHUP)
        await logged(server, "certificate reloaded")
        await socket.in_step()
        async with browser(address, new) as newcomer:
            assert (await newcomer.get("/healthz")).status == 200
        async with browser(address, old) as late:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await late.get("/healthz")
        assert socket.ws.close_code is None


@pytest.mark.parametrize("spoiled", ["certificate", "key", "pair"])
async def test_a_certificate_that_cannot_be_used_leaves_the_old_one_in_place(tmp_path: Path, spoiled: str) -> None:
    old, new = certificate(tmp_path, "old"), certificate(tmp_path, "new")
    live = Pair(tmp_path / "live.pem", tmp_path / "live.key")
    put(old, live)
    async with room(tmp_path, live) as (server, address):
        if spoiled == "pair":
            shutil.copy(new.certificate, live.certificate)  # with the key of the old certificate
        else:
            getattr(live, spoiled).write_text("not one\n")
        server.process.send_signal(signal.SIGHUP)
        assert "keeping the old one" in await logged(server, "certificate reload failed")
        async with browser(address, old) as member:
            assert (await member.register("小明")).status == 201


async def test_without_tls_a_reload_changes_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, Browser(server.address) as member:
        assert (await member.register("小明")).status == 201
        socket = await member.socket()
        server.process.send_signal(signal.SIGHUP)
        await socket.in_step()
        await socket.in_step()
        assert server.process.returncode is None
        assert (await server.stop()).code == 0


def test_an_encrypted_key_is_refused_and_asks_nobody(tmp_path: Path) -> None:
    pair = certificate(tmp_path)
    locked = tmp_path / "locked.key"
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:secret", "-in", str(pair.key), "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises((OSError, ssl.SSLError)) as refused:
        Certificate(str(pair.certificate), str(locked))
    assert "passphrase" in str(refused.value)
