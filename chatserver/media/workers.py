"""The event loop's way to the image workers: at most a few processes, a bounded queue, a deadline.

A worker is started when a job needs one and ended when it has been idle. After a job that did not
end in an answer (too slow, killed, cancelled) its worker is killed, never reused: nobody knows what
it would say next.
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

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media.protocol import LENGTH, READY, READY_UNCONFINED, Head, Job, Rendered, frame, length

log = logging.getLogger(__name__)

START_SECONDS = 20.0
# Decoders leak and memory frays; a fresh process now and then costs a tenth of a second.
JOBS_PER_WORKER = 200
RETRY_AFTER_MS = 2000

# What `python -m` finds this package by, whether it lies in a checkout or in site-packages.
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


class ImageWorkers:
    """Reads uploaded pictures in processes of their own. An async context manager.

    `processes` work at once and `waiting` more jobs may wait; past that the answer is `busy`.
    A job may take `job_seconds` of wall time. An idle worker ends after `idle_seconds`.
    """

    def __init__(
        self, *, processes: int = 2, waiting: int = 32, job_seconds: float = 5.0, idle_seconds: float = 30.0
    ) -> None:
        # How jobs ended: `done`, or the code that they were refused with.
        self.outcomes: Counter[str] = Counter()
        self._processes = processes
        self._waiting = waiting
        self._job_seconds = job_seconds
        self._idle_seconds = idle_seconds
        self._jobs = 0
        self._slots = asyncio.Semaphore(processes)
        self._idle: list[_Worker] = []
        self._alive: set[_Worker] = set()
        self._endings: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._has_warned = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def picture(self, source: Path, limit_bytes: int) -> Rendered:
        """The file at `source` as a picture of at most `limit_bytes` and a thumbnail.

        Refuses `image_unsupported`, `image_unreadable` (also when the worker died of it),
        `image_too_large` (also when it takes too long), `busy`.
        """
        head, parts = await self._counted(Job(source, limit_bytes))
        if len(parts) != 2:
            raise DomainError(ErrorCode.IMAGE_UNREADABLE)
        return Rendered(parts[0], parts[1], head.width, head.height)

    async def avatar(self, source: Path) -> bytes:
        """The file at `source` as a square WebP of 256 px, at most 50 KB. Refuses as `picture` does."""
        _, parts = await self._counted(Job(source, None))
        if len(parts) != 1:
            raise DomainError(ErrorCode.IMAGE_UNREADABLE)
        return parts[0]

    async def stop(self) -> None:
        """End every worker, with whatever it is doing, and wait until none is left."""
        if self._stopping:
            return
        self._stopping = True
        self._idle.clear()
        for worker in list(self._alive):
            self._end(worker)
        # Once every slot is ours, no job is under way: those that wait, or start a worker, were refused.
        for _ in range(self._processes):
            await self._slots.acquire()
        while self._endings:
            await asyncio.wait(self._endings)

    async def _counted(self, job: Job) -> tuple[Head, list[bytes]]:
        try:
            done = await self._do(job)
        except DomainError as refusal:
            self.outcomes[refusal.code.value] += 1
            raise
        self.outcomes["done"] += 1
        return done

    async def _do(self, job: Job) -> tuple[Head, list[bytes]]:
        if self._jobs >= self._processes + self._waiting:
            raise _busy()
        self._refuse_when_stopping()
        self._jobs += 1
        try:
            async with self._slots:
                worker = await self._take()
                head, parts = await self._ask(worker, job)
        finally:
            self._jobs -= 1
        if head.code is not None:
            raise DomainError(head.code)
        return head, parts

    async def _take(self) -> _Worker:
        """An idle worker that is still alive, or a new one."""
        self._refuse_when_stopping()
        while self._idle:
            worker = self._idle.pop()
            worker.wake()
            if worker.is_running:
                return worker
            self._end(worker)
        try:
            worker = await _Worker.start()
        except (OSError, EOFError, ValueError) as error:
            log.error("image worker failed to start: %r", error)
            raise _busy() from error
        if not worker.is_confined and not self._has_warned:
            self._has_warned = True
            log.warning("image workers run without a seccomp filter: this host does not support it")
        self._alive.add(worker)
        if self._stopping:
            self._end(worker)
            raise _busy()
        return worker

    async def _ask(self, worker: _Worker, job: Job) -> tuple[Head, list[bytes]]:
        answered = False
        try:
            async with asyncio.timeout(self._job_seconds):
                answer = await worker.ask(job)
            answered = True
            return answer
        except TimeoutError:
            log.warning("image refused: processing took longer than %g s", self._job_seconds)
            raise DomainError(ErrorCode.IMAGE_TOO_LARGE) from None
        except (OSError, EOFError, ValueError) as error:
            self._refuse_when_stopping()
            log.warning("image refused: the worker process died while processing it")
            raise DomainError(ErrorCode.IMAGE_UNREADABLE) from error
        finally:
            if answered and worker.jobs < JOBS_PER_WORKER and not self._stopping:
                worker.rest(self._idle_seconds, self._retire)
                self._idle.append(worker)
            else:
                self._end(worker)

    def _retire(self, worker: _Worker) -> None:
        self._idle.remove(worker)
        self._end(worker)

    def _refuse_when_stopping(self) -> None:
        if self._stopping:
            raise _busy()

    def _end(self, worker: _Worker) -> None:
        """Kill it now; reap it in a task that `stop` waits for."""
        self._alive.discard(worker)
        ending = asyncio.create_task(worker.end(), name="end of an image worker")
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


def _busy() -> DomainError:
    return DomainError(ErrorCode.BUSY, retry_after_ms=RETRY_AFTER_MS)


class _Worker:
    """One process and its pipes."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._retirement: asyncio.TimerHandle | None = None
        self.jobs = 0
        self.is_confined = False

    @classmethod
    async def start(cls) -> Self:
        """Start one and wait until it is ready. Raises OSError, EOFError, ValueError or TimeoutError."""
        process = await asyncio.create_subprocess_exec(
            # -P: nothing is imported from the working directory. -B: nothing is written.
            *(sys.executable, "-P", "-B", "-m", "chatserver.media.worker"),
            stdin=PIPE,
            stdout=PIPE,
            cwd="/",
            env=_environment(),
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(START_SECONDS):
                said = await worker._receive()
                if said not in (READY, READY_UNCONFINED):
                    raise ValueError("unexpected first answer from an image worker")
                worker.is_confined = said == READY
        except BaseException:
            await worker.end()
            raise
        return worker

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None and not self._stdout.at_eof()

    async def ask(self, job: Job) -> tuple[Head, list[bytes]]:
        """The answer's head and its parts. Raises OSError, EOFError or ValueError if there is none."""
        self.jobs += 1
        self._stdin.write(frame(job.encode()))
        await self._stdin.drain()
        head = Head.decode(await self._receive())
        return head, [await self._receive() for _ in range(head.parts)]

    def rest(self, seconds: float, then: Callable[[_Worker], None]) -> None:
        """Call `then` with this worker, unless it is woken within `seconds`."""
        self._retirement = asyncio.get_running_loop().call_later(seconds, then, self)

    def wake(self) -> None:
        if self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None

    async def end(self) -> None:
        """Kill the process and reap it. It has nothing to save, so nothing is asked of it first."""
        self.wake()
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        self._stdin.close()

    async def _receive(self) -> bytes:
        prefix = await self._stdout.readexactly(LENGTH.size)
        return await self._stdout.readexactly(length(prefix))


def _environment() -> dict[str, str]:
    """No secret of ours, only what Python needs to find the same packages as this process does."""
    paths = [_PACKAGE_ROOT, *(os.path.abspath(path) for path in sys.path if path)]
    return {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "LANG": "C.UTF-8",
        # Every further arena reserves 64 MB of the addresses that the worker limits itself to.
        "MALLOC_ARENA_MAX": "1",
    }
