"""Shared by all tests: the watch for calls that block the loop, and the rooms that tests open."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatserver.core.model import Role, User
from tests import blocking, made_once
from tests.client import House, opened
from tests.stage import Stage, staged
from tests.support import FakeClock


@pytest.fixture(scope="session")
def watched_loop() -> Iterator[blocking.Found]:
    with blocking.forbidden() as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop(watched_loop: blocking.Found) -> Iterator[None]:
    """See tests/blocking.py, which names the calls that may block, with the reason for each."""
    watched_loop.taken()
    yield
    assert watched_loop.taken() == []


@pytest.fixture(scope="session", autouse=True)
def parts_made_once() -> Iterator[None]:
    with made_once.shared():
        yield


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Restore the logging that `logs.setup` changed."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove every setting from the environment of the machine."""
    for variable in [name for name in os.environ if name.startswith("CHAT_")]:
        monkeypatch.delenv(variable)


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of the test's room, from the marks `settings`: those of the test override those of its module."""
    marks = [mark.kwargs for mark in request.node.iter_markers("settings")]
    return {name: value for named in reversed(marks) for name, value in named.items()}


@pytest.fixture
async def stage(tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Stage]:
    """A room without a socket. Its time stands still until a test moves it."""
    async with staged(tmp_path, FakeClock(), **settings) as opened_stage:
        yield opened_stage


@pytest.fixture
async def ming(stage: Stage) -> User:
    return await stage.join("小明")


@pytest.fixture
async def hong(stage: Stage) -> User:
    return await stage.join("小红")


@pytest.fixture
async def wang(stage: Stage) -> User:
    return await stage.join("老王", Role.ADMINISTRATOR)


@pytest.fixture
async def house(tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[House]:
    """A server in this process, without an interval between messages. Its time stands still until a test moves it."""
    async with opened(tmp_path, **settings) as opened_house:
        yield opened_house
