"""A Debian system in a directory, with the project's wheel, booted with systemd-nspawn to run `steps.py` inside.

Takes root, debootstrap, systemd-container and a mirror of Debian; some three minutes and 700 MB for each release.
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

PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-venv"
NSPAWN = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network"]
SECONDS_MAX = 900

# Runs `steps.py` as soon as the system is up, which then turns it off.
_UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /src/tests/workbench/booted/steps.py
[Install]
WantedBy=graphical.target
"""


async def booted(directory: Path, release: str) -> Mapping[str, float]:
    """Boot Debian `release` ("bookworm", "trixie") and do every step in it; the figures of the steps.

    Raises AssertionError with the log of the steps where one failed, and RuntimeError where a tool is missing.
    """
    for tool in ("debootstrap", "systemd-nspawn"):
        if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            raise RuntimeError(f"no {tool} here; Debian has it: apt install debootstrap systemd-container")
    return await asyncio.to_thread(_booted, directory, release)


def _booted(directory: Path, release: str) -> Mapping[str, float]:
    tree = directory / release
    _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, str(tree))
    _install(directory, tree)
    command = [*NSPAWN, "--boot", "-D", str(tree)]
    # Where the host has cgroups of both versions.
    variables = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MAX)
    result = tree / "result.json"
    log = tree / "steps.log"
    assert result.is_file(), f"{release} did not get to its end: {log.read_text('utf-8') if log.is_file() else ''}"
    found: dict[str, Any] = json.loads(result.read_text("utf-8"))
    assert not found["failed"], f"{release}: {found['failed']}\n{log.read_text('utf-8')}"
    return {"steps": len(found["passed"]), **found["figures"]}


def _install(directory: Path, tree: Path) -> None:
    """The checkout in /src, and in /wheels the project's wheel with the files of the lock for the tree's Python."""
    shutil.copytree(ROOT, tree / "src", ignore=shutil.ignore_patterns(".git", ".venv", "data", "__pycache__"))
    wheel = build(directory)
    version = _inside(tree, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version", version)
    _run(*pip, "--dest", str(tree / "wheels"), "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    shutil.copy(wheel, tree / "wheels")
    pair = certificate(directory, host="chat.example.org")
    live = tree / "etc/letsencrypt/live/chat.example.org"
    live.mkdir(parents=True)
    shutil.copy(pair.certificate, live / "fullchain.pem")
    shutil.copy(pair.key, live / "privkey.pem")
    unit = tree / "etc/systemd/system/steps.service"
    unit.write_text(_UNIT, "utf-8")
    _inside(tree, "systemctl", "enable", "--quiet", "steps.service")


def _inside(tree: Path, *words: str) -> str:
    return _run(*NSPAWN, "--pipe", "-D", str(tree), *words)


def _run(*words: str) -> str:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout
