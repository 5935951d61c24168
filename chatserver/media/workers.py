"""The pool of image worker processes, with a queue in which members take turns, and limits for each job.

A job is limited by its cost: processor time and memory in the worker, pixels in the file. Wall time
depends on how busy the host is, so its limit is long and exceeding it gives the error `busy`.

A worker process starts when a job needs one and ends after an idle timeout. After a job without an
answer (too slow, crashed, cancelled) the worker is killed and not reused, because it might still send
the answer of that job.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from chatserver.core import tuning
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media.fair_queue import FairQueue, busy
from chatserver.media.protocol import LENGTH, READY, READY_UNCONFINED, AnswerHeader, Job, Rendered, frame, length

log = logging.getLogger(__name__)

# The timeout from the end of a worker's pipe until the exit of its process is known.
EXIT_SECONDS = 5.0
# The timeout of a worker's start. It takes 0.1 s of processor time, and much more wall time if all cores of the host
# are busy.
START_SECONDS = 60.0
# Added to the server's own niceness. With a higher value, a busy host would hardly run the workers.
NICENESS = 5
# Decoders leak memory and fragment it, so a worker is replaced after this many jobs.
JOBS_PER_WORKER = 200
# Processor time of one job. On a current core a photograph of 12 megapixels takes 0.3 s, and the costliest file
# that the limit on pixels accepts (noise, 25 megapixels) 1.5 s, so a host may be eight times as slow.
JOB_CPU_SECONDS = 12
# The timeout of one job in wall time, for a worker that hangs. If a worker gets a tenth of a core, 12 s of processor
# time take 120 s.
JOB_SECONDS = 120.0
# Each waiting job keeps an upload on disk. 32 are three albums; 128 are some 30 s of work for two cores.
WAITING_MAX = 128
WAITING_OF_ONE_MAX = 32

# The program of a worker. Imports create only objects that stay, and take an eighth less time without the garbage
# collector, which `run` turns on. `python -m` would import runpy first, which takes a twentieth of a start.
_PROGRAM = "import gc; gc.disable(); import chatserver.media.worker as worker; worker.run()"
# The directory that is put on PYTHONPATH so that a worker finds this package, in a checkout and in site-packages.
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


class ImageWorkers:
    """Decodes uploaded pictures in worker processes. An async context manager.

    At most `processes` jobs run, one for each owner. At most `queue_max` jobs wait, and at most `queue_of_one_max`
    of one owner; any further job raises DomainError: `busy`. A job is refused as too large after `job_cpu_seconds`
    of processor time, and as `busy` after `job_seconds` of wall time. An idle worker ends after `idle_seconds`.
    """

    def __init__(
        self,
        *,
        processes: int = 2,
        queue_max: int = WAITING_MAX,
        queue_of_one_max: int = WAITING_OF_ONE_MAX,
        job_cpu_seconds: int = JOB_CPU_SECONDS,
        job_seconds: float = JOB_SECONDS,
        idle_seconds: float = 30.0,
    ) -> None:
        # Counts jobs by result: `done`, or the error code.
        self.outcomes: Counter[str] = Counter()
        self._job_cpu_seconds = job_cpu_seconds
        self._job_seconds = job_seconds
        self._idle_seconds = idle_seconds
        self._queue = FairQueue(processes, queue_max, queue_of_one_max)
        self._idle: list[_Worker] = []
        self._alive: set[_Worker] = set()
        self._end_tasks: set[asyncio.Task[None]] = set()
        self._preparing: asyncio.Task[None] | None = None
        self._stopping = False
        self._has_warned = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def picture(self, source: Path, limit_bytes: int, owner: Hashable) -> Rendered:
        """Encode the file at `source` as WebP or AVIF of at most `limit_bytes`, with a thumbnail.

        One job of each `owner` (a member's id, a guest's address) runs at a time.
        Raises DomainError: `image_unsupported` (with a format as `reason`, if there is a message for it),
        `image_unreadable` (also when the worker crashed), `image_too_large` (also when the job took
        `job_cpu_seconds`, or the kernel killed the worker for lack of memory), `busy`.
        """
        return await self._rendered(Job(source, limit_bytes, self._job_cpu_seconds), owner)

    async def webp_copy(self, source: Path, limit_bytes: int, owner: Hashable) -> Rendered:
        """Encode the AVIF at `source`, which `picture` made, as WebP. Raises as `picture` does."""
        return await self._rendered(Job(source, limit_bytes, self._job_cpu_seconds, is_copy=True), owner)

    async def _rendered(self, job: Job, owner: Hashable) -> Rendered:
        header, parts = await self._run_counted(job, owner)
        if len(parts) != 2:
            raise DomainError(ErrorCode.IMAGE_UNREADABLE)
        return Rendered(parts[0], parts[1], header.width, header.height)

    async def avatar(self, source: Path, owner: Hashable) -> bytes:
        """Encode the file at `source` as a WebP of 256 × 256 px and at most 50 KiB. Raises as `picture` does."""
        _, parts = await self._run_counted(Job(source, None, self._job_cpu_seconds), owner)
        if len(parts) != 1:
            raise DomainError(ErrorCode.IMAGE_UNREADABLE)
        return parts[0]

    def prepare(self) -> None:
        """Start a worker if there is none, for a file that is still being received. Call it on the loop."""
        if not self._alive and not self._stopping and (self._preparing is None or self._preparing.done()):
            self._preparing = asyncio.create_task(self._prepare(), name="start of an image worker")

    def preparing(self, new_upload: Callable[[], Path]) -> Callable[[], Path]:
        """Wrap `new_upload`, which runs in a thread, so that a worker starts while the file is received.

        Call it on the loop.
        """
        loop = asyncio.get_running_loop()

        def prepared() -> Path:
            loop.call_soon_threadsafe(self.prepare)
            return new_upload()

        return prepared

    async def stop(self) -> None:
        """Kill every worker, with its job, and wait until all processes have ended."""
        if self._stopping:
            return
        self._stopping = True
        if self._preparing is not None:
            await asyncio.wait([self._preparing])
        self._idle.clear()
        for worker in list(self._alive):
            self._end(worker)
        await self._queue.close()
        while self._end_tasks:
            await asyncio.wait(self._end_tasks)

    async def _run_counted(self, job: Job, owner: Hashable) -> tuple[AnswerHeader, list[bytes]]:
        try:
            async with self._queue.turn(owner):
                header, parts = await self._run_on(await self._acquire_worker(), job)
            if header.code is not None:
                raise DomainError(header.code, **({"reason": header.format.value} if header.format else {}))
        except DomainError as error:
            self.outcomes[error.code.value] += 1
            raise
        self.outcomes["done"] += 1
        return header, parts

    async def _acquire_worker(self) -> _Worker:
        """An idle worker whose process still runs, or a new one."""
        if self._preparing is not None and not self._preparing.done():
            await asyncio.wait([self._preparing])
        self._raise_if_stopping()
        while self._idle:
            worker = self._idle.pop()
            worker.stop_idle_timer()
            if worker.is_running:
                return worker
            self._end(worker)
        return await self._start_worker()

    async def _prepare(self) -> None:
        with suppress(DomainError):  # the job starts its own worker, and raises the error then
            worker = await self._start_worker()
            worker.start_idle_timer(self._idle_seconds, self._end_idle)
            self._idle.append(worker)

    async def _start_worker(self) -> _Worker:
        """Start a worker process. Raises DomainError: `busy`."""
        try:
            worker = await _Worker.start()
        except (OSError, EOFError, ValueError) as error:
            log.error("starting an image worker failed: %r", error)
            raise busy() from error
        if not worker.is_confined and not self._has_warned:
            self._has_warned = True
            reason = "the platform does not support it" if tuning.ENABLED else f"{tuning.VARIABLE}=off"
            log.warning("image workers run without a seccomp filter: %s", reason)
        self._alive.add(worker)
        if self._stopping:
            self._end(worker)
            raise busy()
        return worker

    async def _run_on(self, worker: _Worker, job: Job) -> tuple[AnswerHeader, list[bytes]]:
        is_answered = False
        try:
            async with asyncio.timeout(self._job_seconds):
                answer = await worker.run(job)
            is_answered = True
            return answer
        except TimeoutError:
            log.warning("an image was refused as busy: its job was not done after %g s", self._job_seconds)
            raise busy() from None
        except (OSError, EOFError, ValueError) as error:
            self._raise_if_stopping()
            ended_by = await worker.exit_signal()
            if ended_by == signal.SIGXCPU:
                log.warning("an image was refused: its job took %d s of processor time", job.cpu_seconds)
                raise DomainError(ErrorCode.IMAGE_TOO_LARGE) from None
            if ended_by == signal.SIGKILL:
                log.warning("an image was refused: its worker process was killed, as the kernel does without memory")
                raise DomainError(ErrorCode.IMAGE_TOO_LARGE) from None
            log.warning("an image was refused: its worker process crashed")
            raise DomainError(ErrorCode.IMAGE_UNREADABLE) from error
        finally:
            if is_answered and worker.jobs < JOBS_PER_WORKER and not self._stopping:
                worker.start_idle_timer(self._idle_seconds, self._end_idle)
                self._idle.append(worker)
            else:
                self._end(worker)

    def _end_idle(self, worker: _Worker) -> None:
        self._idle.remove(worker)
        self._end(worker)

    def _raise_if_stopping(self) -> None:
        if self._stopping:
            raise busy()

    def _end(self, worker: _Worker) -> None:
        """Kill the process now; wait for its exit in a task that `stop` awaits."""
        self._alive.discard(worker)
        task = asyncio.create_task(worker.end(), name="end of an image worker")
        self._end_tasks.add(task)
        task.add_done_callback(self._end_tasks.discard)


class _Worker:
    """One worker process and its pipes."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._idle_timer: asyncio.TimerHandle | None = None
        self.jobs = 0
        self.is_confined = False

    @classmethod
    async def start(cls) -> Self:
        """Start a process and wait until it is ready. Raises OSError, EOFError, ValueError, TimeoutError."""
        process = await asyncio.create_subprocess_exec(
            # -P: do not import from the working directory. -B: do not write .pyc files. -S: do not look for site
            # packages, which takes a tenth of a start: the environment names the server's own import path.
            *(sys.executable, "-P", "-B", "-S", "-c", _PROGRAM),
            stdin=PIPE,
            stdout=PIPE,
            cwd="/",
            env=_environment(),
        )
        _lower_priority(process.pid)
        worker = cls(process)
        try:
            async with asyncio.timeout(START_SECONDS):
                greeting = await worker._receive()
                if greeting not in (READY, READY_UNCONFINED):
                    raise ValueError("the first frame of the worker is not its ready message")
                worker.is_confined = greeting == READY
        except BaseException:
            await worker.end()
            raise
        return worker

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None and not self._stdout.at_eof()

    async def run(self, job: Job) -> tuple[AnswerHeader, list[bytes]]:
        """Send a job; return the answer's header and its parts. Raises OSError, EOFError, ValueError."""
        self.jobs += 1
        self._stdin.write(frame(job.encode()))
        await self._stdin.drain()
        header = AnswerHeader.decode(await self._receive())
        return header, [await self._receive() for _ in range(header.parts)]

    def start_idle_timer(self, seconds: float, on_idle: Callable[[_Worker], None]) -> None:
        """Call `on_idle` with this worker after `seconds`, unless the timer is stopped before."""
        self._idle_timer = asyncio.get_running_loop().call_later(seconds, on_idle, self)

    def stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    async def end(self) -> None:
        """Kill the process and wait for its exit. SIGKILL at once: a worker has no state to save."""
        self.stop_idle_timer()
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        self._stdin.close()

    async def exit_signal(self) -> int:
        """The signal that ended a process whose pipe is closed; SIGKILL if the process still runs after EXIT_SECONDS.

        Waits for the exit before `kill`: `kill` reaps a process that has just ended, and asyncio then knows no exit
        status (255).
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_SECONDS):
                await self._process.wait()
        await self.end()
        return -(self._process.returncode or 0)

    async def _receive(self) -> bytes:
        prefix = await self._stdout.readexactly(LENGTH.size)
        return await self._stdout.readexactly(length(prefix))


def _lower_priority(pid: int) -> None:
    """Raise the process's nice value at once, because its start alone takes 0.1 s.

    On two cores two workers would otherwise take turns with the event loop, some milliseconds each.
    """
    with suppress(OSError):  # a sandbox may refuse it, and then the server is only slower; or the process has ended
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)


def _environment() -> dict[str, str]:
    """The worker's environment variables: the import path, the tuning switch and malloc settings. No secrets."""
    paths = [_PACKAGE_ROOT, *(os.path.abspath(path) for path in sys.path if path)]
    return {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "LANG": "C.UTF-8",
        tuning.VARIABLE: "on" if tuning.ENABLED else "off",
        # Each further malloc arena reserves 64 MB of the worker's limited address space (mallopt(3)).
        "MALLOC_ARENA_MAX": "1",
        # Keep the memory of a step for the next step: returning it and faulting it in again takes a tenth of a job.
        "MALLOC_TRIM_THRESHOLD_": str(64 * 1024 * 1024),
        "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
        # glibc 2.35 and newer ask the kernel for pages of 2 MB: each job begins with all its memory given back, and
        # faulting in some 80 MB by 4 KB takes a fifth of it. Other systems ignore the variable.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    }
