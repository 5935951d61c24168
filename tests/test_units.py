"""The units that an operator trusts: what systemd itself says of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WITH_A_SOCKET, DIRECT, SOCKET = ROOT / "chat.service", ROOT / "docs/deploy/chat-direct.service", ROOT / "chat.socket"
UNITS = [WITH_A_SOCKET, DIRECT]

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed: apt-get install systemd"
)


def analyze(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


def directives(unit: Path) -> dict[str, list[str]]:
    """Name -> its values, in order."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^([A-Z]\w+)=(.*)$", unit.read_text("utf-8"), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@needs_systemd
@pytest.mark.parametrize(("unit", "most"), [(WITH_A_SOCKET, 0.5), (DIRECT, 1.2)], ids=["with a socket", "direct"])
def test_what_is_left_exposed_is_little(unit: Path, most: float) -> None:
    done = analyze("security", "--offline=true", "--no-pager", str(unit), cwd=ROOT)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= most, done.stdout


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=["with a socket", "direct"])
def test_systemd_finds_nothing_wrong_with_them(unit: Path, tmp_path: Path) -> None:
    # The program is not installed here; anything that can be executed stands in for it.
    text = unit.read_text("utf-8").replace("/opt/chat/.venv/bin/chatserver", "/bin/true")
    (tmp_path / "chat.service").write_text(text)
    shutil.copy(SOCKET, tmp_path)
    done = analyze("verify", "./chat.service", "./chat.socket", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_two_differ_in_the_network_alone() -> None:
    ours, direct = directives(WITH_A_SOCKET), directives(DIRECT)
    differing = {name for name in ours.keys() | direct.keys() if ours.get(name) != direct.get(name)}
    assert differing == {"Requires", "Wants", "After", "PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies"}


@pytest.mark.parametrize("unit", UNITS, ids=["with a socket", "direct"])
def test_a_database_that_cannot_be_used_is_not_tried_again(unit: Path) -> None:
    found = directives(unit)
    assert found["Restart"] == ["on-failure"]
    assert {"78", "2"} <= set(found["RestartPreventExitStatus"][0].split())


@pytest.mark.parametrize("unit", UNITS, ids=["with a socket", "direct"])
def test_what_it_keeps_is_for_its_user_alone(unit: Path) -> None:
    found = directives(unit)
    assert (found["StateDirectoryMode"], found["UMask"], found["DynamicUser"]) == (["0700"], ["0077"], ["yes"])
