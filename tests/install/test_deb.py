"""docs/deploy/packaging/build-deb.sh, without building a package.

The rows `debian-12` and `debian-13` of the workbench build, install, upgrade, remove and purge one on a booted system.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs/deploy/packaging/build-deb.sh"
TEXT = SCRIPT.read_text("utf-8")


def test_a_shell_can_read_it_and_asks_for_a_directory() -> None:
    assert subprocess.run(["sh", "-n", str(SCRIPT)], timeout=60).returncode == 0
    done = subprocess.run(["sh", str(SCRIPT)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "usage: build-deb.sh DIRECTORY" in done.stderr


def test_it_takes_every_unit_and_what_the_locks_name() -> None:
    units = {path.name for path in (*ROOT.glob("chat.*"), *(ROOT / "docs/deploy").glob("chat*.*")) if path.is_file()}
    packed = set(re.findall(r'"\$source/(?:docs/deploy/)?(chat[\w@-]*\.(?:service|socket|timer))"', TEXT))
    assert packed == units - {"chat-direct.service"}
    assert re.search(r"^locked\(\) .*--require-hashes", TEXT, re.MULTILINE)
    used = re.findall(r"^locked .*-r \"\$source/(\S+)\"$", TEXT, re.MULTILINE)
    packaging = "docs/deploy/packaging"
    assert used == ["requirements.lock", f"{packaging}/push-build.lock", f"{packaging}/push.lock"]
    assert all((ROOT / name).is_file() for name in used)


def test_it_enables_the_server_alone_and_disables_what_an_administrator_enabled() -> None:
    [enabled] = re.findall(r"systemctl enable .*?--now ([\w. -]+?);? *$", TEXT, re.MULTILINE)
    assert enabled.split() == ["chat.socket", "chat.service"]
    [disabled] = re.findall(r"systemctl disable .*?--now (.+)$", TEXT, re.MULTILINE)
    assert set(disabled.split()) == {"chat.socket", "chat.service", "chat-push.service", "chat-backup.timer"}


def test_its_scripts_are_ones_that_a_shell_can_read() -> None:
    scripts = re.findall(r"<<'EOF'\n(#!/bin/sh\n.*?)^EOF$", TEXT, re.S | re.MULTILINE)
    assert len(scripts) == 2
    for script in scripts:
        assert subprocess.run(["sh", "-n"], input=script, text=True, timeout=60).returncode == 0
