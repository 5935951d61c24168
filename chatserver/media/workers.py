"""The pool of image worker processes: a few processes, a bounded queue, a time limit for each job.

A worker process starts when a job needs one and ends after it was idle for some time. After a job
without an answer (too slow, crashed, cancelled) its worker is killed and not reused, because it might
still send the answer of that job.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from chatserver.core import tuning
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media.protocol import LENGTH, READY, READY_UNCONFINED, AnswerHeader, Job, Rendered, frame, length

log = logging.getLogger(__name__)

START_SECONDS = 20.0
# Decoders leak memory and fragment it, so a worker is replaced after this many jobs; a start takes 0.1 s.
JOBS_PER_WORKER = 200
RETRY_AFTER_MS = 2000

# The directory on PYTHONPATH by which `python -m` finds this package, in a checkout and in site-packages.
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


class ImageWorkers:
    """Decodes uploaded pictures in worker processes. An async context manager.

    At most `processes` jobs run and `queue_max` jobs wait; another job raises DomainError: `busy`.
    A job is stopped after `job_seconds` of wall time. An idle worker ends after `idle_seconds`.
    """

    def __init__(
        self, *, processes: int = 2, queue_max: int = 32, job_seconds: float = 5.0, idle_seconds: float = 30.0
    ) -> None:
        # Counts jobs by result: `done`, or the error code.
        self.outcomes: Counter[str] = Counter()
        self._processes = processes
        self._queue_max = queue_max
        self._job_seconds = job_seconds
        self._idle_seconds = idle_seconds
        self._jobs = 0
        self._slots = asyncio.Semaphore(processes)
        self._idle: list[_Worker] = []
        self._alive: set[_Worker] = set()
        self._end_tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._has_warned = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def picture(self, source: Path, limit_bytes: int) -> Rendered:
        """Encode the file at `source` as WebP of at most `limit_bytes`, with a thumbnail.

        Raises DomainError: `image_unsupported`, `image_unreadable` (also when the worker crashed),
        `image_too_large` (also when the job took longer than `job_seconds`), `busy`.
        """
        header, parts = await self._run_counted(Job(source, limit_bytes))
        if len(parts) != 2:
            raise DomainError(ErrorCode.IMAGE_UNREADABLE)
        return Rendered(parts[0], parts[1], header.width, header.height)

    async def avatar(self, source: Path) -> bytes:
        """Encode the file at `source` as a WebP of 256 × 256 px and at most 50 KiB. Raises as `picture` does."""
        _, parts = await self._run_counted(Job(source, None))
        if len(parts) != 1:
            raise DomainError(ErrorCode.IMAGE_UNREADABLE)
        return parts[0]

    async def stop(self) -> None:
        """Kill every worker, with its job, and wait until all processes have ended."""
        if self._stopping:
            return
        self._stopping = True
        self._idle.clear()
        for worker in list(self._alive):
            self._end(worker)
        # With every slot acquired, no job runs: jobs that waited or started a worker were refused.
        for _ in range(self._processes):
            await self._slots.acquire()
        while self._end_tasks:
            await asyncio.wait(self._end_tasks)

    async def _run_counted(self, job: Job) -> tuple[AnswerHeader, list[bytes]]:
        try:
            answer = await self._run(job)
        except DomainError as error:
            self.outcomes[error.code.value] += 1
            raise
        self.outcomes["done"] += 1
        return answer

    async def _run(self, job: Job) -> tuple[AnswerHeader, list[bytes]]:
        if self._jobs >= self._processes + self._queue_max:
            raise _busy()
        self._raise_if_stopping()
        self._jobs += 1
        try:
            async with self._slots:
                worker = await self._acquire_worker()
                header, parts = await self._run_on(worker, job)
        finally:
            self._jobs -= 1
        if header.code is not None:
            raise DomainError(header.code)
        return header, parts

    async def _acquire_worker(self) -> _Worker:
        """An idle worker whose process still runs, or a new one."""
        self._raise_if_stopping()
        while self._idle:
            worker = self._idle.pop()
            worker.stop_idle_timer()
            if worker.is_running:
                return worker
            self._end(worker)
        try:
            worker = await _Worker.start()
        except (OSError, EOFError, ValueError) as error:
            log.error("starting an image worker failed: %r", error)
            raise _busy() from error
        if not worker.is_confined and not self._has_warned:
            self._has_warned = True
            reason = "the platform does not support it" if tuning.IS_ON else f"{tuning.VARIABLE}=off"
            log.warning("image workers run without a seccomp filter: %s", reason)
        self._alive.add(worker)
        if self._stopping:
            self._end(worker)
            raise _busy()
        return worker

    async def _run_on(self, worker: _Worker, job: Job) -> tuple[AnswerHeader, list[bytes]]:
        is_answered = False
        try:
            async with asyncio.timeout(self._job_seconds):
                answer = await worker.run(job)
            is_answered = True
            return answer
        except TimeoutError:
            log.warning("an image was refused: its job took longer than %g s", self._job_seconds)
            raise DomainError(ErrorCode.IMAGE_TOO_LARGE) from None
        except (OSError, EOFError, ValueError) as error:
            self._raise_if_stopping()
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
            raise _busy()

    def _end(self, worker: _Worker) -> None:
        """Kill the process now; wait for its exit in a task that `stop` awaits."""
        self._alive.discard(worker)
        task = asyncio.create_task(worker.end(), name="end of an image worker")
        self._end_tasks.add(task)
        task.add_done_callback(self._end_tasks.discard)


def _busy() -> DomainError:
    return DomainError(ErrorCode.BUSY, retry_after_ms=RETRY_AFTER_MS)


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
            # -P: do not import from the working directory. -B: do not write .pyc files.
            *(sys.executable, "-P", "-B", "-m", "chatserver.media.worker"),
            stdin=PIPE,
            stdout=PIPE,
            cwd="/",
            env=_environment(),
        )
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

    async def _receive(self) -> bytes:
        prefix = await self._stdout.readexactly(LENGTH.size)
        return await self._stdout.readexactly(length(prefix))


def _environment() -> dict[str, str]:
    """The worker's environment: what Python needs to find the same packages, and the tuning switch. No secrets."""
    paths = [_PACKAGE_ROOT, *(os.path.abspath(path) for path in sys.path if path)]
    return {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "LANG": "C.UTF-8",
        tuning.VARIABLE: "on" if tuning.IS_ON else "off",
        # Each further malloc arena reserves 64 MB of the worker's limited address space (mallopt(3)).
        "MALLOC_ARENA_MAX": "1",
    }
