"""The room for the security tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.security.cast import Cast, gathered


@pytest.fixture
async def cast(tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Cast]:
    """All kinds of users, with a message each. Nobody is muted or banned yet."""
    async with gathered(tmp_path, settings) as cast:
        yield cast
