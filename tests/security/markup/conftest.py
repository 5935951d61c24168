"""The browser, and the room full of hostile words. A package of its own: where Playwright's loop runs, no other can."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import browser, serving  # noqa: F401
from tests.security.markup.scene import Scene, fill, listen


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
