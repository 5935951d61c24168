"""The room under attack."""

from __future__ import annotations

import pytest

from tests.client import House
from tests.security.cast import Cast, assembled


@pytest.fixture
async def cast(house: House) -> Cast:
    """Everybody, with a message each; nobody is muted or banned yet."""
    return await assembled(house)
