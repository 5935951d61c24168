"""Old Chromiums, from the cache that install.sh fills, driven by Playwright over the DevTools protocol."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserType, Error, Page

from tests.browser.engines.tab import PATIENCE_SECONDS, Engine, EngineError, Tab, one, until

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chat-engines"
_MIDDLE = """
    node.scrollIntoView({ block: 'nearest' });
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return [(left + right) / 2, (top + bottom) / 2];
"""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--no-zygote",
    "--disable-gpu",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)


def old_chromium(version: int, chromium: BrowserType) -> Engine:
    program = CACHE / f"chromium-{version}" / "chromium"

    def find() -> str:
        return "" if program.is_file() else "`bash tests/browser/engines/install.sh` gives one (it needs npm)"

    @contextmanager
    def start(width: int, height: int) -> Iterator[Tab]:
        with tempfile.TemporaryDirectory() as profile, _running(program, profile) as address:
            browser = chromium.connect_over_cdp(address, timeout=PATIENCE_SECONDS * 1000)
            context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
            page = context.new_page()
            page.set_default_timeout(PATIENCE_SECONDS * 1000)
            yield _Tab(page)
            browser.close()

    return Engine(f"Chromium {version}", find, start)


@contextmanager
def _running(program: Path, profile: str) -> Iterator[str]:
    """Start the browser. Returns the address of its DevTools."""
    command = [program, *FLAGS, f"--user-data-dir={profile}"]
    environ = {**os.environ, "LD_LIBRARY_PATH": str(program.parent)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environ)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if found := re.search(r"DevTools listening on (ws://\S+)", line):
                yield found[1]
                break
        else:
            raise AssertionError(f"{program} ended at once")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


class _Tab:
    def __init__(self, page: Page) -> None:
        self._page = page

    def open(self, address: str) -> None:
        self._page.goto(address)

    def run(self, expression: str) -> Any:
        try:
            return self._page.evaluate(expression)
        except Error as error:
            raise EngineError(error.message) from error

    def press(self, selector: str) -> None:
        """Click by coordinates, because Playwright's own click uses functions that old engines lack."""
        until(self, f"Boolean({one(selector)})")
        self._page.mouse.click(*self.run(f"(node => {{ {_MIDDLE} }})({one(selector)})"))

    def type(self, text: str) -> None:
        for i, line in enumerate(text.split("\n")):
            if i:
                self._page.keyboard.press("Enter")
            self._page.keyboard.type(line)
