"""A backup of a server at its busiest, by the command line, and the room that is restored from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from tests.client import Browser, picture
from tests.ops.rooms import manifest_of
from tests.process.serving import run, serving
from tests.support import eventually

T = TypeVar("T")

SENDERS = 200
LARGE = ("--history-limit", "20000", "--send-interval", "0", "--registrations-per-hour", "0")
CROWD = (*LARGE, "--connections-per-address", "0")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while some := list(islice(left, size)):
        yield some


def named_by(messages: list[Any]) -> list[str]:
    return [message[field] for message in messages for field in ("image", "thumb") if message[field]]


async def test_a_backup_while_hundreds_post_is_every_message_and_file_of_one_moment(tmp_path: Path) -> None:
    data, copy, file = tmp_path / "data", tmp_path / "copy", tmp_path / "room.tar"
    async with serving(data, *CROWD) as server, AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        browsers = [await stack.enter_async_context(Browser(server.address)) for _ in range(SENDERS)]
        for some in batched(enumerate(browsers), 20):  # more hashes at the same time would be refused with `busy`
            await asyncio.gather(*(browser.register(f"sender {n}") for n, browser in some))
        over, shown = asyncio.Event(), 0

        # The members post by forms. With sockets each message would be a frame for 200 sockets, and this process would
        # read 40,000 frames before its next requests. The server closes a connection after 15 s without a request.
        async def send(n: int, browser: Browser) -> None:
            nonlocal shown
            count = 0
            while not over.is_set():
                await browser.say(f"{n}: {count} 你好")
                if n < 5:
                    await browser.show(picture(60, 40, colour="olive"))
                    shown += 1
                count += 1

        sending = [group.create_task(send(n, browser)) for n, browser in enumerate(browsers)]
        await eventually(lambda: shown >= 5)
        acknowledged = (await browsers[0].get("/api/recent_messages/")).json["seq"]
        made = await run("backup", str(file), "--data-dir", str(data))
        assert made.code == 0, made.err
        so_far = shown
        await eventually(lambda: shown > so_far)  # they went on meanwhile, and since
        over.set()
        await asyncio.gather(*sending)
        before = {**(await browsers[0].get("/api/recent_messages/")).json, "messages": await browsers[0].all_messages()}
        epoch = before["epoch"]
        pictures = {path: (await browsers[0].get(path)).body for path in named_by(before["messages"])}
        await server.stop()
        cookies = browsers[0].session.cookie_jar
        assert not list(data.glob("media/uploads/*")), "nothing of the copy is left inside the data directory"

    manifest = manifest_of(file)
    restored = await run("restore", str(file), "--data-dir", str(copy))
    assert restored.code == 0, restored.err
    async with serving(copy, *LARGE) as server, Browser(server.address) as reader:
        reader.session.cookie_jar.update_cookies({cookie.key: cookie.value for cookie in cookies})
        after = {**(await reader.get("/api/recent_messages/")).json, "messages": await reader.all_messages()}
        assert (await reader.socket()).hello["user"]["name"] == "sender 0", "sessions go on"
        assert acknowledged <= after["seq"] == manifest["seq"] < before["seq"]
        assert after["epoch"] != epoch == manifest["epoch"]
        assert after["messages"] == [m for m in before["messages"] if m["seq"] <= manifest["seq"]]
        assert [m["id"] for m in after["messages"]] == list(range(1, len(after["messages"]) + 1))
        assert named_by(after["messages"])
        for path in named_by(after["messages"]):
            assert (await reader.get(path)).body == pictures[path]
    for browser in browsers:
        await browser.__aexit__(None, None, None)
