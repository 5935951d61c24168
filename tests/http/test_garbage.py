"""The objects of a message, an answer or a visit are freed when it ends, without the garbage collector.

A collection looks at everything that is alive, and stops the room meanwhile. When 17 objects of each message were left
to the collector, a busy room stopped for 15 to 70 ms every other second.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import pytest

from tests.client import House, picture
from tests.support import eventually


@contextmanager
def left_over() -> Iterator[list[str]]:
    """The names of the product's objects that only the collector could free. The list is filled at the end of the
    block."""
    names: list[str] = []
    gc.collect()
    gc.freeze()  # objects that exist already, also those of other tests' rooms, are not looked at
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield names
        gc.collect()
        names += [kind.__qualname__ for kind in map(_kind, gc.garbage) if kind.__module__.startswith("chatserver.")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()


def _kind(each: Any) -> Any:
    """The function of a function or a method; for any other object its class."""
    each = getattr(each, "__func__", each)
    return each if isinstance(each, FunctionType) else type(each)


def test_a_cycle_of_ours_would_be_noticed() -> None:
    from chatserver.db.transaction import Batch

    with left_over() as names:
        batch = Batch()
        batch.values["myself"] = batch
        del batch
    assert names == ["Batch"]


async def test_what_is_said_and_done(house: House) -> None:
    browser = await house.administrator()
    socket = await browser.socket()
    await socket.say("warm", client_id="warm")
    with left_over() as names:
        for n in range(20):
            said = await socket.say(str(n), client_id=f"m{n}")
            await socket.send("react", id=said["id"], emoji="👍")
            await socket.send("recall", id=said["id"])
            await socket.expect("recall", id=said["id"])
            await socket.send("post", text="")
            await socket.expect("refused")
            await browser.say(f"form {n}")
        await browser.show(picture())
        await browser.preset("start", seconds=5)
        await browser.preset("stop")
    assert names == []


@pytest.mark.parametrize("path", ["/", "/api/recent_messages/", "/api/messages/?q=1", "/healthz", "/metrics", "/no/"])
async def test_what_is_asked_for(house: House, path: str) -> None:
    browser = await house.member("小明")
    await browser.get(path)
    with left_over() as names:
        for _ in range(10):
            await browser.get(path)
    assert names == []


async def test_who_comes_and_goes(house: House) -> None:
    browser = await house.member("小明")
    with left_over() as names:
        for _ in range(10):
            socket = await browser.socket(after=0, epoch="x")
            await socket.say("here", client_id="here")
            await socket.close()
        browser._sockets.clear()
        del socket
        await eventually(lambda: house.server.room.hub.is_empty)
        await browser.get("/healthz")  # so that the callbacks that the last close has scheduled are done
    assert names == []
