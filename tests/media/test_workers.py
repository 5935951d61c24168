"""The worker processes: limited, replaced, bounded, and never in the event loop's process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from chatserver.core import tuning
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import worker
from chatserver.media.protocol import AnswerHeader
from chatserver.media.workers import JOB_CPU_SECONDS, NICENESS, ImageWorkers, _environment
from tests.client import PATIENCE
from tests.media import samples
from tests.support import eventually

LIMIT = 200 * samples.KIB
MEMBER = 7


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return samples.save(samples.photo(200, 150), tmp_path / "small", "JPEG")


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that takes most of a second: large, without flat areas or repetitions."""
    path = tmp_path_factory.mktemp("slow") / "file"
    path.write_bytes(samples.noise_png(4500, 4500))
    return path


def children() -> set[int]:
    """The child processes of this process that are not reaped."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # this thread has ended meanwhile
            found.update(map(int, (task / "children").read_text().split()))
    return found


def a_child_beyond(known: set[int]) -> int:
    """The process id of the worker that was started after `known` was read."""
    (pid,) = children() - known
    return pid


def oom_score_adjustment(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def code_of(job: asyncio.Future[object]) -> ErrorCode:
    with pytest.raises(DomainError) as refused:
        await job
    return refused.value.code


async def test_a_picture_and_an_avatar_come_back_over_the_pipe(small: Path) -> None:
    async with ImageWorkers() as workers:
        rendered = await workers.picture(small, LIMIT, MEMBER)
        avatar = await workers.avatar(small, MEMBER)
    assert (rendered.width, rendered.height) == samples.opened(rendered.image).size == (200, 150)
    assert samples.opened(avatar).size == (256, 256)


async def test_a_refusal_crosses_the_border_as_its_code_alone(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no picture")
    async with ImageWorkers() as workers:
        with pytest.raises(DomainError) as refused:
            await workers.picture(tmp_path / "text", LIMIT, MEMBER)
    assert refused.value.code is ErrorCode.IMAGE_UNSUPPORTED
    assert refused.value.details == {}


async def test_a_file_that_vanished_is_unreadable_and_the_worker_goes_on(small: Path) -> None:
    async with ImageWorkers(processes=1) as workers:
        with pytest.raises(DomainError, match="image_unreadable"):
            await workers.picture(small.with_name("nowhere"), LIMIT, MEMBER)
        before = children()
        await workers.picture(small, LIMIT, MEMBER)
        assert children() == before


async def test_a_name_of_any_bytes_reaches_the_worker(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe \n photo"))
    samples.save(samples.corners(), path, "PNG")
    async with ImageWorkers() as workers:
        assert (await workers.picture(path, LIMIT, MEMBER)).width == 60


async def test_a_relative_path_means_the_servers_directory(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.parent)
    async with ImageWorkers() as workers:
        assert (await workers.picture(Path(small.name), LIMIT, MEMBER)).width == 200


async def test_at_most_two_work_at_once_and_the_rest_wait(small: Path) -> None:
    known = children()
    async with ImageWorkers(processes=2) as workers:
        jobs = [asyncio.create_task(workers.picture(small, LIMIT, member)) for member in range(12)]
        most = 0
        while not all(job.done() for job in jobs):
            most = max(most, len(children() - known))
            await asyncio.sleep(0.005)
        assert all(job.result().width == 200 for job in jobs)
    assert most == 2


async def test_a_worker_that_is_prepared_does_the_job_that_comes(small: Path) -> None:
    known = children()
    async with ImageWorkers(processes=2) as workers:
        workers.prepare()
        workers.prepare()
        assert (await workers.picture(small, LIMIT, MEMBER)).width == 200
        prepared = a_child_beyond(known)
        workers.prepare()
        await workers.picture(small, LIMIT, MEMBER)
        assert a_child_beyond(known) == prepared


async def test_a_prepared_worker_without_a_job_ends(small: Path) -> None:
    known = children()
    async with ImageWorkers(idle_seconds=0.05) as workers:
        workers.prepare()
        await eventually(lambda: workers._preparing is not None and workers._preparing.done())
        await eventually(lambda: not children() - known)


async def test_a_worker_that_is_being_prepared_is_ended_with_the_rest() -> None:
    known = children()
    async with ImageWorkers() as workers:
        workers.prepare()
    assert children() == known


async def test_past_the_queues_end_the_answer_is_busy(small: Path) -> None:
    async with ImageWorkers(processes=1, queue_max=2) as workers:
        jobs = [asyncio.create_task(workers.picture(small, LIMIT, MEMBER)) for _ in range(5)]
        results = await asyncio.gather(*jobs, return_exceptions=True)
    refused = [result for result in results if isinstance(result, DomainError)]
    assert [refusal.code for refusal in refused] == [ErrorCode.BUSY, ErrorCode.BUSY]
    assert all(refusal.details["retry_after_ms"] > 0 for refusal in refused)


async def test_a_job_past_its_processor_time_is_too_large_and_its_worker_is_replaced(slow: Path, small: Path) -> None:
    async with ImageWorkers(processes=1, job_cpu_seconds=0) as workers:
        assert await code_of(asyncio.ensure_future(workers.picture(slow, LIMIT, MEMBER))) is ErrorCode.IMAGE_TOO_LARGE
        assert (await workers.picture(small, LIMIT, MEMBER)).width == 200


async def test_a_job_that_waits_for_the_host_is_not_refused_for_it(small: Path) -> None:
    """A worker that gets no processor for a long wall time, but has processor time left, refuses nothing."""
    known = children()
    async with ImageWorkers(processes=1, job_cpu_seconds=1) as workers:
        await workers.picture(small, LIMIT, MEMBER)
        pid = a_child_beyond(known)
        os.kill(pid, signal.SIGSTOP)
        job = asyncio.ensure_future(workers.picture(small, LIMIT, MEMBER))
        await asyncio.wait([job], timeout=3)
        assert not job.done()
        os.kill(pid, signal.SIGCONT)
        assert (await job).width == 200


async def test_a_worker_that_waits_for_ever_is_busy_and_replaced(small: Path) -> None:
    known = children()
    async with ImageWorkers(processes=1, job_seconds=0.3) as workers:
        workers._job_seconds = PATIENCE  # the first job also waits for the worker's start
        await workers.picture(small, LIMIT, MEMBER)
        workers._job_seconds = 0.3
        os.kill(a_child_beyond(known), signal.SIGSTOP)
        with pytest.raises(DomainError, match="busy") as refused:
            await workers.picture(small, LIMIT, MEMBER)
        assert refused.value.details["retry_after_ms"] > 0
        workers._job_seconds = PATIENCE
        assert (await workers.picture(small, LIMIT, MEMBER)).width == 200


async def test_a_worker_killed_for_lack_of_memory_refuses_its_picture_and_is_replaced(small: Path) -> None:
    known = children()
    async with ImageWorkers(processes=1) as workers:
        await workers.picture(small, LIMIT, MEMBER)
        pid = a_child_beyond(known)
        os.kill(pid, signal.SIGSTOP)  # so that the job runs until the end
        job = asyncio.ensure_future(workers.picture(small, LIMIT, MEMBER))
        await eventually(lambda: next(iter(workers._alive)).jobs == 2)
        os.kill(pid, signal.SIGKILL)
        assert await code_of(job) is ErrorCode.IMAGE_TOO_LARGE
        assert (await workers.picture(small, LIMIT, MEMBER)).width == 200


async def test_a_worker_killed_while_idle_costs_nobody_a_picture(small: Path) -> None:
    known = children()
    async with ImageWorkers(processes=1) as workers:
        await workers.picture(small, LIMIT, MEMBER)
        os.kill(a_child_beyond(known), signal.SIGKILL)
        await eventually(lambda: not next(iter(workers._alive)).is_running)
        assert (await workers.picture(small, LIMIT, MEMBER)).width == 200


async def test_a_cancelled_caller_leaves_no_worker_busy_and_no_answer_behind(slow: Path, small: Path) -> None:
    async with ImageWorkers(processes=1, queue_max=0) as workers:
        for pause in (0, 0.05, 0.4):
            job = asyncio.create_task(workers.picture(slow, LIMIT, MEMBER))
            await asyncio.sleep(pause)
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
        assert (await workers.picture(small, LIMIT, MEMBER)).width == 200


async def test_an_idle_worker_ends(small: Path) -> None:
    known = children()
    async with ImageWorkers(idle_seconds=0.2) as workers:
        await workers.picture(small, LIMIT, MEMBER)
        assert children() - known
        await eventually(lambda: not children() - known)
        assert (await workers.picture(small, LIMIT, MEMBER)).width == 200


async def test_stopping_ends_every_worker_and_refuses_what_was_under_way(slow: Path) -> None:
    known = children()
    workers = ImageWorkers(processes=2)
    jobs = [asyncio.ensure_future(workers.picture(slow, LIMIT, MEMBER)) for _ in range(5)]
    await asyncio.sleep(0.4)
    await workers.stop()
    assert not children() - known
    assert [await code_of(job) for job in jobs] == [ErrorCode.BUSY] * 5
    assert await code_of(asyncio.ensure_future(workers.picture(slow, LIMIT, MEMBER))) is ErrorCode.BUSY


async def test_the_worker_has_its_limits_and_none_of_our_secrets(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_TEST_SECRET", "hunter2")
    known = children()
    async with ImageWorkers(processes=1) as workers:
        await workers.picture(small, LIMIT, MEMBER)
        pid = a_child_beyond(known)
        assert b"hunter2" not in environment(pid)
        assert resource.prlimit(pid, resource.RLIMIT_AS)[1] == worker.MEMORY_BYTES
        assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
        assert resource.prlimit(pid, resource.RLIMIT_FSIZE) == (0, 0)
        assert resource.prlimit(pid, resource.RLIMIT_NOFILE)[1] <= worker.OPEN_FILES
        assert 0 < resource.prlimit(pid, resource.RLIMIT_CPU)[0] <= JOB_CPU_SECONDS + 5
        assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
        assert oom_score_adjustment(pid) == 1000
        assert len(os.listdir(f"/proc/{pid}/fd")) <= 6, "no file of ours is open there"


async def test_a_worker_is_nice_while_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The imports are work too: the package that the worker imports first never ends here."""
    (tmp_path / "chatserver").mkdir()
    (tmp_path / "chatserver/__init__.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr("chatserver.media.workers._PACKAGE_ROOT", str(tmp_path))
    known = children()
    async with ImageWorkers(processes=1) as workers:
        workers.prepare()
        pid = await eventually(lambda: max(children() - known, default=0))
        await eventually(lambda: os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
        os.kill(pid, signal.SIGKILL)


def test_a_worker_imports_what_its_first_photograph_needs_alone() -> None:
    """A start is mostly imports, and the first upload after an idle minute waits for them."""
    needless = ("dataclasses", "inspect", "pathlib", "runpy", "site", "PIL.ImageCms", "PIL.ImageOps", "pi_heif")
    ours = ("chatserver.media.animation_decoder", "chatserver.media.animation_encoder", "chatserver.media.repair.png")
    # Pillow needs `logging`, which since Python 3.14 brings some of them itself.
    program = (
        "import logging, sys; known = {*sys.modules}; import chatserver.media.worker; "
        f"print([n for n in {needless + ours} if n in {{*sys.modules}} - known])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], env=_environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc gives back what it likes")
async def test_a_worker_gives_the_memory_of_a_job_back(tmp_path: Path) -> None:
    large = samples.save(samples.noise("RGB", 3000, 2000), tmp_path / "file", "JPEG")
    known = children()
    async with ImageWorkers(processes=1) as workers:
        await workers.picture(large, LIMIT, MEMBER)
        status = Path(f"/proc/{a_child_beyond(known)}/status")
        await eventually(lambda: int(status.read_text().partition("VmRSS:")[2].split()[0]) < 48 * samples.KIB)


def kernel_gives_large_pages_on_request() -> bool:
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return setting.is_file() and "[madvise]" in setting.read_text()


@pytest.mark.skipif(
    platform.libc_ver() < ("glibc", "2.35") or not kernel_gives_large_pages_on_request(),
    reason="needs glibc 2.35, and a kernel that gives large pages on request",
)
async def test_a_worker_asks_the_kernel_for_large_pages(tmp_path: Path) -> None:
    """A job begins with all its memory given back."""
    large = samples.save(samples.noise("RGB", 3000, 2000), tmp_path / "file", "JPEG")
    known = children()
    async with ImageWorkers(processes=1) as workers:
        await workers.picture(large, LIMIT, MEMBER)
        mappings = await asyncio.to_thread(Path(f"/proc/{a_child_beyond(known)}/smaps").read_text)
    flags = [line.split() for line in mappings.splitlines() if line.startswith("VmFlags:")]
    assert any("hg" in each for each in flags)  # proc(5): the advice of madvise(2)


def test_a_worker_collects_garbage_after_its_start() -> None:
    """The collector is off only during the imports."""
    program = "import gc; gc.disable(); import chatserver.media.worker as worker; worker.run(); print(gc.isenabled())"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert b"True" in done.stdout + done.stderr


@pytest.mark.parametrize("switch", ["on", "off"])
async def test_the_seccomp_filter_is_off_with_the_tuning_switch_and_the_log_warns(
    small: Path, switch: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tuning, "ENABLED", switch == "on")
    async with ImageWorkers(processes=1) as workers:
        assert (await workers.picture(small, LIMIT, MEMBER)).width == 200
        [process] = workers._alive
    if switch == "on" and not process.is_confined:
        pytest.skip("this machine has no seccomp filters")
    assert process.is_confined is (switch == "on")
    assert ("without a seccomp filter: CHAT_TUNING=off" in caplog.text) is (switch == "off")


async def test_the_largest_file_that_is_let_in_fits_the_memory_limit(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (5000, 5000), (20, 120, 220, 128))
    path = samples.save(picture, tmp_path / "file", "WEBP", method=0)
    async with ImageWorkers() as workers:
        assert (await workers.picture(path, LIMIT, MEMBER)).width > 0


async def test_the_loop_stays_free_while_pictures_are_made(slow: Path) -> None:
    """Measured in processor time of the loop's thread, because wall time depends on the machine.

    The time of the garbage collector does not count either, because other tests have left its objects.
    """
    async with ImageWorkers() as workers:
        gc.disable()
        try:
            job = asyncio.ensure_future(workers.picture(slow, LIMIT, MEMBER))
            worst = 0.0
            while not job.done():
                before = time.thread_time()
                await asyncio.sleep(0.002)
                worst = max(worst, time.thread_time() - before)
            await job
        finally:
            gc.enable()
    assert worst < 0.1  # the picture takes at least half a second


@pytest.mark.parametrize(
    "data",
    [
        b"", b"null", b"[]", b"{}", b"\xff", b'{"code": "nonsense", "parts": 0, "width": 0, "height": 0}',
        b'{"code": null, "parts": 3, "width": 1, "height": 1}', b'{"code": null, "parts": 1, "width": -1, "height": 1}',
        b'{"code": null, "parts": "2", "width": 1, "height": 1}',
    ],
)  # fmt: skip
def test_a_worker_that_was_taken_over_can_say_nothing_surprising(data: bytes) -> None:
    with pytest.raises(ValueError):
        AnswerHeader.decode(data)
