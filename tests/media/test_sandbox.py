"""The acts of a worker that an attacker controls: the kernel refuses each. Each test uses a new process, because the
filter cannot be removed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BEGIN = """
import ctypes, errno, os, resource, socket, sys, threading
from chatserver.media.sandbox import confine
libc = ctypes.CDLL(None, use_errno=True)
kept = os.open(sys.argv[1], os.O_RDWR)
confine() or sys.exit(77)
"""
REFUSED = {
    "a socket": "socket.socket()",
    "a socket of another family": "socket.socket(socket.AF_UNIX)",
    "a pair of sockets": "socket.socketpair()",
    "another program": "os.execv('/bin/true', ['true'])",
    "another program, run by a child": "os.posix_spawn('/bin/true', ['true'], {})",
    "the server's life": "os.kill(os.getppid(), 0)",
    "the server's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)",
    "a file written": "open(sys.argv[1], 'w')",
    "a file added to": "open(sys.argv[1], 'a')",
    "a file opened to be changed": "os.open(sys.argv[1], os.O_RDWR)",
    "a new file": "os.open(sys.argv[1] + '.new', os.O_CREAT | os.O_RDONLY)",
    "a file emptied": "os.truncate(sys.argv[1], 0)",
    "an open file emptied": "os.ftruncate(kept, 0)",
    "a file removed": "os.unlink(sys.argv[1])",
    "a file renamed": "os.rename(sys.argv[1], sys.argv[1] + '.new')",
    "a file linked": "os.link(sys.argv[1], sys.argv[1] + '.new')",
    "a file shown to all": "os.chmod(sys.argv[1], 0o777)",
    "a directory": "os.mkdir(sys.argv[1] + '.d')",
}


def confined(code: str, file: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code, str(file)], cwd=ROOT, text=True, capture_output=True, timeout=60
    )
    if done.returncode == 77:
        pytest.skip("this machine has no seccomp filters")
    return done


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chat.db"
    path.write_bytes(b"everything")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("act", REFUSED.values(), ids=REFUSED.keys())
def test_a_worker_that_was_taken_over_gets_nowhere(act: str, file: Path) -> None:
    done = confined(f"try:\n    {act}\nexcept PermissionError:\n    print('refused')\n", file)
    assert done.stdout == "refused\n", done
    assert file.read_bytes() == b"everything" and file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_thread_of_it_gets_no_further(file: Path) -> None:
    done = confined(
        "def attack():\n    try:\n        socket.socket()\n    except PermissionError:\n        print('refused')\n"
        "thread = threading.Thread(target=attack); thread.start(); thread.join()",
        file,
    )
    assert done.stdout == "refused\n", done


def test_the_ring_is_no_way_round(file: Path) -> None:
    done = confined("print(libc.syscall(425, 8, ctypes.create_string_buffer(256)), ctypes.get_errno())", file)
    assert done.stdout == "-1 1\n", done


def test_nobody_takes_the_filter_off(file: Path) -> None:
    done = confined("print(libc.prctl(22, 0, 0, 0, 0) != 0, confine())\nsocket.socket()", file)
    assert done.stdout == "True True\n" and "PermissionError" in done.stderr


def test_it_may_read_and_answer_and_keep_its_own_limits(file: Path) -> None:
    done = confined(
        "assert open(sys.argv[1]).read() == 'everything'\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nprint('done')",
        file,
    )
    assert done.stdout == "done\n", done
