"""The systemd protocols: sockets and notifications; without systemd, nothing happens."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatserver import systemd


def test_without_a_service_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS"):
        monkeypatch.delenv(variable, raising=False)
    systemd.notify("READY=1")
    assert systemd.listen_sockets() == []


def test_the_manager_is_told_on_its_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        systemd.notify("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_the_manager_is_told_on_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"chatserver-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        systemd.notify("STOPPING=1")
        assert manager.recv(100) == b"STOPPING=1"


def test_a_manager_that_went_away_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    systemd.notify("READY=1")


def test_sockets_meant_for_another_process_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    monkeypatch.setenv("LISTEN_FDS", "1")
    assert systemd.listen_sockets() == []


def test_a_socket_that_was_handed_over_is_listened_on() -> None:
    program = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
from chatserver import systemd
[handed] = systemd.listen_sockets()
print(handed.getsockname()[1], os.get_inheritable(3), "LISTEN_FDS" in os.environ)
"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = subprocess.run(
            [sys.executable, "-c", program, str(listener.fileno())],
            pass_fds=[listener.fileno()],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.stdout.split() == [str(listener.getsockname()[1]), "False", "False"], done.stderr


# The watchdog


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Receives the service's notifications, and expects one every tenth of a second."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "100000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        yield heard


async def test_the_watchdog_is_fed_again_and_again_and_only_after_a_probe(manager: socket.socket) -> None:
    probes = 0

    async def probe() -> None:
        nonlocal probes
        probes += 1
        with pytest.raises(BlockingIOError):
            manager.recv(100)

    async with systemd.watchdog(probe):
        for _ in range(3):
            assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(manager, 100), 10) == b"WATCHDOG=1"
    assert probes >= 3


async def test_a_probe_that_does_not_come_back_starves_it(manager: socket.socket) -> None:
    asked = asyncio.Event()

    async def hangs() -> None:
        asked.set()
        await asyncio.Event().wait()

    async with systemd.watchdog(hangs):
        await asked.wait()
        await asyncio.sleep(0.3)
    with pytest.raises(BlockingIOError):
        manager.recv(100)


@pytest.mark.parametrize(("name", "value"), [("WATCHDOG_USEC", ""), ("WATCHDOG_USEC", "x"), ("WATCHDOG_PID", "1")])
async def test_where_nobody_waits_for_our_word_nothing_is_asked(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    async def probe() -> None:
        pytest.fail("probed")

    async with systemd.watchdog(probe):
        await asyncio.sleep(0.01)
