"""The room from its wheel: built, installed into an empty environment, and run outside the checkout."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import zipfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.client import HTML, Browser, picture
from tests.db.test_upgrade_copy import made
from tests.install.wheels import ROOT, bare, command
from tests.process.serving import listening

SCHEMA_OF_0_1_0 = 5


@asynccontextmanager
async def room(program: Path, away: Path, *flags: str) -> AsyncIterator[str]:
    """Start the installed `chatserver serve` in a directory outside the checkout. Yields its address."""
    words = (str(program), "serve", "--port", "0", "--bcrypt-rounds", "4", "--send-interval", "0", *flags)
    pipes = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE}
    process = await asyncio.create_subprocess_exec(*words, cwd=away, env=bare({}), **pipes)
    async with listening(process) as server:
        yield server.address


def test_it_holds_the_package_the_pages_the_schema_and_the_words(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "chatserver").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for folder in ("templates", "static"):
        expected |= {
            f"chatserver/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / folder).rglob("*") if path.is_file()
        }
    assert expected - inside == set()
    assert [name for name in inside if name.startswith(("tests/", "docs/", "data/"))] == []


def test_what_runs_is_the_installed_package(programs: Path) -> None:
    found = command(str(programs / "python"), "-c", "import chatserver; print(chatserver.__file__)").strip()
    assert Path(found).is_relative_to(programs.parent)


async def test_the_room_runs_from_it_far_from_the_checkout(programs: Path, tmp_path: Path) -> None:
    async with room(programs / "chatserver", tmp_path) as address, Browser(address) as browser:
        assert (await browser.register("小明")).status == 201
        await browser.say("从 wheel 里来的")
        # A picture is decoded in a process of its own, which must find the package too.
        message = await browser.show(picture(300, 200))
        assert (await browser.get(message["image"])).headers["Content-Type"] == "image/webp"
        page = await browser.get("/", HTML)
        assert page.status == 200 and "从 wheel 里来的" in page.text
        assert (await browser.get("/metrics")).status == 200
        socket = await browser.socket()
        assert socket.hello["user"]["name"] == "小明"
    assert (tmp_path / "data/chat.db").is_file()
    told = json.loads(command(str(programs / "chatserver"), "list-members", "--json", "--data-dir", f"{tmp_path}/data"))
    assert "小明" in json.dumps(told, ensure_ascii=False)


async def test_it_serves_a_room_of_version_0_1_0_with_all_that_was_in_it(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    path = made(tmp_path / "data/chat.db", SCHEMA_OF_0_1_0)
    async with (
        room(programs / "chatserver", tmp_path, "--history-hours", "80000") as address,
        Browser(address) as browser,
    ):
        assert (await browser.register("新来的")).status == 201
        await browser.say("升级以后")
        page = (await browser.get("/", HTML)).text
        assert "今天有草莓吗" in page and "升级以后" in page
    assert path.with_name(f"chat.db.schema-{SCHEMA_OF_0_1_0}").is_file()
    told = command(str(programs / "chatserver"), "list-members", "--data-dir", str(path.parent))
    assert all(name in told for name in ("店长", "小明", "新来的"))


def test_a_doctor_has_nothing_against_the_installation(programs: Path, tmp_path: Path) -> None:
    findings = json.loads(command(str(programs / "chatserver"), "doctor", "--json", "--data-dir", str(tmp_path / "d")))
    listed = findings if isinstance(findings, list) else findings["findings"]
    assert {each["check"]: each["level"] for each in listed if each["check"] in ("packages", "pages")} == {
        "packages": "ok",
        "pages": "ok",
    }


@pytest.mark.parametrize("tool", ["pipx", "uv"])
def test_tools_that_install_programs_put_it_on_the_path(wheel: Path, tool: str, tmp_path: Path) -> None:
    # The tool may be Debian's or installed in this environment, so search both.
    here = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    program = shutil.which(tool, path=here)
    if program is None:
        explain = pytest.fail if tool in os.environ.get("CHAT_TEST_WHEEL_TOOLS", "").split() else pytest.skip
        explain(f"no {tool} here")
    places = {
        "PIPX_HOME": str(tmp_path / "home"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }
    words = [program, "install", str(wheel)] if tool == "pipx" else [program, "tool", "install", str(wheel)]
    command(*words, **places)
    assert command(str(tmp_path / "bin/chatserver"), "version").startswith("chatserver ")
