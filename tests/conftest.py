"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import blocking


@pytest.fixture(scope="session")
def watched_loop() -> Iterator[blocking.Found]:
    with blocking.forbidden() as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop(watched_loop: blocking.Found) -> Iterator[None]:
    """See tests/blocking.py; what is meant to is named there, with its reason."""
    watched_loop.taken()
    yield
    assert watched_loop.taken() == []
