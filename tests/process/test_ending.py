"""How the server ends, and what the next start finds: after SIGTERM, and after a kill at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.client import Browser, files_under, picture
from tests.process.serving import make_administrator, serving
from tests.support import eventually

# The time from SIGTERM to the exit that the contract allows.
ENDING_SECONDS = 5.0


@contextlib.asynccontextmanager
async def returning(address: str, before: Browser):  # type: ignore[no-untyped-def]
    """The same browser after a restart: its cookies, another port."""
    async with Browser(address) as browser:
        browser.session.cookie_jar.update_cookies({cookie.key: cookie.value for cookie in before.session.cookie_jar})
        yield browser


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_says_goodbye_to_sockets_and_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    async with serving(tmp_path) as server, Browser(server.address) as member, Browser(server.address) as guest:
        await member.register("小明")
        sockets = [await member.socket(), await guest.socket()]
        server.process.send_signal(number)
        assert [await socket.closed() for socket in sockets] == [1001, 1001]
        async with asyncio.timeout(ENDING_SECONDS):
            assert await server.process.wait() == 0


async def test_a_reader_who_does_not_answer_holds_up_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, Browser(server.address) as guest:
        silent = await guest.dial()  # nobody reads from it, so it does not answer the close frame
        idle = await asyncio.open_connection(*server.address.removeprefix("http://").split(":"))
        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(ENDING_SECONDS):
            assert await server.process.wait() == 0
        idle[1].close()
        await silent.close()


async def test_what_was_acknowledged_before_sigterm_is_there_after_it(tmp_path: Path) -> None:
    acknowledged = 0
    async with serving(tmp_path, "--send-interval", "0") as server, Browser(server.address) as member:
        await member.register("小明")
        socket = await member.socket()
        for n in range(50):
            await socket.send("post", text=f"message {n}", client_id=f"c-{n}")
        await socket.expect("ack", client_id="c-9")
        server.process.send_signal(signal.SIGTERM)
        assert await socket.closed() == 1001
        acknowledged = len(socket.heard("ack"))
        heard = [frame["message"] for frame in socket.heard("message")]
        await server.process.wait()
        assert [ack["client_id"] for ack in socket.heard("ack")] == [f"c-{n}" for n in range(acknowledged)]
        async with serving(tmp_path) as again, returning(again.address, member) as back:
            kept = (await back.get("/api/recent_messages_apiint/100")).json["messages"]
            assert kept[: len(heard)] == heard
            assert len(kept) >= acknowledged >= 10


async def test_a_kill_loses_nothing_acknowledged_and_nobody_has_to_log_in_again(tmp_path: Path) -> None:
    flags = ("--history-limit", "500", "--send-interval", "0")  # neither server may erase one of the 201 messages
    async with serving(tmp_path, *flags) as server, Browser(server.address) as member:
        await member.register("小明")
        socket = await member.socket()
        shown = await member.show(picture())
        for n in range(200):
            await socket.send("post", text=f"message {n}", client_id=f"c-{n}")
        await socket.expect("ack", client_id="c-20")
        await server.kill()
        await socket.closed()
        acks = {ack["client_id"]: ack for ack in socket.heard("ack")}
        heard = {frame["message"]["id"]: frame["message"] for frame in socket.heard("message")}
        async with (
            serving(tmp_path, *flags) as again,
            returning(again.address, member) as back,
        ):
            kept = {
                message["id"]: message
                for message in (await back.get("/api/recent_messages_apiint/500")).json["messages"]
            }
            assert len(acks) > 20
            for client_id, ack in acks.items():
                assert kept[ack["id"]]["client_id"] == client_id
                assert kept[ack["id"]]["seq"] == ack["seq"]
            assert heard.items() <= kept.items()
            assert (await back.get(shown["image"])).status == 200
            resumed = await back.socket(after=socket.hello["seq"], epoch=socket.hello["epoch"])
            assert resumed.hello["user"]["name"] == "小明"
            sync = await resumed.expect("sync")
            assert sync["complete"] is True
            assert [message["id"] for message in sync["messages"]] == sorted(kept)
            last = max(int(client_id.removeprefix("c-")) for client_id in acks)
            assert await resumed.say("sent again", f"c-{last}") == acks[f"c-{last}"]


async def test_a_recall_just_before_a_kill_leaves_its_content_in_no_file(tmp_path: Path) -> None:
    async with serving(tmp_path, "--send-interval", "0") as server, Browser(server.address) as member:
        await member.register("小明")
        message = await member.show(picture(200, 200), text="SECRET-x1y2z3")
        thumb = (await member.get(message["thumb"])).body
        await member.recall(message["id"])
        await server.kill()
        async with serving(tmp_path) as again, returning(again.address, member) as back:
            assert [kept["state"] for kept in await back.messages()] == ["recalled"]
            await eventually(
                lambda: (
                    not any(
                        b"SECRET-x1y2z3" in content or thumb in content for content in files_under(tmp_path).values()
                    )
                )
            )
            assert not [name for name in files_under(tmp_path) if name.startswith("media/")]


async def test_a_window_that_fell_due_while_nobody_ran_is_closed_at_the_start(tmp_path: Path) -> None:
    assert (await make_administrator(tmp_path)).code == 0
    async with serving(tmp_path) as server, Browser(server.address) as admin:
        await admin.log_in("店长")
        await admin.preset("start", seconds=1)
        await server.kill()
        await asyncio.sleep(1.1)
        async with serving(tmp_path) as again, Browser(again.address) as guest:

            async def is_closed() -> bool:
                return [message["preset"] for message in await guest.messages()] == ["start", "stop"]

            await eventually(is_closed)
            stop = (await guest.messages())[-1]
            assert (stop["kind"], stop["text"], stop["user"]) == ("preset", "停止下单", "店长")
            assert (await guest.socket()).hello["window"] is None


async def test_a_window_that_is_not_due_is_open_after_a_restart(tmp_path: Path) -> None:
    assert (await make_administrator(tmp_path)).code == 0
    async with serving(tmp_path) as server, Browser(server.address) as admin:
        await admin.log_in("店长")
        await admin.preset("start", seconds=600)
        before = (await admin.socket()).hello["window"]
        assert (await server.stop()).code == 0
        async with serving(tmp_path) as again, Browser(again.address) as guest:
            after = (await guest.socket()).hello["window"]
            assert {**after, "now_ms": 0} == {**before, "now_ms": 0}


async def test_what_grew_old_while_nobody_ran_is_gone_at_the_start(tmp_path: Path) -> None:
    async with serving(tmp_path, "--send-interval", "0") as server, Browser(server.address) as member:
        await member.register("小明")
        message = await member.show(picture(), text="SECRET-x1y2z3")
        await server.kill()
        with sqlite3.connect(tmp_path / "chat.db") as database:  # a day passes
            database.execute("UPDATE messages SET created_ms = created_ms - 86400000")
        database.close()
        async with serving(tmp_path) as again, Browser(again.address) as guest:
            now = (await guest.get("/api/recent_messages/")).json
            assert (now["messages"], now["first_id"]) == ([], message["id"] + 1)
            assert (await guest.get(message["image"])).status in (404, 410)
            await eventually(lambda: not any(b"SECRET-x1y2z3" in content for content in files_under(tmp_path).values()))
            assert not [name for name in files_under(tmp_path) if name.startswith("media/")]


async def test_epoch_sessions_and_numbers_survive_restarts(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, Browser(server.address) as member:
        await member.register("小明")
        first = await member.say("one")
        epoch = (await member.socket()).hello["epoch"]
        assert (await server.stop()).code == 0
        async with serving(tmp_path) as again, returning(again.address, member) as back:
            hello = (await back.socket()).hello
            assert (hello["epoch"], hello["seq"], hello["user"]["name"]) == (epoch, first["seq"], "小明")
            second = await back.say("two")
            assert (second["id"], second["seq"]) == (first["id"] + 1, first["seq"] + 1)
