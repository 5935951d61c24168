"""A command that a signal ends leaves no files. The directory that a killed restore left is reported."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatserver.ops import backup as backup_module
from chatserver.ops import restore as restore_module
from tests.client import PASSWORD, files_under
from tests.ops.conftest import Operator

SIGNALS = [signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def room(tmp_path: Path, operator: Operator) -> Path:
    """The data directory of a small room."""
    words = ("create-admin", "店长", "--password-stdin", "--data-dir", tmp_path / "data")
    assert operator(*words, typed=PASSWORD + "\n").code == 0
    return tmp_path / "data"


def ended_after(monkeypatch: pytest.MonkeyPatch, module: Any, function: str, number: int) -> None:
    """Send the process a signal when the function has done its work."""
    real: Callable[..., Any] = getattr(module, function)

    def then_ended(*arguments: Any, **named: Any) -> Any:
        result = real(*arguments, **named)
        os.kill(os.getpid(), number)
        time.sleep(0.05)  # Python handles a signal that another thread received a little later
        return result

    monkeypatch.setattr(module, function, then_ended)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("step", ["_unpack", "_prepare_database"])
def test_a_restore_that_is_ended_changes_nothing_and_leaves_nothing(
    tmp_path: Path, room: Path, operator: Operator, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    assert operator("backup", tmp_path / "room.tar", "--data-dir", room).code == 0
    before = files_under(room)
    ended_after(monkeypatch, restore_module, step, number)
    assert operator("restore", tmp_path / "room.tar", "--force", "--data-dir", room).code == 128 + number
    assert operator("restore", tmp_path / "room.tar", "--data-dir", tmp_path / "copy").code == 128 + number
    assert names(tmp_path) == {"data", "room.tar"}
    assert files_under(room) == before


@pytest.mark.parametrize("number", [*SIGNALS, signal.SIGINT])
def test_a_signal_while_the_two_are_exchanged_loses_neither(
    tmp_path: Path,
    room: Path,
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    number: int,
) -> None:
    """Between the exchange and the rename, the directory that the cleanup would remove is the old room.

    This is also tested with a signal that the kernel gives to another thread than the one that restores.
    """
    over = threading.Event()
    threading.Thread(target=over.wait, daemon=True).start()
    request.addfinalizer(over.set)
    assert operator("backup", tmp_path / "room.tar", "--data-dir", room).code == 0
    (room / "mark").write_text("the old room", "utf-8")
    (room / "mark").chmod(0o600)
    ended_after(monkeypatch, restore_module, "swap_directories", number)
    operator("restore", tmp_path / "room.tar", "--force", "--data-dir", room)
    [kept] = tmp_path.glob("data.before-restore-*")
    assert (kept / "mark").read_text("utf-8") == "the old room"
    assert (room / "chat.db").exists() and not (room / "mark").exists()
    assert names(tmp_path) == {"data", "room.tar", kept.name}


@pytest.mark.parametrize("number", SIGNALS)
def test_a_backup_that_is_ended_leaves_no_part(
    tmp_path: Path, room: Path, operator: Operator, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    ended_after(monkeypatch, backup_module, "_copy", number)
    assert operator("backup", tmp_path / "room.tar", "--data-dir", room).code == 128 + number
    assert names(tmp_path) == {"data"}
    assert not [name for name in files_under(room) if name.startswith("media/uploads/")]


def test_the_handlers_of_the_process_are_as_before(room: Path, operator: Operator) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    operator("list-members", "--data-dir", room)
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_doctor_names_what_a_killed_restore_left(tmp_path: Path, room: Path, operator: Operator) -> None:
    assert "restoring" not in operator("doctor", "--data-dir", room).out
    left = tmp_path / ".data.restoring-0a1b2c3d"
    shutil.copytree(room, left)
    shutil.copytree(room, tmp_path / ".other.restoring-0a1b2c3d")  # a directory of another room
    said = operator("doctor", "--data-dir", room).out
    assert f"rm -r {left}" in said and ".other" not in said
    shutil.rmtree(room)
    assert str(left) in operator("doctor", "--data-dir", room).out
