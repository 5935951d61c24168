"""Long answers are read one at a time, encoded in parts over several passes of the loop, and shared by waiting
requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chatserver.core.model import Message, Page, User
from chatserver.features.messages.chunked_pages import AT_A_TIME, ChunkedPages
from chatserver.features.messages.encode import MessageEncoder
from tests.stage import Stage

MESSAGES = 3 * AT_A_TIME - 50


class Counted(MessageEncoder):
    """The encoder; `encoded` counts its messages."""

    encoded = 0

    def __call__(self, message: Message) -> bytes:
        self.encoded += 1
        return super().__call__(message)


class Room:
    """The answers of a room, and the number of reads."""

    def __init__(self, stage: Stage) -> None:
        self.encoder = Counted(stage.room.settings.now.timezone)
        self.answers = ChunkedPages(self.encoder, self._read)
        self.reads = 0
        self.has_read = asyncio.Event()
        self._history = stage.room.history

    async def _read(self, count: int) -> Page:
        self.reads += 1
        self.has_read.set()
        return await self._history.newest(count)


@pytest.fixture
async def room(stage: Stage, ming: User) -> Room:
    stage.set(history_limit=1_000, send_interval=0)
    for number in range(MESSAGES):
        await stage.say(ming, f"第 {number} 条")
    return Room(stage)


@contextmanager
def passes(encoder: Counted) -> Iterator[list[int]]:
    """The number of messages encoded in each pass of the loop."""
    loop = asyncio.get_running_loop()
    found: list[int] = []
    seen = encoder.encoded

    def look() -> None:
        nonlocal handle, seen
        found.append(encoder.encoded - seen)
        seen = encoder.encoded
        handle = loop.call_soon(look)

    handle = loop.call_soon(look)
    try:
        yield found
    finally:
        handle.cancel()
        look()
        handle.cancel()


async def test_clients_at_once_share_one_answer(room: Room) -> None:
    with passes(room.encoder) as in_pass:
        bodies = await asyncio.gather(*(room.answers.newest(MESSAGES) for _ in range(40)))
    # The first request begins at once. All others wait for it, and share the next answer.
    assert len({id(body) for body in bodies[1:]}) == 1
    assert (room.reads, sum(in_pass)) == (2, 2 * MESSAGES)
    assert max(in_pass) == AT_A_TIME
    texts = [message["text"] for message in json.loads(bodies[0])["messages"]]
    assert texts == [f"第 {number} 条" for number in range(MESSAGES)]


async def test_different_counts_and_pages_take_turns(room: Room, stage: Stage) -> None:
    page = await stage.room.history.older(10**9, AT_A_TIME)
    with passes(room.encoder) as in_pass:
        *bodies, _ = await asyncio.gather(
            *(room.answers.newest(count) for count in (201, 202, 203)), *(room.answers.page(page) for _ in range(20))
        )
    assert [len(json.loads(body)["messages"]) for body in bodies[:3]] == [201, 202, 203]
    assert sum(in_pass) == 201 + 202 + 203 + 20 * AT_A_TIME
    assert max(in_pass) <= 2 * AT_A_TIME


async def test_who_asks_after_an_answer_was_begun_gets_a_later_one(room: Room, stage: Stage, ming: User) -> None:
    first = asyncio.create_task(room.answers.newest(MESSAGES))
    await room.has_read.wait()
    posted = await stage.say(ming, "后来的")
    later = await room.answers.newest(MESSAGES)
    assert json.loads(later)["messages"][-1]["id"] == posted.message.id
    await first
    assert room.reads == 2


async def test_no_answer_is_kept_for_later(room: Room) -> None:
    await room.answers.newest(MESSAGES)
    await room.answers.newest(MESSAGES)
    assert room.reads == 2


async def test_a_client_that_left_holds_up_no_other(room: Room) -> None:
    tasks = [asyncio.create_task(room.answers.newest(MESSAGES)) for _ in range(3)]
    await room.has_read.wait()
    tasks[0].cancel()
    tasks[1].cancel()
    assert len(json.loads(await tasks[2])["messages"]) == MESSAGES
