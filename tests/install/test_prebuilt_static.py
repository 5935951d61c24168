"""An installed room sends the files that the build compressed, and compresses nothing at its start."""

from __future__ import annotations

import gzip
import re
import zipfile
from pathlib import Path
from urllib.parse import urljoin

import brotli
import pytest

from chatserver.http import assets
from chatserver.i18n.scripts import scripts
from tests.client import HTML, Browser
from tests.install.test_wheel import room
from tests.install.wheels import ROOT


def test_the_wheel_holds_each_text_in_both_codings(wheel: Path) -> None:
    static, inside = ROOT / "static", zipfile.ZipFile(wheel)
    sent = assets.bodies(static, scripts())
    texts = {name: body for name, body in sent.items() if Path(name).suffix in assets.TEXT_SUFFIXES}
    assert len(texts) > 50
    assert "js/words/zh.js" in texts
    for name, body in texts.items():
        for coding, opened in (("br", brotli.decompress), ("gz", gzip.decompress)):
            place = assets.prebuilt_path(Path("chatserver/static"), body, coding).as_posix()
            assert opened(inside.read(place)) == body, name


async def test_the_installed_room_answers_with_brotli(programs: Path, tmp_path: Path) -> None:
    async with room(programs / "chatserver", tmp_path) as address, Browser(address) as guest:
        page = (await guest.get("/", HTML)).text
        for found in re.findall(r'(?:href|src)="(/static/\w+/(?:css|js)/[^"]+)"', page):
            answer = await guest.get(found, {"Accept-Encoding": "gzip, br"})
            assert answer.headers["Content-Encoding"] == "br", found


@pytest.mark.parametrize("ui", ["desktop", "mobile"])
async def test_the_installed_room_draws_its_first_message_with_at_most_eight_requests(
    programs: Path, tmp_path: Path, ui: str
) -> None:
    """The same count as in tests/browser/test_light.py, but without a browser: from the names in the page."""
    async with room(programs / "chatserver", tmp_path) as address, Browser(address) as guest:
        page = (await guest.get(f"/?ui={ui}", HTML)).text
        page = re.sub(r"(?s)<noscript>.*?</noscript>", "", page)  # not requested if scripts run
        sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
        modules = set(re.findall(r'<link rel="modulepreload" href="([^"]+)"', page))
        scripts_ = set(re.findall(r'<script [^>]*src="([^"]+)"', page))
        assert len(sheets) == 1 and b"@import" not in (await guest.get(sheets[0], {})).body
        for module in modules:
            for name in re.findall(r'^import [^;]*?from "(\.[^"]+)";', (await guest.get(module, {})).text, re.M | re.S):
                assert urljoin(module, name) in modules, f"{module} imports {name}"
        # late.js only reports a page that does not start, so no drawing waits for it.
        needed = {script for script in scripts_ if not script.endswith("/js/late.js")}
        assert len({*sheets, *modules, *needed}) <= 8
