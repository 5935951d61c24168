"""The doctor's check of the public address through a real proxy with TLS: with a correct proxy, and with faulty
ones."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar, TCPConnector

from tests.client import JSON, PASSWORD, Browser
from tests.fronts.proxies import FRONTS, Pair, certificate, free_port, front, program
from tests.process.serving import run, serving

# A name that every machine can resolve, so that the doctor itself finds the proxy.
HOST = "localhost"
CHANGED = {"nginx": "chat.conf", "haproxy": "haproxy.cfg"}
NO_UPGRADE = ("        proxy_set_header Upgrade $http_upgrade;\n", "")
FORWARDED = "proxy_set_header X-Forwarded-For "
OTHER_HOST = ("proxy_set_header Host $http_host;", "proxy_set_header Host chat_room;")


@asynccontextmanager
async def fronted(
    name: str, tmp_path: Path, *changes: tuple[str, str], reaches_room: bool = True
) -> AsyncIterator[tuple[Pair, dict[str, str]]]:
    """A room behind the proxy, whose configuration gets `changes`. Yields the certificate and the operator's
    variables."""
    directory = tmp_path / "front"
    directory.mkdir()
    pair, port = certificate(directory, host=HOST), free_port()
    settings = {
        "CHAT_BASE_URL": f"https://{HOST}:{port}",
        "CHAT_TRUSTED_PROXIES": "127.0.0.1",
        "CHAT_DATA_DIR": str(tmp_path / "data"),
    }
    async with serving(tmp_path / "data", **settings) as room:
        room_port = int(room.address.rsplit(":", 1)[1]) if reaches_room else free_port()
        commands = FRONTS[name](directory, pair, port, free_port(), room_port)
        for old, new in changes:
            file = directory / CHANGED[name]
            text = file.read_text("utf-8")
            assert old in text
            file.write_text(text.replace(old, new), "utf-8")
        async with front(commands, directory):
            yield pair, settings


async def way_in(pair: Pair | None, settings: dict[str, str], check: str = "address") -> tuple[int, dict[str, str]]:
    """The doctor's exit code, and its findings about the address. It trusts the certificate, if one is given."""
    trust = {"SSL_CERT_FILE": str(pair.certificate)} if pair else {}
    done = await run("doctor", "--json", **settings, **trust)
    [found] = [finding for finding in json.loads(done.out) if finding["check"] == check]
    return done.code, found


@pytest.mark.parametrize("name", FRONTS)
async def test_it_comes_in_through_the_public_address(name: str, tmp_path: Path) -> None:
    program(name)
    async with fronted(name, tmp_path) as (pair, settings):
        code, found = await way_in(pair, settings)
    assert (code, found["level"]) == (0, "ok"), found
    assert found["text"] == f"{settings['CHAT_BASE_URL']} answers, including WebSocket"


@pytest.mark.parametrize("name", FRONTS)
async def test_a_certificate_that_nobody_trusts_is_a_problem(name: str, tmp_path: Path) -> None:
    program(name)
    async with fronted(name, tmp_path) as (_, settings):
        code, found = await way_in(None, settings)
    assert (code, found["level"]) == (1, "problem")
    assert "certificate" in found["text"] and "its certificate" in found["advice"]


@pytest.mark.parametrize(
    ("changes", "says", "advises"),
    [
        ((NO_UPGRADE,), "refused a WebSocket handshake with status 400", "Upgrade and Connection headers"),
        ((OTHER_HOST,), "refused a WebSocket handshake with status 421", "pass the Host header through"),
    ],
    ids=["no upgrade", "another host"],
)
async def test_a_proxy_that_is_set_up_wrong_is_told_what_to_change(
    changes: tuple[tuple[str, str], ...], says: str, advises: str, tmp_path: Path
) -> None:
    program("nginx")
    async with fronted("nginx", tmp_path, *changes) as (pair, settings):
        code, found = await way_in(pair, settings)
    assert (code, found["level"]) == (1, "problem")
    assert says in found["text"] and advises in found["advice"], found


