"""The room under attack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.security.cast import Cast, assembled
from tests.web.client import House, opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """As the tests of the web have it."""
    async with opened(tmp_path) as house:
        yield house


@pytest.fixture
async def cast(house: House) -> Cast:
    """Everybody, with a message each; nobody is muted or banned yet."""
    return await assembled(house)
