"""Debian 12 on a kernel of its own, which gives a process as many descriptors as it asks for: row 19 of tests.bench.

User-mode Linux (Debian's package `user-mode-linux`) is a kernel that runs as a process of the host: no processor has
to be emulated, and no right of the host's kernel is needed. It has one processor, which server and load share.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.install.wheels import ROOT
from tests.workbench.booted.tree import SECONDS_MAX, download, inside, make, run

KERNEL = "linux.uml"
PACKAGES = ("iproute2", "python3", "python3-venv")
# What is used of it becomes the host's memory: some 1 GiB for 50,000 readers, both ends of each in the same kernel.
MEMORY = "8G"
IMAGE_SIZE = "1500M"
# Every line of its console that is not the kernel's goes to /result.json and /bench.log.
_INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /tmp
ip link set lo up
ulimit -n 200000
echo 1024 64999 >/proc/sys/net/ipv4/ip_local_port_range
echo 400000 600000 800000 >/proc/sys/net/ipv4/tcp_mem
cd /src
/venv/bin/python -m tests.bench 19 --turns 1 --json {options}>/result.json 2>/bench.log
sync
echo o >/proc/sysrq-trigger
sleep 60
"""


async def fifty_thousand_readers(directory: Path, share: float) -> Mapping[str, float]:
    """Run row 19 in one turn, with a thousand readers where `share` is below 1; its figures.

    Raises AssertionError with the row's log where it did not end, and RuntimeError where a tool is missing.
    """
    return await asyncio.to_thread(_row_19, directory, "--quick " if share < 1 else "")


def _row_19(directory: Path, options: str) -> Mapping[str, float]:
    for tool, package in ((KERNEL, "user-mode-linux"), ("debugfs", "e2fsprogs")):
        if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            raise RuntimeError(f"no {tool} here; Debian has it: apt install {package}")
    tree = make(directory, "bookworm", PACKAGES)
    download(tree, "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    install = "python3 -m venv /venv && /venv/bin/pip install --no-index --find-links /wheels -r /src/requirements.lock"
    inside(tree, "sh", "-c", f"{install} && /venv/bin/python -m compileall -q /src/chatserver /src/tests/bench")
    init = tree / "init.sh"
    init.write_text(_INIT.format(options=options), "utf-8")
    init.chmod(0o755)
    image = directory / "image"
    run("mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(image), IMAGE_SIZE)
    console = "con=null con0=null,fd:1".split()
    command = [KERNEL, f"mem={MEMORY}", f"ubda={image}", "root=/dev/ubda", "rw", "init=/init.sh", *console]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MAX)
    return _figures(_read(image, "/result.json"), _read(image, "/bench.log"))


def _read(image: Path, path: str) -> str:
    """A file of the image, which is not mounted; "" where there is none."""
    return run("debugfs", "-R", f"cat {path}", str(image))


def _figures(result: str, log: str) -> Mapping[str, float]:
    assert result, f"row 19 did not end:\n{log}"
    found: Any = json.loads(result)
    late, lost, memory = found["rows"][0]["lines"]
    return {"ratio": late["ratio"], "late_ms": late["value"], "lost": lost["value"], "peak_mib": memory["value"]}
