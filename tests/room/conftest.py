"""The stage and its cast: 小明 and 小红, members, and 老王, administrator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.model import Role, User
from tests.room.stage import Stage, staged
from tests.support import FakeClock


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, FakeClock()) as opened:
        yield opened


@pytest.fixture
async def ming(stage: Stage) -> User:
    return await stage.join("小明")


@pytest.fixture
async def hong(stage: Stage) -> User:
    return await stage.join("小红")


@pytest.fixture
async def wang(stage: Stage) -> User:
    return await stage.join("老王", Role.ADMINISTRATOR)
