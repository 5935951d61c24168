"""A Debian system in a directory, with the checkout in /src; made by debootstrap, entered with systemd-nspawn.

It needs root, debootstrap, systemd-container and a mirror of Debian.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.install.wheels import ROOT

NSPAWN = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network"]
SECONDS_MAX = 3_600


def make(directory: Path, release: str, packages: Sequence[str]) -> Path:
    """Do the same as `bootstrap`, and copy the checkout to /src. Returns its root directory."""
    tree = bootstrap(directory, release, packages)
    shutil.copytree(ROOT, tree / "src", ignore=shutil.ignore_patterns(".git", ".venv", "data", "__pycache__"))
    return tree


def bootstrap(directory: Path, release: str, packages: Sequence[str]) -> Path:
    """Install Debian `release` ("trixie") with `packages` in a directory of that name. Returns its root directory.

    Raises RuntimeError if a tool is missing.
    """
    for tool in ("debootstrap", "systemd-nspawn"):
        if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            raise RuntimeError(f"no {tool} here; Debian has it: apt install debootstrap systemd-container")
    tree = directory / release
    run("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", release, str(tree))
    return tree


def download(tree: Path, *what: str) -> None:
    """Download files from the package index for the tree's Python into its /wheels; `what` are pip's arguments."""
    version = inside(tree, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version", version)
    run(*pip, "--dest", str(tree / "wheels"), *what)


def inside(tree: Path, *words: str, seconds: float = SECONDS_MAX) -> str:
    """Run a command in the tree, with only the loopback network. Returns its output."""
    return run(*NSPAWN, "--pipe", "-D", str(tree), *words, seconds=seconds)


def run(*words: str, seconds: float = SECONDS_MAX) -> str:
    """Run a command. Returns its output. Raises AssertionError with its output if it fails."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout
