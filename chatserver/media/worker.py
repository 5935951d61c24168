"""The process in which strangers' files are decoded: `python -m chatserver.media.worker`.

It reads jobs from standard input and answers on standard output (see `protocol`), one at a time,
until its input ends. A decoder with a hole in it finds here no secret, no network, no file that it may
change and little memory; what it breaks is this process, which is replaced.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from typing import BinaryIO

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import images
from chatserver.media.protocol import LENGTH, READY, READY_UNCONFINED, Head, Job, frame, length
from chatserver.media.sandbox import confine

# The hungriest file of those that are let in, a WebP of 25 megapixels with transparency, was measured
# at 634 MB of addresses; a progressive JPEG of 64 megapixels at 440 MB.
MEMORY_BYTES = 1024 * 1024 * 1024
# Of processor time for one job. The server's limit on wall time mostly strikes first; this one
# also ends a worker whose server is gone.
JOB_CPU_SECONDS = 10
OPEN_FILES = 32
NICENESS = 5


def main() -> None:
    jobs, answers = _private_pipes()
    _limit_ourselves()
    _send(answers, READY if confine() else READY_UNCONFINED)
    while (job := _receive(jobs)) is not None:
        _refresh_cpu_limit()
        for part in _answer(Job.decode(job)):
            _send(answers, part)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our two ends. Descriptor 1 becomes standard error, so that a library's print breaks no frame."""
    jobs = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs, answers


def _limit_ourselves() -> None:
    # Ctrl-C and a service manager's SIGTERM reach the whole group; the server decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICENESS)
    _lower(resource.RLIMIT_AS, MEMORY_BYTES)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    _lower(resource.RLIMIT_CORE, 0)
    # Nothing may be written but the pipes.
    _lower(resource.RLIMIT_FSIZE, 0)
    _refresh_cpu_limit()


def _lower(what: int, limit: int) -> None:
    """Set the soft and the hard limit, unless the hard one is lower already."""
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(what, (limit, limit))


def _refresh_cpu_limit() -> None:
    """RLIMIT_CPU counts from the process's start, so each job moves the soft limit on."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = int(time.process_time()) + 1 + JOB_CPU_SECONDS
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def _answer(job: Job) -> list[bytes]:
    """The frames of an answer. Of an error only its code leaves this process."""
    try:
        if job.limit_bytes is None:
            return [Head(parts=1).encode(), images.avatar(job.source)]
        made = images.picture(job.source, job.limit_bytes)
    except DomainError as refusal:
        return [Head(code=refusal.code).encode()]
    except MemoryError:
        return [Head(code=ErrorCode.IMAGE_TOO_LARGE).encode()]
    head = Head(parts=2, width=made.width, height=made.height)
    return [head.encode(), made.image, made.thumb]


def _receive(jobs: BinaryIO) -> bytes | None:
    """One frame, or None at the end of the input."""
    prefix = jobs.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    return jobs.read(length(prefix))


def _send(answers: BinaryIO, data: bytes) -> None:
    answers.write(frame(data))
    answers.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        # The server is gone, and nobody is left to be told.
        sys.exit(0)
