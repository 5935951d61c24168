"""Starts a process on a given core, reads its lines, and ends it."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.results import Work

REPOSITORY = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 120.0
END_SECONDS = 10.0


class Meter:
    """Measures the time that a process uses from now on: wall time, and processor time."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._core = core_seconds(pid)
        self._started = time.perf_counter()

    def read(self, count: int) -> Work:
        return Work(count, time.perf_counter() - self._started, core_seconds(self._pid) - self._core)


def core_seconds(pid: int) -> float:
    """User and system time of a process and all its threads, in steps of nanoseconds.

    The number of the clock is computed as clock_getcpuclockid(3) does, which Python does not have: the field 2 is the
    scheduler's clock of a process. /proc/PID/stat counts in steps of 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


class Process:
    """A child process that answers by lines on its standard output. A context manager, which also ends the process.

    `tree` is its working directory, and the first directory in which it looks for `chatserver`.
    """

    def __init__(
        self,
        command: Sequence[str],
        core: int,
        log: Path,
        environ: Mapping[str, str] | None = None,
        tree: Path = REPOSITORY,
    ) -> None:
        self.log = log
        with log.open("ab") as errors:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=tree,
                env={**os.environ, "PYTHONPATH": str(tree), **(environ or {})},
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            )
        assert self._popen.stdout is not None
        os.set_blocking(self._popen.stdout.fileno(), False)
        self._unread = b""

    @property
    def pid(self) -> int:
        return self._popen.pid

    def write_line(self, line: str) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(line.encode() + b"\n")
        self._popen.stdin.flush()

    def read_line(self, seconds: float = ANSWER_SECONDS) -> str:
        """The next line. Raises RuntimeError, with the end of the child's log, if no line comes."""
        assert self._popen.stdout is not None
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._popen.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise RuntimeError(f"no word from {self._popen.args!r} in {seconds:g} s\n{self.log_tail()}")
                piece = self._popen.stdout.read()
                if not piece:
                    raise RuntimeError(f"{self._popen.args!r} ended\n{self.log_tail()}")
                self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def ask(self, line: str) -> str:
        self.write_line(line)
        return self.read_line()

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def end(self, target: int | None = None) -> None:
        """Send SIGTERM to the child (or to `target`, which it wraps), and SIGKILL if it does not end."""
        if self._popen.poll() is None:
            os.kill(target or self.pid, signal.SIGTERM)
            try:
                self._popen.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                os.kill(target or self.pid, signal.SIGKILL)
                self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
