"""A disk that becomes full while the room runs: every ack is kept, and the room recovers without help.

The tests use a file system of a few megabytes in memory. If this process may not mount one, they run without the
erasing, under a limit on the size of files.
"""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

import pytest

from chatserver.db import disk_reserve
from tests.client import Browser, Socket, picture
from tests.process.faults.disk import Disk, mounted
from tests.process.serving import Serving, serving
from tests.support import eventually

PATIENCE = 60.0
FLAGS = ("--send-interval", "0", "--history-limit", "100000", "--recall-seconds", "3600")


async def post_until_refused(socket: Socket) -> int:
    """Post until the disk is full; the free space in the log's own file is used first. Returns the number of acked
    messages."""
    for number in range(2_000):
        socket.frames.clear()
        socket._taken.clear()
        await socket.send("post", text=f"filling {number} " + "x" * 1_000, client_id=f"f-{number}")
        while not (answers := socket.heard("ack") + socket.heard("refused")):
            await asyncio.sleep(0.001)
        if answers[0]["type"] == "refused":
            assert answers[0]["code"] == "storage_full"
            return number
    pytest.fail("the disk never was full")


async def becomes_ready(browser: Browser, status: int) -> None:
    """The probe reuses its result for a second, and remembers a refused write for some seconds more."""
    async with asyncio.timeout(PATIENCE):
        while (await browser.get("/readyz")).status != status:
            await asyncio.sleep(0.2)


async def nothing_is_promised(writer: Browser, socket: Socket, reader: Socket) -> None:
    before = len((await writer.get("/api/recent_messages_apiint/100000")).json["messages"])
    heard = len(reader.heard("message"))
    await socket.send("post", text="lost " + "x" * 1_000, client_id="full")
    refused = await socket.expect("refused", client_id="full")
    assert refused["code"] == "storage_full"
    answer = await writer.post("/post/", {"text": "lost too " + "x" * 1_000})
    assert (answer.status, answer.code) == (507, "storage_full")
    await becomes_ready(writer, 503)
    assert (await writer.get("/healthz")).status == 200
    await reader.in_step()
    assert len(reader.heard("message")) == heard
    assert not [ack for ack in socket.heard("ack") if ack["client_id"] == "full"]
    page = await writer.page("/")
    assert page.status == 200 and "before the flood" in page.text
    assert len((await writer.get("/api/recent_messages_apiint/100000")).json["messages"]) == before


async def it_goes_on(writer: Browser, socket: Socket) -> None:
    ack = await socket.say("here again", "full")
    assert ack["id"]
    await becomes_ready(writer, 200)
    assert (await writer.messages())[-1]["text"] == "here again"


async def test_a_full_disk_is_refused_survived_and_forgotten(tmp_path: Path) -> None:
    try:
        with mounted(tmp_path / "small", mib=16) as disk:
            await on_a_small_disk(disk)
    except PermissionError as error:
        pytest.skip(f"no small file system could be mounted ({error}); the limit on the size of files is tested")


async def on_a_small_disk(disk: Disk) -> None:
    data = disk.path / "data"
    async with serving(data, *FLAGS) as server, Browser(server.address) as writer, Browser(server.address) as guest:
        await writer.register("小明")
        socket, reader = await writer.socket(), await guest.socket()
        await writer.say("before the flood")
        secret = await writer.say("SECRET-x1y2z3")
        shown = await writer.show(picture(200, 200), text="a picture")
        assert (data / "ballast").stat().st_blocks * 512 >= disk_reserve.SIZE
        disk.fill()
        await post_until_refused(socket)
        disk.fill()  # space that the refused batch released
        await nothing_is_promised(writer, socket, reader)
        upload = await writer.post("/post/", {"text": "with a picture"}, {"image": picture(400, 400)})
        assert (upload.status, upload.code) == (507, "storage_full")

        await socket.send("recall", id=secret["id"])
        await reader.expect("recall", id=secret["id"])
        assert (await writer.delete(shown["id"])).status == 200
        await reader.expect("delete", id=shown["id"])
        await eventually(lambda: b"SECRET-x1y2z3" not in everything(data), "what was recalled is in no file")
        await eventually(lambda: not list((data / "media" / "images").iterdir()), "its picture is gone")
        assert (await writer.get("/healthz")).status == 200
        assert (data / "ballast").stat().st_size == disk_reserve.SIZE, "the ballast was not taken on again"

        disk.empty()
        await it_goes_on(writer, socket)
        done = await server.stop()
        assert done.code == 0
        assert "Traceback" not in done.err


async def test_on_a_full_disk_what_is_too_old_goes_all_the_same(tmp_path: Path) -> None:
    try:
        with mounted(tmp_path / "small", mib=16) as disk:
            await retention_on_a_small_disk(disk)
    except PermissionError as error:
        pytest.skip(f"no small file system could be mounted ({error})")


async def retention_on_a_small_disk(disk: Disk) -> None:
    seconds = 8
    flags = ("--send-interval", "0", "--history-limit", "100000", "--history-hours", str(seconds / 3600))
    async with serving(disk.path / "data", *flags) as server, Browser(server.address) as writer:
        await writer.register("小明")
        socket = await writer.socket()
        first = await writer.say("SECRET-x1y2z3 " + "x" * 1_000)
        disk.fill()
        await post_until_refused(socket)
        await eventually(
            lambda: [e for e in socket.heard("expire") if first["id"] in e["ids"]], "the first has expired"
        )
        disk.fill()
        await eventually(lambda: b"SECRET-x1y2z3" not in everything(disk.path / "data"), "it is in no file")
        await eventually(
            lambda: (disk.path / "data" / "ballast").stat().st_size == disk_reserve.SIZE, "the ballast is back"
        )


def everything(data: Path) -> bytes:
    found = b""
    for path in data.rglob("*"):
        if path.is_file() and path.name != "ballast":
            found += path.read_bytes()
    return found


async def test_a_limit_on_the_size_of_files_is_a_full_disk_too(tmp_path: Path) -> None:
    async with serving(tmp_path, *FLAGS) as server, Browser(server.address) as writer, Browser(server.address) as guest:
        await writer.register("小明")
        socket, reader = await writer.socket(), await guest.socket()
        await writer.say("before the flood")
        limit(server, max(path.stat().st_size for path in tmp_path.glob("chat.db*")) + 64 * 1024)
        await post_until_refused(socket)
        await nothing_is_promised(writer, socket, reader)
        limit(server, resource.RLIM_INFINITY)
        await it_goes_on(writer, socket)


def limit(server: Serving, size: int) -> None:
    """Limit the size of files that the running server writes. Only the soft limit is set, so that it can be raised
    again."""
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))
