"""The frames of one client are handled in their order, some at once and some in tasks, and never more than the
limit."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from chatserver.db.database import Database
from chatserver.http.client_frame import AT_WORK_MAX
from tests.client import House, Socket
from tests.stage import held_up
from tests.support import eventually


async def until_waiting(database: Database, count: int) -> None:
    """Wait until this number of functions is queued, and no more are added."""
    await eventually(lambda: database.waiting >= count)
    await asyncio.sleep(0.1)
    assert database.waiting == count


def fail(*values: Any) -> None:
    raise ZeroDivisionError


def in_order(socket: Socket, count: int) -> list[str]:
    acks = socket.heard("ack")
    assert [ack["id"] for ack in acks] == sorted(ack["id"] for ack in acks) and len(acks) == count
    return [ack["client_id"] for ack in acks]


async def test_many_frames_in_one_go_are_heard_in_their_order(house: House) -> None:
    socket = await (await house.member("小明")).socket()
    names = [f"m{n}" for n in range(300)]
    await asyncio.gather(*(socket.send("post", text=name, client_id=name) for name in names))
    await socket.expect("ack", client_id=names[-1])
    assert in_order(socket, 300) == names


async def test_other_frames_between_keep_their_places(house: House) -> None:
    """A ping of the protocol waits in the queue, and so do the frames after it; recalls are tasks."""
    browser = await house.member("小明")
    socket = await browser.socket()
    for n in range(20):
        await socket.send("post", text=str(n), client_id=f"m{n}")
        await socket.ws.ping(b"%d" % n)
        await socket.send("typing")
        await socket.send("recall", id=n + 1)
    await socket.expect("ack", client_id="m19")
    await socket.expect("recall", id=20)
    assert in_order(socket, 20) == [f"m{n}" for n in range(20)]
    assert [recall["id"] for recall in socket.heard("recall")] == list(range(1, 21))
    assert socket.heard("refused") == []


@pytest.mark.settings(send_interval=2)
async def test_a_refusal_comes_after_what_was_accepted_before_it(house: House) -> None:
    socket = await (await house.member("小明")).socket()
    async with held_up(house.server.room.database):
        for name in ("accepted", "too fast"):
            await socket.send("post", text=name, client_id=name)
        await until_waiting(house.server.room.database, 2)
    await socket.expect("refused", client_id="too fast")
    await socket.in_step()
    answers = [kind for kind in socket.types() if kind in ("message", "ack", "refused")]
    assert answers == ["message", "ack", "refused"]


async def test_what_is_at_work_for_one_client_is_bounded(house: House) -> None:
    database = house.server.room.database
    socket = await (await house.member("小明")).socket()
    names = [f"m{n}" for n in range(3 * AT_WORK_MAX)]
    async with held_up(database):
        for name in names:
            await socket.send("post", text=name, client_id=name)
        await until_waiting(database, AT_WORK_MAX)
    await socket.expect("ack", client_id=names[-1])
    assert in_order(socket, len(names)) == names


async def test_one_client_at_its_bound_holds_up_nobody_else(house: House) -> None:
    database = house.server.room.database
    eager, other = await (await house.member("小明")).socket(), await (await house.member("小红")).socket()
    async with held_up(database):
        for n in range(2 * AT_WORK_MAX):
            await eager.send("post", text="x", client_id=f"m{n}")
        await until_waiting(database, AT_WORK_MAX)
        await other.send("post", text="y", client_id="other")
        await other.in_step()
        await until_waiting(database, AT_WORK_MAX + 1)
    await other.expect("ack", client_id="other")


async def test_a_client_that_goes_with_frames_in_line_leaves_nothing_behind(house: House) -> None:
    database = house.server.room.database
    socket = await (await house.member("小明")).socket()
    async with held_up(database):
        for n in range(AT_WORK_MAX + 20):
            await socket.send("post", text=str(n), client_id=f"m{n}")
        await until_waiting(database, AT_WORK_MAX)
        await socket.close()
    watcher = await (await house.member("小红")).socket()
    await watcher.say("after")
    answer = await (await house.guest()).get("/api/recent_messages_apiint/100")
    stored = [message["text"] for message in answer.json["messages"]][:-1]
    assert len(stored) >= AT_WORK_MAX and stored == [str(n) for n in range(len(stored))]


async def test_a_fault_of_ours_ends_one_conversation_and_is_in_the_log(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await house.member("小明")
    faulty, sound = await browser.socket(), await browser.socket()

    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr(house.server.room.post, "submit", fail)
        await faulty.send("post", text="x", client_id="1")
        assert await faulty.closed() == 1011
    assert "ZeroDivisionError" in caplog.text
    await sound.say("still here", client_id="2")


async def test_a_fault_in_the_database_is_in_the_log_and_the_conversation_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await (await house.member("小明")).socket()

    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr(house.server.room.post, "_post_batch", fail)
        await socket.send("post", text="x", client_id="1")
        await eventually(lambda: "ZeroDivisionError" in caplog.text)
    await socket.say("still here", client_id="2")
