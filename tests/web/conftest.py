"""The room that most tests visit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.client import House, opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Default settings but for the pause between messages; time stands still until a test moves it."""
    async with opened(tmp_path) as house:
        yield house
