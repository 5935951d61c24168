"""An aiohttp or aiosqlite without the private parts that the program uses is refused with one sentence."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import aiosqlite
import pytest
from aiohttp import web_protocol, web_urldispatcher

from chatserver.db import aiosqlite_compat
from chatserver.http.aiohttp_compat import requirements
from chatserver.ops.control.client import operate
from chatserver.ops.failure import CommandError
from tests.support import make_config


def test_the_installed_versions_fit() -> None:
    requirements.check()
    assert aiosqlite_compat.problem() == ""


def test_the_next_major_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp, "__version__", "4.0.0a1")
    with pytest.raises(requirements.IncompatibleAiohttp, match=r"^aiohttp 4\.0\.0a1 .*needs aiohttp 3"):
        requirements.check()


def test_a_part_with_other_parameters_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def connection_lost(self: object) -> None:
        """Without the parameter `exc`."""

    monkeypatch.setattr(web_protocol.RequestHandler, "connection_lost", connection_lost)
    with pytest.raises(requirements.IncompatibleAiohttp, match=r"RequestHandler\.connection_lost.*hand_over\.py"):
        requirements.check()


def test_a_part_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(web_urldispatcher, "_default_expect_handler")
    with pytest.raises(requirements.IncompatibleAiohttp, match=r"web_urldispatcher\._default_expect_handler"):
        requirements.check()


def test_another_aiosqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(aiosqlite.Connection, "_execute")
    assert "aiosqlite" in aiosqlite_compat.problem()


async def test_an_operators_command_on_the_files_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(web_urldispatcher, "_default_expect_handler")
    with pytest.raises(CommandError, match=r"aiohttp .* cannot be used"):
        await operate(make_config(tmp_path), "list-members", {})
