"""A Debian system with the project's wheel, booted with systemd-nspawn to run `steps.py` inside.

It needs about three minutes and 700 MB for each release. tree.py says which programs it needs.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fronts.proxies import certificate
from tests.install.wheels import ROOT, build
from tests.workbench.booted.tree import NSPAWN, SECONDS_MAX, download, inside, make, run

# The first schema of a later version than that.
SCHEMA_AFTER_0_1_0 = "chatserver/db/schema/0006_*.sql"
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-venv")

# Runs `steps.py` as soon as the system has booted, and then turns the system off.
_UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
WorkingDirectory=/src
ExecStart=/usr/bin/python3 -m tests.workbench.booted.steps
[Install]
WantedBy=graphical.target
"""


async def booted(directory: Path, release: str) -> Mapping[str, float]:
    """Boot Debian `release` ("bookworm", "trixie") and run every step in it. Returns the figures of the steps.

    Raises AssertionError with the log if a step failed, and RuntimeError if a tool is missing.
    """
    return await asyncio.to_thread(_booted, directory, release)


def _booted(directory: Path, release: str) -> Mapping[str, float]:
    tree = make(directory, release, PACKAGES)
    _install(directory, tree)
    command = [*NSPAWN, "--boot", "-D", str(tree)]
    # The host may have cgroups of both versions.
    variables = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MAX)
    result = tree / "result.json"
    log = tree / "steps.log"
    assert result.is_file(), f"{release} did not get to its end: {log.read_text('utf-8') if log.is_file() else ''}"
    found: dict[str, Any] = json.loads(result.read_text("utf-8"))
    assert not found["failed"], f"{release}: {found['failed']}\n{log.read_text('utf-8')}"
    return {"steps": len(found["passed"]), **found["figures"]}


def _release_before(directory: Path, old: Path) -> None:
    """Put the wheel and the units of 0.1.0, from its last commit, into `old`; nothing if the checkout lacks that
    history."""
    git = ("git", "-C", str(ROOT))
    log = (*git, "log", "--format=%H", "--diff-filter=A", "--", SCHEMA_AFTER_0_1_0)
    added = subprocess.run(log, capture_output=True, text=True).stdout.split()
    if not added:
        return
    archive, source = directory / "old.tar", directory / "old"
    run(*git, "archive", "-o", str(archive), f"{added[-1]}^")
    shutil.unpack_archive(archive, source)
    old.mkdir()
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(old), str(source))
    for unit in ("chat.service", "chat.socket"):
        shutil.copy(source / unit, old)


def _install(directory: Path, tree: Path) -> None:
    """Put the project's wheel with the files of the locks, a certificate, and the unit that runs the steps into
    /wheels."""
    download(tree, "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    for name in ("push-build.lock", "push.lock"):
        lock = str(ROOT / "docs/deploy/packaging" / name)
        download(tree, "--require-hashes", "--no-deps", "--no-binary=http-ece", "-r", lock)
    shutil.copy(build(directory), tree / "wheels")
    _release_before(directory, tree / "old")
    pair = certificate(directory, host="chat.example.org")
    live = tree / "etc/letsencrypt/live/chat.example.org"
    live.mkdir(parents=True)
    shutil.copy(pair.certificate, live / "fullchain.pem")
    shutil.copy(pair.key, live / "privkey.pem")
    unit = tree / "etc/systemd/system/steps.service"
    unit.write_text(_UNIT, "utf-8")
    inside(tree, "systemctl", "enable", "--quiet", "steps.service")
