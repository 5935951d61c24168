"""The worker process that decodes uploaded files; `workers` starts it and calls `run`.

Reads jobs from standard input and writes answers to standard output (see `protocol`), one at a time,
until its input ends. If a file exploits a decoder bug, the file's code runs in this process, without
secrets, network or write access to files, and with limited memory. The server replaces the process if
it dies.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import time
from contextlib import suppress
from typing import BinaryIO

from chatserver.core import tuning
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import images
from chatserver.media.protocol import LENGTH, READY, READY_UNCONFINED, AnswerHeader, Job, frame, length
from chatserver.media.sandbox import confine

# The limit of the address space. The accepted file that needs most, a WebP of 25 megapixels with
# transparency, was measured at 889 MiB resident; a progressive JPEG of 64 megapixels at 440 MB.
MEMORY_BYTES = 1024 * 1024 * 1024
# The limit of processor time before the first job; each job sets its own limit.
START_CPU_SECONDS = 10
OPEN_FILES = 32


def run() -> None:
    """Process jobs until the input ends.

    The garbage collector was off during the imports, and never scans the objects that they created.
    """
    gc.freeze()
    gc.enable()
    with suppress(BrokenPipeError):  # the server process is gone; there is no reader for an error
        _work()


def _work() -> None:
    jobs, answers = _private_pipes()
    _set_limits()
    _send(answers, READY if tuning.ENABLED and confine() else READY_UNCONFINED)
    while (job := _receive(jobs)) is not None:
        decoded = Job.decode(job)
        _limit_cpu(decoded.cpu_seconds)
        for part in _answer(decoded):
            _send(answers, part)
        _give_memory_back()


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes for jobs and answers. Descriptor 1 becomes standard error, so that print() breaks no frame."""
    jobs = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return jobs, answers


def _set_limits() -> None:
    # Ctrl-C and a service manager's SIGTERM reach the whole process group, but only the server ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # When memory runs out, the kernel kills a worker and not the server, which holds every connection.
    with suppress(OSError):
        with open("/proc/self/oom_score_adj", "w") as adjustment:
            adjustment.write("1000")
    _lower_limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _lower_limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    _lower_limit(resource.RLIMIT_CORE, 0)
    # No regular file may be written; pipes are not limited.
    _lower_limit(resource.RLIMIT_FSIZE, 0)
    _limit_cpu(START_CPU_SECONDS)


def _lower_limit(resource_id: int, limit: int) -> None:
    """Set the soft and the hard limit to `limit`, or to the present hard limit if that is lower."""
    _, hard = resource.getrlimit(resource_id)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource_id, (limit, limit))


def _limit_cpu(seconds: int) -> None:
    """Let the kernel end this process with SIGXCPU after `seconds` more of processor time, at most 1 s later.

    RLIMIT_CPU counts whole seconds from the process's start, so each job raises the soft limit.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = int(time.process_time()) + 1 + seconds
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def _answer(job: Job) -> list[bytes]:
    """The frames of an answer. For an error only the code and the format's name are sent.

    The server does not trust this process.
    """
    try:
        if job.limit_bytes is None:
            return [AnswerHeader(parts=1).encode(), images.avatar(job.source)]
        render = images.webp_copy if job.is_copy else images.picture
        rendered = render(job.source, job.limit_bytes)
    except DomainError as error:
        return [AnswerHeader(code=error.code, format=error.details.get("reason")).encode()]
    except MemoryError:
        return [AnswerHeader(code=ErrorCode.IMAGE_TOO_LARGE).encode()]
    header = AnswerHeader(parts=2, width=rendered.width, height=rendered.height)
    return [header.encode(), rendered.image, rendered.thumb]


def _give_memory_back() -> None:
    """Return to the kernel the memory that malloc keeps during a job (`workers._environment`). Only with glibc."""
    with suppress(ImportError, MemoryError, OSError, AttributeError):
        import ctypes  # missing in some builds of Python

        ctypes.CDLL(None).malloc_trim(0)


def _receive(jobs: BinaryIO) -> bytes | None:
    """One frame, or None at the end of the input."""
    prefix = jobs.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    return jobs.read(length(prefix))


def _send(answers: BinaryIO, data: bytes) -> None:
    answers.write(frame(data))
    answers.flush()
