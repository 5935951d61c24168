"""The wheel, built once and installed into an environment that contains nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 400.0


def command(*words: str, umask: int = -1, **variables: str) -> str:
    """Run a command outside the checkout. Returns its output. The test is skipped if no package index can be
    reached."""
    done = subprocess.run(
        words, env=bare(variables), cwd="/", umask=umask, capture_output=True, text=True, timeout=PATIENCE
    )
    if done.returncode and "Could not find a version" in done.stderr + done.stdout:
        explain = pytest.fail if os.environ.get("CHAT_TEST_WHEEL") == "required" else pytest.skip
        explain("no package index is reached from here, so nothing can be installed")
    assert done.returncode == 0, f"{' '.join(words)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def bare(more: Mapping[str, str]) -> dict[str, str]:
    """The environment without variables that would lead Python to the checkout or to this environment's packages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CHAT_", "PYTHON", "VIRTUAL_"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def build(directory: Path) -> Path:
    """Build with docs/install.md's own command, into `directory`."""
    command(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(directory), str(ROOT))
    [wheel] = directory.glob("chatserver-*.whl")
    return wheel


def install(wheel: Path, environment: Path) -> Path:
    """Install into a new virtual environment. Returns its directory of programs."""
    command(sys.executable, "-m", "venv", str(environment))
    command(str(environment / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel))
    return environment / "bin"
