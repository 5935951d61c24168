"""The room for the security tests."""

from __future__ import annotations

import pytest

from tests.client import House
from tests.security.cast import Cast, assembled


@pytest.fixture
async def cast(house: House) -> Cast:
    """All kinds of users, with a message each. Nobody is muted or banned yet."""
    return await assembled(house)
