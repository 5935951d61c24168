"""Clients that begin a request and do not continue: each is dropped at its deadline, and no other client waits for
it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chatserver.http import listening
from tests.client import PATIENCE, opened
from tests.fronts.proxies import certificate


async def test_a_tls_handshake_that_is_never_begun_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert listening.HEADER_SECONDS == 15.0
    monkeypatch.setattr(listening, "HEADER_SECONDS", 0.5)
    pair = certificate(tmp_path)
    async with opened(tmp_path / "data", tls_cert=pair.certificate, tls_key=pair.key) as house:
        here = urlsplit(house.address)
        for said in (b"", b"\x16\x03\x01\x02\x00\x01"):
            reader, writer = await asyncio.open_connection(here.hostname, here.port)
            writer.write(said)
            async with asyncio.timeout(PATIENCE):
                with_nothing = await _rest(reader)
            assert with_nothing == b""
            writer.close()


async def test_a_header_half_sent_over_tls_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "HEADER_SECONDS", 0.5)
    pair = certificate(tmp_path)
    unchecked = ssl.create_default_context(cafile=str(pair.certificate))
    unchecked.check_hostname = False
    async with opened(tmp_path / "data", tls_cert=pair.certificate, tls_key=pair.key) as house:
        here = urlsplit(house.address)
        reader, writer = await asyncio.open_connection(here.hostname, here.port, ssl=unchecked)
        writer.write(b"GET / HTTP/1.1\r\nHost: ")
        async with asyncio.timeout(PATIENCE):
            assert await _rest(reader) == b""
        writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""
