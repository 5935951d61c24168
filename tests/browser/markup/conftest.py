"""The room with hostile texts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import add_administrator, serving
from tests.browser.markup.scene import Scene, fill, listen


@pytest.fixture(autouse=True)
def nothing_ran(scene: Scene) -> Iterator[None]:
    """After each test: no script ran, no policy was violated, no dialog opened, no other host was requested."""
    yield
    found, scene.attacks[:] = list(scene.attacks), []
    assert found == []


@pytest.fixture(scope="package")
def scene(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    data_dir = tmp_path_factory.mktemp("markup") / "data"
    settings = {"send_interval": "0", "history_limit": "1000", "log_level": "warning"}
    add_administrator(data_dir)
    fill(data_dir / "chat.db")
    with serving(data_dir, **settings) as room:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
        scene = Scene(room, context, context.new_page())
        listen(scene, context)
        scene.start()
        yield scene
        context.close()
