"""The image of docs/deploy/Dockerfile, built by podman from a base image of our own, and run by `steps.py`.

The base is Debian 13 with its own Python, under the name of the Dockerfile's base, because no registry of images is
asked. Packages come from files that the host fetched. Takes podman besides what tree.py says, one minute and 2 GB.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.install.wheels import ROOT
from tests.workbench.booted.tree import bootstrap, download, run

RELEASE = "trixie"
PACKAGES = ("python3", "python3-pip", "python-is-python3")
TOOLS = ("podman", "runc", "iptables", "unshare")
BASE = "localhost/python:3.13-slim"
SECONDS_MAX = 1_800
# What the Dockerfile's first stage needs besides the requirements of `.[heic]`: pyproject.toml, build-system.
BUILDERS = ("hatchling", "brotli")
# Debian's pip refuses to install outside of a virtual environment; that of the real base image does not.
_VARIABLES = (
    "PIP_NO_INDEX=1",
    "PIP_FIND_LINKS=/packages",
    "PIP_BREAK_SYSTEM_PACKAGES=1",
    "PIP_ROOT_USER_ACTION=ignore",
)


async def container(directory: Path) -> Mapping[str, float]:
    """Build the image in `directory`, and do every step with it; the figures of the steps.

    Raises AssertionError with the log of the steps where one failed, and RuntimeError where a tool is missing.
    """
    return await asyncio.to_thread(_container, directory)


def _container(directory: Path) -> Mapping[str, float]:
    for tool in TOOLS:
        if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            packages = "podman runc containernetworking-plugins iptables"
            raise RuntimeError(f"no {tool} here; Debian has what it takes: apt install {packages}")
    tree = bootstrap(directory, RELEASE, PACKAGES)
    download(tree, f"{ROOT}[heic]", *BUILDERS)
    shutil.move(tree / "wheels", directory / "wheels")
    program = podman(directory)
    _import_base(program, tree)
    # A network of its own, with a loopback interface alone: the port may be taken on this host.
    steps = ("unshare", "--net", "--mount", sys.executable, "-m", "tests.workbench.container.steps", str(directory))
    try:
        done = subprocess.run(
            steps,
            cwd=ROOT,
            env={
                **os.environ,
                "PATH": f"{directory / 'bin'}:{os.environ['PATH']}",
                "BUILDAH_FORMAT": "docker",
                "BUILDAH_LAYERS": "false",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
        )
    finally:
        # All of its storage, and what is mounted in it, which an `rm` of the directory would not get rid of.
        subprocess.run([program, "system", "reset", "--force"], capture_output=True, timeout=SECONDS_MAX)
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def podman(directory: Path) -> str:
    """A program `docker` in `directory`, which is podman with its storage there; its path.

    Its containers see the fetched packages, and may not open more files than this host allows.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    (directory / "containers.conf").write_text(
        f'[containers]\ndefault_ulimits = ["nofile={most}:{most}", "nproc=4096:4096"]\n'
        f'volumes = ["{directory}/wheels:/packages:ro"]\n'
        f'[network]\nnetwork_config_dir = "{directory}/networks"\n'
        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
        f'static_dir = "{directory}/static"\ntmp_dir = "{directory}/tmp"\nvolume_path = "{directory}/volumes"\n',
        "utf-8",
    )
    (directory / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{directory}/images"\nrunroot = "{directory}/run"\n', "utf-8"
    )
    program = directory / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nexport CONTAINERS_CONF={directory}/containers.conf"
        f' CONTAINERS_STORAGE_CONF={directory}/storage.conf\nexec podman "$@"\n',
        "utf-8",
    )
    program.chmod(0o755)
    return str(program)


def _import_base(program: str, tree: Path) -> None:
    archive = tree.parent / "base.tar"
    run("tar", "-C", str(tree), "-cf", str(archive), ".")
    changes = [word for variable in _VARIABLES for word in ("--change", f"ENV {variable}")]
    run(program, "import", "--quiet", *changes, str(archive), BASE)