@pytest.mark.parametrize("name", FRONTS)
async def test_a_proxy_that_does_not_find_the_room_is_told_so(name: str, tmp_path: Path) -> None:
    program(name)
    async with fronted(name, tmp_path, reaches_room=False) as (pair, settings):
        code, found = await way_in(pair, settings)
    assert (code, found["level"]) == (1, "problem")
    if name == "varnishd":  # this proxy closes a connection that it pipes
        assert found["text"].endswith("Server disconnected") and "the proxy" in found["advice"], found
    else:
        assert re.search(r"with status 50[23]$", found["text"]) and "cannot reach the server" in found["advice"], found


async def test_an_address_where_nobody_listens_is_a_problem(tmp_path: Path) -> None:
    settings = {"CHAT_BASE_URL": f"https://{HOST}:{free_port()}", "CHAT_DATA_DIR": str(tmp_path / "data")}
    async with serving(tmp_path / "data", **settings):
        code, found = await asyncio.wait_for(way_in(None, settings), 60)
    assert (code, found["level"]) == (1, "problem")
    assert "cannot be reached" in found["text"]


@pytest.mark.parametrize("name", FRONTS)
async def test_a_proxy_that_names_its_clients_is_right(name: str, tmp_path: Path) -> None:
    program(name)
    async with fronted(name, tmp_path) as (pair, settings):
        code, found = await way_in(pair, settings, "proxy")
    assert (code, found["level"]) == (0, "ok"), found


FORGED = "passes on an X-Forwarded-For that its client made up"


@pytest.mark.parametrize(
    ("name", "change", "says", "advises"),
    [
        ("haproxy", ("    option forwardfor\n", ""), FORGED, "option forwardfor"),
        ("nginx", (FORWARDED, f"{FORWARDED}$http_x_forwarded_for; # "), FORGED, "option forwardfor"),
        (
            "nginx",
            (FORWARDED, f"{FORWARDED}unknown; # "),
            "'unknown' in X-Forwarded-For, which is no address",
            "the client's address",
        ),
    ],
    ids=["haproxy that passes it on", "nginx that passes it on", "a word"],
)
async def test_a_proxy_that_does_not_name_its_clients_is_a_problem(
    name: str, change: tuple[str, str], says: str, advises: str, tmp_path: Path
) -> None:
    program(name)
    async with fronted(name, tmp_path, change) as (pair, settings):
        code, found = await way_in(pair, settings, "proxy")
    assert (code, found["level"]) == (1, "problem")
    assert says in found["text"] and advises in found["advice"], found


async def test_a_proxy_that_replaces_the_host_is_found_without_a_base_url(tmp_path: Path) -> None:
    """nginx with `proxy_pass` alone, which replaces Host. A browser on the room's own page is refused, and the error
    has both addresses."""
    program("nginx")
    directory = tmp_path / "front"
    directory.mkdir()
    pair, port = certificate(directory, host=HOST), free_port()
    settings = {"CHAT_DATA_DIR": str(tmp_path / "data")}
    async with serving(tmp_path / "data", **settings) as room:
        commands = FRONTS["nginx"](directory, pair, port, free_port(), int(room.address.rsplit(":", 1)[1]))
        file = directory / "chat.conf"
        file.write_text(file.read_text("utf-8").replace(*OTHER_HOST), "utf-8")
        async with front(commands, directory), Browser(f"https://{HOST}:{port}") as browser:
            await browser.session.close()
            browser.session = ClientSession(connector=TCPConnector(ssl=pair.trusting), cookie_jar=CookieJar())
            own = {**JSON, "Origin": browser.address, "Sec-Fetch-Site": "same-origin"}
            answer = await browser.post("/register/", {"username": "小明", "password": PASSWORD}, headers=own)
            assert (answer.status, answer.json["error"]["origin"]) == (403, browser.address)
        code, found = await way_in(None, settings, "origin")
    assert (code, found["level"]) == (0, "warning")
    assert browser.address in found["text"] and "pass the Host header" in found["advice"], found
