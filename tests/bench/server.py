"""The real server: `run.py serve` with its real database, in a directory of its own, on its core."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench import members
from tests.bench.bench import Bench
from tests.bench.machine import Cores
from tests.bench.members import Member
from tests.bench.processes import Process
from tests.bench.sockets import Target

# Only the settings that a benchmark from one address needs. All others are the defaults.
SETTINGS = {
    "CHAT_SEND_INTERVAL": "0",
    "CHAT_REGISTRATIONS_PER_HOUR": "0",
    "CHAT_BCRYPT_ROUNDS": "4",
    "CHAT_MAX_CONNECTIONS": "0",
    "CHAT_CONNECTIONS_PER_ADDRESS": "0",
}
STRACE = shutil.which("strace")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that accepts connections. `syncs` is strace's log, if it was requested."""

    pid: int
    target: Target
    data: Path
    log: Path
    syncs: Path | None

    def resident_kib(self) -> int:
        """The present resident memory of the process."""
        return self._status("VmRSS")

    def peak_kib(self) -> int:
        """The maximum of the resident memory since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def synced(self) -> int:
        """The number of syncs to disk since the start."""
        assert self.syncs is not None
        # `fdatasync(7 <unfinished ...>` counts; `<... fdatasync resumed>` is the end of the same call.
        return self.syncs.read_text().count("sync(")

    def _status(self, field: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise RuntimeError(f"no {field} of process {self.pid}")


@contextmanager
def serving(bench: Bench, *, count_syncs: bool = False, **settings: object) -> Iterator[Server]:
    """A server with the prepared members. `settings` are those of `CHAT_…` in lower case."""
    data = Path(tempfile.mkdtemp(prefix="data-", dir=bench.work))
    shutil.copytree(bench.data, data, dirs_exist_ok=True)
    try:
        with serving_in(data, bench.tree, bench.work, bench.cores, count_syncs=count_syncs, **settings) as server:
            yield server
    finally:
        shutil.rmtree(data, ignore_errors=True)


def prepare(tree: Path, work: Path, cores: Cores, data: Path, count: int) -> list[Member]:
    """Fill `data` with `count` members. Their sessions stay valid after the server that made them has ended."""
    with serving_in(data, tree, work, cores) as server:
        return members.register(server.target.host, server.target.port, count)


def target_of(process: Process) -> Target:
    """Wait until a server listens. Its WebSocket is open when `hello` has arrived."""
    words = process.read_line(30).split()
    if words[:2] != ["listening", "on"]:
        raise RuntimeError(f"the server printed {' '.join(words)!r}")
    address = urlsplit(words[2])
    return Target(address.hostname or "", address.port or 0, "/ws/chat/", b'"type":"hello"')


@contextmanager
def serving_in(
    data: Path, tree: Path, work: Path, cores: Cores, *, count_syncs: bool = False, **settings: object
) -> Iterator[Server]:
    """The server of `tree` over a data directory, which is not removed afterwards. Its log goes to `work`."""
    command = [sys.executable, "run.py", "serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", str(data)]
    syncs = work / "syncs.log" if count_syncs else None
    if syncs is not None:
        # With --seccomp-bpf only these two calls stop the server; without it every call would.
        tracing = ["-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(syncs)]
        command = [STRACE or "strace", *tracing, *command]
    environ = SETTINGS | {f"CHAT_{name.upper()}": str(value) for name, value in settings.items()}
    process = Process(command, cores.server, work / "server.log", environ, tree)
    pid = process.pid
    try:
        target = target_of(process)
        if count_syncs:
            pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        yield Server(pid, target, data, process.log, syncs)
    finally:
        process.end(pid)
