"""The machine: which core runs which process, the number of descriptors, and the line about the machine to print."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import aiohttp

# The share of the machine above which the use by other processes is reported as a disturbance.
QUIET = 0.05


@dataclass(frozen=True, slots=True)
class Cores:
    """The server and every floor run on `server`, and the load runs on `load`."""

    server: int
    load: int

    @classmethod
    def choose(cls) -> Cores:
        available = sorted(os.sched_getaffinity(0))
        return cls(available[0], available[-1])

    @property
    def are_shared(self) -> bool:
        return self.server == self.load


def pin(core: int) -> None:
    """Keep this process and its child processes on one core."""
    os.sched_setaffinity(0, {core})


def raise_descriptors() -> int:
    """Raise the limit on descriptors as far as possible. Returns the new limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def describe(cores: Cores) -> str:
    """One line about the machine, which readers of the table can compare with their own machine."""
    split = "server and load share a core" if cores.are_shared else "the server pinned to one, the load to another"
    return (
        f"{_processor()}, {os.cpu_count()} cores ({split}), Linux {platform.release().split('-')[0]},"
        f" Python {platform.python_version()}, aiohttp {aiohttp.__version__}, SQLite {sqlite3.sqlite_version},"
        f" load average at the start {os.getloadavg()[0]:.1f}"
    )


class Others:
    """Measures the share of the machine that other processes use. Above a few per cent, the figures mean little."""

    def __init__(self) -> None:
        self._busy, self._all, self._ours = *_jiffies(), _our_seconds()

    def share(self) -> float:
        """The share since the start, from 0 to 1, of all cores. A child process counts as ours only after it has
        ended."""
        busy, total = _jiffies()
        tick = os.sysconf("SC_CLK_TCK")
        elapsed = (total - self._all) / tick
        theirs = (busy - self._busy) / tick - (_our_seconds() - self._ours)
        return max(0.0, theirs / elapsed) if elapsed else 0.0


def _jiffies() -> tuple[int, int]:
    """The busy time and the whole time of all cores (proc_stat(5)). Time stolen by a hypervisor counts as busy."""
    user, nice, system, idle, iowait, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    busy = user + nice + system + irq + softirq + steal
    return busy, busy + idle + iowait


def _our_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
