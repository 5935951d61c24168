"""The room under attack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import browser, serving  # noqa: F401
from tests.security.cast import Cast, assembled
from tests.security.scene import Scene, fill, listen
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


@pytest.fixture(scope="package")
def scene(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:  # noqa: F811
    data_dir = tmp_path_factory.mktemp("markup") / "data"
    settings = {"send_interval": "0", "history_limit": "1000", "log_level": "warning"}
    server = serving(data_dir, **settings)
    server._make_administrator()
    server._make_administrator = lambda: None  # type: ignore[method-assign]  # once: it ends every login
    fill(data_dir / "chat.db")
    with server as room:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
        scene = Scene(room, context, context.new_page())
        listen(scene, context)
        scene.start()
        yield scene
        context.close()
