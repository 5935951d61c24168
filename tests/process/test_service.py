"""The server as a systemd service: socket activation, the watchdog, and the allowed system calls."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.client import Browser, picture
from tests.process.serving import CHEAP, PATIENCE, ROOT, environment, serving

# The work of systemd between fork and exec: descriptor 3 is the socket, and the variables name the process.
_LAUNCH = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", WATCHDOG_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "run.py", *sys.argv[2:]])
"""


class Manager:
    """Listens for the service, starts it, and receives its notifications."""

    def __init__(self, directory: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self._data_dir = directory / "data"
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(directory / "notify"))
        self._notify.setblocking(False)
        self._name = str(directory / "notify")

    async def on_frame(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return (await asyncio.get_running_loop().sock_recv(self._notify, 4096)).decode()

    @contextlib.asynccontextmanager
    async def service(self, **variables: str) -> AsyncIterator[Process]:
        descriptor = str(self.listener.fileno())
        command = [sys.executable, "-c", _LAUNCH, descriptor, "serve", "--data-dir", str(self._data_dir), *CHEAP]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=environment(NOTIFY_SOCKET=self._name, WATCHDOG_USEC="400000", **variables),
            pass_fds=[self.listener.fileno()],
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def close(self) -> None:
        self.listener.close()
        self._notify.close()


@pytest.fixture
def manager(tmp_path: Path):  # type: ignore[no-untyped-def]
    manager = Manager(tmp_path)
    yield manager
    manager.close()


async def test_it_serves_on_the_socket_that_it_is_handed_and_says_that_it_lives(manager: Manager) -> None:
    async with manager.service() as process:
        first = [await manager.on_frame() for _ in range(2)]
        assert sorted(first) == ["READY=1", "WATCHDOG=1"]
        assert [await manager.on_frame() for _ in range(3)] == ["WATCHDOG=1"] * 3
        async with Browser(manager.address) as browser:
            assert (await browser.register("小明")).status == 201
        process.terminate()
        while (said := await manager.on_frame()) != "STOPPING=1":
            assert said == "WATCHDOG=1"
        assert await process.wait() == 0


async def test_it_names_the_address_of_the_socket_and_not_its_own_settings(manager: Manager) -> None:
    manager.listener.close()
    manager.listener = socket.create_server(("::", 0), family=socket.AF_INET6)
    async with manager.service() as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
    assert line == f"listening on http://[::]:{manager.listener.getsockname()[1]}\n"


async def test_whoever_comes_while_it_restarts_waits_and_is_served(manager: Manager) -> None:
    async with manager.service() as process:
        while await manager.on_frame() != "READY=1":
            pass
        process.terminate()
        assert await process.wait() == 0
    async with Browser(manager.address) as early:
        asked = asyncio.create_task(early.get("/healthz"))
        await asyncio.sleep(0.1)
        assert not asked.done()
        async with manager.service():
            async with asyncio.timeout(PATIENCE):
                assert (await asked).status == 200


async def test_a_secret_that_the_manager_hands_over_is_used(tmp_path: Path, manager: Manager) -> None:
    handed = tmp_path / "credentials"
    handed.mkdir()
    (handed / "chat.metrics_token").write_text("a-token-of-twenty-four\n")
    async with manager.service(CREDENTIALS_DIRECTORY=str(handed), CHAT_TRUSTED_PROXIES="127.0.0.1"):
        async with Browser(manager.address, X_Forwarded_For="203.0.113.1") as elsewhere:
            assert (await elsewhere.get("/metrics")).status in (401, 403)
            bearer = {"Authorization": "Bearer a-token-of-twenty-four"}
            assert (await elsewhere.get("/metrics", bearer)).status == 200


# System calls that the unit denies


def permitted(unit: str) -> set[str]:
    """The system calls that the unit's SystemCallFilter lines allow, by systemd's own table of groups."""
    table = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, timeout=60).stdout
    groups: dict[str, list[str]] = {}
    for line in table.splitlines():
        if line.startswith("@"):
            members = groups.setdefault(line.strip(), [])
        elif line.strip() and not line.strip().startswith("#"):
            members.append(line.strip())

    def calls(name: str) -> set[str]:
        return set().union(*map(calls, groups[name])) if name.startswith("@") else {name}

    allowed = calls("@default")
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        named = set().union(*map(calls, line.lstrip("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed: apt-get install strace")
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="not installed: apt-get install systemd")
async def test_a_whole_life_makes_no_system_call_that_the_unit_forbids(tmp_path: Path) -> None:
    traced = tmp_path / "calls"
    async with serving(tmp_path / "data", under=["strace", "-D", "-f", "-qq", "-o", str(traced)]) as server:
        async with Browser(server.address) as browser:
            assert (await browser.register("小明")).status == 201
            socket = await browser.socket()
            shown = await browser.show(picture())
            assert (await browser.get(shown["image"])).status == 200
            await socket.send("recall", id=shown["id"])
            await socket.expect("recall")
        assert (await server.stop()).code == 0
    allowed = permitted((ROOT / "chat.service").read_text("utf-8"))
    made = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed>)", traced.read_text(), re.MULTILINE))
    # SQLite sets the owner of its files to the directory's owner only if it runs as root, as these tests may.
    assert made - allowed <= {"fchown"}
    assert {"fdatasync", "accept4", "setpriority"} <= made, "the trace shows too little"
