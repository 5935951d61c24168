"""The documentation is tested: it names every setting, and its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatserver import __version__
from chatserver.cli import COMMANDS
from chatserver.core.config import SETTINGS

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| `(CHAT_[A-Z_]+)` \| `(--[a-z-]+)` \| (?:`(.+?)`|empty) \| (.+) \|$", re.MULTILINE)


def documented() -> dict[str, tuple[str, str, str]]:
    """variable -> flag, default and meaning, as docs/settings.md has them."""
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    rows = ROW.findall(text)
    assert len(rows) == len(re.findall(r"^\| `CHAT_", text, re.MULTILINE)), "a row is not of the usual form"
    assert len(rows) == len({row[0] for row in rows}), "a setting is described twice"
    return {variable: (flag, default, meaning) for variable, flag, default, meaning in rows}


def test_every_setting_is_described_and_no_other() -> None:
    assert set(documented()) == {setting.variable for setting in SETTINGS}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_settings_flag_and_default_are_the_real_ones(setting) -> None:  # type: ignore[no-untyped-def]
    flag, default, meaning = documented()[setting.variable]
    assert (flag, default) == (setting.flag, setting.default)
    assert len(meaning) > 20


def test_what_the_room_may_change_is_listed_and_nothing_else() -> None:
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    part = text.partition("## On the room's own page\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(CHAT_[A-Z_]+)`", part)) == {setting.variable for setting in SETTINGS if setting.in_room}


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_quick_start_is_two_lines_that_set_themselves_up(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("python3 -m venv .venv && ")]
    assert [line.split(" && ")[-1] for line in lines] == [".venv/bin/python run.py", ".venv/bin/python -m pytest"]


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "README.zh.md",
        "CHANGELOG.md",
        "docs/settings.md",
        "docs/backup.md",
        "chat.service",
        "docs/deploy/chat-direct.service",
    ],
)
def test_what_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for variable in re.findall(r"\bCHAT_[A-Z_]+\b", text):
        assert variable in {setting.variable for setting in SETTINGS} | {"CHAT_NAME"}
    for command in re.findall(r"(?:bin/chatserver|run\.py) ([a-z][a-z-]+)", text):
        assert command in {command.name for command in COMMANDS}
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / page).parent.joinpath(target).is_file(), f"{page} links to {target}"


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
