"""The socket as the page uses it: frames, their order, and which readers get them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.client import House, Socket, opened, picture, real_time
from tests.support import START_MS

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def numbered(socket: Socket) -> list[int]:
    """The `seq` of every frame on this connection that has one, in the order of arrival."""
    found = []
    for frame in socket.frames:
        if frame["type"] == "sync" and frame["complete"]:
            found += [message["seq"] for message in frame["messages"]]
        elif frame["type"] in ("message", "recall", "delete"):
            found.append(frame["seq"])
    return found


def assert_rising(socket: Socket) -> None:
    seqs = numbered(socket)
    assert seqs == sorted(set(seqs))


# Hello


async def test_hello_comes_first_and_says_where_one_is(house: House) -> None:
    browser = await house.member("小明")
    await browser.say("before")
    socket = await browser.socket()
    await socket.in_step()
    assert socket.frames[0] == socket.hello
    hello = socket.hello
    assert hello["limits"]["text_max"] == 2000
    assert hello["user"].items() >= {"name": "小明", "role": "member", "avatar": ""}.items()
    assert re.fullmatch(r"\w+", hello["epoch"])
    present = {
        "protocol": 1,
        "seq": 1,
        "first_id": 1,
        "now_ms": START_MS,
        "window": None,
        "announcement": "",
        "online": 1,
    }
    assert present.items() <= hello.items()
    assert "sync" not in socket.types()


@pytest.mark.settings(send_interval=2.5, recall_seconds=45, upload_max_mb=3, window_seconds=60)
async def test_hello_tells_the_page_the_limits(house: House) -> None:
    limits = (await (await house.guest()).socket()).hello["limits"]
    assert (limits["send_interval_ms"], limits["recall_ms"]) == (2500, 45_000)
    assert (limits["upload_max_bytes"], limits["window_seconds"]) == (3 * 1024 * 1024, 60)


async def test_a_guest_is_nobody(house: House) -> None:
    assert (await (await house.guest()).socket()).hello["user"] is None


# Posting


async def test_everybody_hears_a_message_and_its_sender_before_the_ack(house: House) -> None:
    xiaoming, xiaohong, guest = await house.member("小明"), await house.member("小红"), await house.guest()
    sockets = [await browser.socket() for browser in (xiaoming, xiaohong, guest)]
    ack = await sockets[0].say("你好", "c-1")
    assert (ack["id"], ack["seq"], ack["client_id"]) == (1, 1, "c-1")
    heard = [await socket.expect("message") for socket in sockets]
    assert heard[0] == heard[1] == heard[2]
    assert heard[0]["message"] == (await guest.messages())[0]
    assert heard[0]["seq"] == heard[0]["message"]["seq"] == 1
    types = sockets[0].types()
    assert types.index("message") < types.index("ack")
    for socket in sockets[1:]:
        await socket.in_step()
        assert "ack" not in socket.types()


async def test_a_form_is_heard_on_sockets_too(house: House) -> None:
    browser, guest = await house.member("小明"), await house.guest()
    socket = await guest.socket()
    message = await browser.show(picture(), text="look")
    assert (await socket.expect("message"))["message"] == message


async def test_messages_sent_at_once_reach_all_in_one_order_without_a_gap(house: House) -> None:
    members = [await house.member(name) for name in ("一", "二", "三")]
    sockets = [await member.socket() for member in members]
    for n in range(20):
        for who, socket in enumerate(sockets):
            await socket.send("post", text=f"{who} says {n}", client_id=f"{who}-{n}")
    for who, socket in enumerate(sockets):
        for n in range(20):
            await socket.expect("ack", client_id=f"{who}-{n}")
        await socket.in_step()
    orders = [[frame["message"] for frame in socket.heard("message")] for socket in sockets]
    assert orders[0] == orders[1] == orders[2]
    assert [message["seq"] for message in orders[0]] == list(range(1, 61))
    for who in range(3):
        mine = [message["text"] for message in orders[0] if message["text"].startswith(f"{who} ")]
        assert mine == [f"{who} says {n}" for n in range(20)]
    for socket in sockets:
        for ack in socket.heard("ack"):
            types = [(frame["type"], frame.get("seq")) for frame in socket.frames]
            assert types.index(("message", ack["seq"])) < types.index(("ack", ack["seq"]))


async def test_a_client_id_is_stored_once_by_sockets_and_forms_together(house: House) -> None:
    browser, phone, other = await house.member("小明"), await house.guest(), await house.guest()
    await phone.log_in("小明")
    first, second, reader = await browser.socket(), await phone.socket(), await other.socket()
    await asyncio.gather(
        first.send("post", text="hello", client_id="c-1"),
        second.send("post", text="hello", client_id="c-1"),
        browser.post("/post/", {"text": "hello", "client_id": "c-1"}),
    )
    acks = [await first.expect("ack"), await second.expect("ack")]
    assert acks[0] == acks[1]
    await reader.expect("message")
    await reader.in_step()
    assert len(reader.heard("message")) == 1
    assert len(await browser.messages()) == 1


@pytest.mark.settings(send_interval=2)
async def test_an_ack_for_a_message_sent_again_keeps_the_seq_it_was_posted_with(house: House) -> None:
    browser = await house.member("小明")
    socket = await browser.socket()
    first = await socket.say("hello", "c-1")
    again = await socket.say("something else", "c-1")
    await socket.send("recall", id=first["id"])
    await socket.expect("recall")
    after_recall = await socket.say("", "c-1")
    assert again == after_recall == first
    assert len(socket.heard("message")) == 1


async def test_a_client_id_is_known_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        first = await (await (await house.member("小明")).socket()).say("hello", "c-1")
    async with opened(tmp_path) as house:
        browser = await house.guest()
        await browser.log_in("小明")
        assert await (await browser.socket()).say("hello", "c-1") == first
        assert len(await browser.messages()) == 1


async def test_a_reply_names_its_original(house: House) -> None:
    socket = await (await house.member("小明")).socket()
    first = await socket.say("first", "c-1")
    await socket.say("second", "c-2", reply_to=first["id"])
    assert [frame["message"]["reply_to"] for frame in socket.heard("message")] == [None, first["id"]]


async def test_a_sender_who_leaves_at_once_has_spoken(house: House) -> None:
    browser, reader = await house.member("小明"), await (await house.guest()).socket()
    ws = await browser.dial()
    await ws.send_json({"type": "post", "text": "and gone", "client_id": "c-1"})
    await ws.close()
    assert (await reader.expect("message"))["message"]["text"] == "and gone"


# Refusals


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "post", "client_id": "c-1", "text": " "}, "empty"),
        ({"type": "post", "client_id": "c-1", "text": "字" * 2001}, "too_long"),
        ({"type": "post", "client_id": "c-1", "text": 5}, "bad_request"),
        ({"type": "post", "client_id": "c-1", "text": "half \ud83d"}, "bad_request"),
        ({"type": "post", "client_id": "c-1", "text": "nul\0"}, "bad_request"),
        ({"type": "post", "client_id": "c" * 65, "text": "hello"}, "bad_request"),
        ({"type": "post", "client_id": 7, "text": "hello"}, "bad_request"),
        ({"type": "post", "client_id": "c-1", "text": "hello", "reply_to": 99}, "not_found"),
        ({"type": "post", "client_id": "c-1", "text": "hello", "reply_to": "1"}, "bad_request"),
        ({"type": "post", "client_id": "c-1", "text": "hello", "reply_to": 2**70}, "bad_request"),
        ({"type": "recall", "id": 99}, "not_found"),
        ({"type": "recall", "id": "1"}, "bad_request"),
        ({"type": "recall", "id": 0}, "bad_request"),
        ({"type": "recall", "id": 2**70}, "bad_request"),
        ({"type": "delete", "id": 99}, "not_found"),
        ({"type": "delete", "id": True}, "bad_request"),
    ],
)
async def test_a_refusal_names_what_it_refuses_as_it_was_sent(
    house: House, frame: dict[str, object], code: str
) -> None:
    browser = await house.member("小明")
    socket = await browser.socket()
    await socket.ws.send_json(frame)
    refused = await socket.expect("refused", code=code)
    for name in ("client_id", "id"):
        if name in frame and type(frame[name]) is not bool:
            assert refused[name] == frame[name]
    assert CHINESE.search(refused["message"])
    assert refused["retry_after_ms"] is None
    await socket.say("still here", "c-9")
    assert len(await browser.messages()) == 1


@pytest.mark.parametrize(("language", "is_chinese"), [("zh", True), ("en", False)])
async def test_a_refusal_speaks_the_readers_language(house: House, language: str, is_chinese: bool) -> None:
    browser = await house.member("小明")
    await browser.page(f"/?lang={language}")
    socket = await browser.socket()
    await socket.send("post", text="")
    assert bool(CHINESE.search((await socket.expect("refused"))["message"])) is is_chinese


@pytest.mark.parametrize("type", ["post", "recall", "delete", "typing", "ping"])
async def test_whatever_a_guest_sends_is_refused(house: House, type: str) -> None:
    await (await house.member("小明")).say("hello")
    guest = await house.guest()
    socket = await guest.socket()
    await socket.send(type, text="hello", id=1, client_id="c-1", t=1)
    refused = await socket.expect("refused")
    assert (refused["code"], refused["client_id"], refused["id"]) == ("login_required", "c-1", 1)
    assert [message["text"] for message in await guest.messages()] == ["hello"]


async def test_another_members_message_is_not_yours(house: House) -> None:
    message = await (await house.member("小明")).say("mine")
    socket = await (await house.member("mallory")).socket()
    for type in ("recall", "delete"):
        await socket.send(type, id=message["id"])
        assert (await socket.expect("refused", id=message["id"]))["code"] == "not_yours"


async def test_a_recall_that_comes_too_late_is_refused(house: House) -> None:
    browser = await house.member("小明")
    socket = await browser.socket()
    ack = await socket.say("mine", "c-1")
    house.clock.forward(30)
    await socket.send("recall", id=ack["id"])
    assert (await socket.expect("refused"))["code"] == "recall_expired"


# Recalling


@pytest.mark.parametrize("type", ["recall", "delete"])
async def test_taking_back_is_told_to_all_with_who_did_it(house: House, type: str) -> None:
    browser, guest, admin = await house.member("小明"), await house.guest(), await house.administrator()
    mine, theirs = await browser.socket(), await guest.socket()
    first, second = await mine.say("one", "c-1"), await mine.say("two", "c-2")
    await mine.send(type, id=first["id"])
    expected = {"type": type, "seq": 3, "id": first["id"], "by": "小明"}
    assert await mine.expect(type) == await theirs.expect(type) == expected
    await (admin.recall if type == "recall" else admin.delete)(second["id"])
    assert (await theirs.expect(type))["by"] == "店长"
    assert_rising(mine)
    assert_rising(theirs)


@pytest.mark.settings(history_limit=2)
async def test_an_expiry_is_told_to_all(house: House) -> None:
    browser = await house.member("小明")
    socket = await browser.socket()
    for n in range(4):
        await socket.say(str(n), f"c-{n}")
    await socket.in_step()
    assert [(frame["ids"], frame["first_id"]) for frame in socket.heard("expire")] == [([1], 2), ([2], 3)]


async def test_a_message_that_grew_old_goes_by_itself(tmp_path: Path) -> None:
    async with opened(tmp_path, real_time(), history_hours=0.0002) as house:  # 0.72 s
        browser = await house.member("小明")
        socket = await browser.socket()
        ack = await socket.say("short lived", "c-1")
        expired = await socket.expect("expire")
        assert (expired["ids"], expired["first_id"]) == ([ack["id"]], ack["id"] + 1)
        assert await browser.messages() == []


async def test_the_end_of_the_recall_window_is_told_to_the_author_alone(tmp_path: Path) -> None:
    async with opened(tmp_path, real_time(), recall_seconds=0.3) as house:
        xiaoming, xiaohong = await house.member("小明"), await house.member("小红")
        phone = await house.guest()
        await phone.log_in("小明")
        mine, also_mine, theirs = await xiaoming.socket(), await phone.socket(), await xiaohong.socket()
        ack = await mine.say("one", "c-1")
        recalled = await mine.say("two", "c-2")
        await mine.send("recall", id=recalled["id"])
        assert await mine.expect("settled") == {"type": "settled", "id": ack["id"]}
        await also_mine.expect("settled", id=ack["id"])
        third = await theirs.say("three", "c-3")
        assert await theirs.expect("settled") == {"type": "settled", "id": third["id"]}
        assert len(mine.heard("settled")) == len(theirs.heard("settled")) == 1


# Presence, typing, ping


async def test_a_member_is_present_once_however_many_tabs(house: House) -> None:
    xiaoming, xiaohong, guest = await house.member("小明"), await house.member("小红"), await house.guest()
    sockets = [await browser.socket() for browser in (xiaoming, xiaoming, xiaoming, xiaohong, guest, guest)]
    for socket in sockets:
        present = await socket.expect("presence", online=2, guests=2)
        assert sorted(present["members"]) == sorted(["小明", "小红"])
    await sockets[0].close()
    await sockets[3].close()
    present = await sockets[1].expect("presence", online=1)
    assert (present["members"], present["guests"]) == (["小明"], 2)


async def test_presence_is_told_at_most_once_a_second(house: House) -> None:
    """Counted over the whole time, because the delay of a single frame depends on the machine."""
    guest, loop = await house.guest(), asyncio.get_running_loop()
    begun = loop.time()
    watcher = await guest.dial()
    told = 0

    async def watch() -> None:
        nonlocal told
        async for message in watcher:
            told += message.json()["type"] == "presence"

    task = asyncio.create_task(watch())
    for _ in range(8):
        socket = await guest.socket()
        await asyncio.sleep(0.15)
        await socket.close()
    await watcher.close()
    await task
    assert 2 <= told <= 1 + (loop.time() - begun) / 0.99  # the clock's resolution is limited


async def test_hello_counts_the_newcomer_among_those_online(house: House) -> None:
    xiaoming, xiaohong, guest = await house.member("小明"), await house.member("小红"), await house.guest()
    assert (await xiaoming.socket()).hello["online"] == 1
    assert (await xiaoming.socket()).hello["online"] == 1
    assert (await xiaohong.socket()).hello["online"] == 2
    assert (await guest.socket()).hello["online"] == 2


async def test_typing_is_told_to_others_now_and_then(house: House) -> None:
    socket, reader = await (await house.member("小明")).socket(), await (await house.guest()).socket()
    for _ in range(5):
        await socket.send("typing")
    assert await reader.expect("typing") == {"type": "typing", "user": "小明"}
    await socket.in_step()
    house.clock.forward(10)
    await socket.send("typing")
    await reader.expect("typing")
    assert len(reader.heard("typing")) == 2


@pytest.mark.parametrize("t", [0, 1_795_329_360_000, 1.5, "a", None])
async def test_a_ping_is_answered_with_what_it_held(house: House, t: object) -> None:
    socket = await (await house.member("小明")).socket()
    await socket.send("ping", t=t)
    assert await socket.expect("pong") == {"type": "pong", "t": t, "now_ms": START_MS}


async def test_a_changed_avatar_does_not_disturb_the_numbers(house: House) -> None:
    browser = await house.member("小明")
    socket = await browser.socket()
    await socket.say("one", "c-1")
    await browser.post("/profile/", files={"avatar": picture()})
    await socket.say("two", "c-2")
    assert numbered(socket) == [1, 2]


# Reconnecting


async def test_who_missed_nothing_is_told_so(house: House) -> None:
    browser = await house.member("小明")
    await browser.say("one")
    hello = (await browser.socket()).hello
    socket = await browser.socket(after=hello["seq"], epoch=hello["epoch"])
    sync = await socket.expect("sync")
    assert (sync["complete"], sync["first_id"], sync["messages"]) == (True, 1, [])
    assert socket.types()[:2] == ["hello", "sync"]


async def test_who_was_away_gets_every_change_in_order_deleted_ones_included(house: House) -> None:
    browser = await house.member("小明")
    epoch = (await browser.socket()).hello["epoch"]
    for n in range(1, 6):
        await browser.say(str(n))
    await browser.recall(2)
    await browser.delete(4)
    await browser.delete(1)
    sync = await (await browser.socket(after=3, epoch=epoch)).expect("sync")
    assert sync["complete"] is True
    assert [(m["id"], m["seq"], m["state"]) for m in sync["messages"]] == [
        (5, 5, "live"), (2, 6, "recalled"), (4, 7, "deleted"), (1, 8, "deleted"),
    ]  # fmt: skip
    assert all(message["text"] == "" for message in sync["messages"][1:])


@pytest.mark.parametrize(
    "query",
    [
        {"after": 1},
        {"after": 1, "epoch": ""},
        {"after": 1, "epoch": "another"},
        {"after": 99, "epoch": "E"},
        {"after": "", "epoch": "E"},
        {"after": "-1", "epoch": "E"},
        {"after": "one", "epoch": "E"},
        {"after": "9" * 50, "epoch": "E"},
        {"after": "1.0", "epoch": "E"},
    ],
)
async def test_who_cannot_continue_gets_the_page_instead(house: House, query: dict[str, object]) -> None:
    browser = await house.member("小明")
    for n in range(3):
        await browser.say(str(n))
    await browser.delete(2)
    epoch = (await browser.socket()).hello["epoch"]
    socket = await browser.socket(**{name: epoch if value == "E" else value for name, value in query.items()})
    sync = await socket.expect("sync")
    assert sync["complete"] is False
    assert sync["messages"] == await browser.messages()


@pytest.mark.settings(history_limit=2)
async def test_who_was_away_across_expiry_learns_where_the_history_begins(house: House) -> None:
    browser = await house.member("小明")
    epoch = (await browser.socket()).hello["epoch"]
    for n in range(1, 6):
        await browser.say(str(n))
    sync = await (await browser.socket(after=1, epoch=epoch)).expect("sync")
    assert (sync["complete"], sync["first_id"]) == (True, 4)
    assert [message["id"] for message in sync["messages"]] == [4, 5]


@pytest.mark.settings(connections_per_address=0)
async def test_what_follows_the_snapshot_continues_it_exactly(house: House) -> None:
    """Readers that come and go while others post end with the same state as the API, and get each change once.

    They connect as often as the machine allows: there is no limit on handshakes.
    """
    await _readers_come_and_go(house)


async def _readers_come_and_go(house: House) -> None:
    talker, reader = await house.member("小明"), await house.member("小红")
    talking = await talker.socket()
    epoch = talking.hello["epoch"]

    async def talk() -> None:
        for n in range(120):
            ack = await talking.say(str(n), f"c-{n}")
            if n % 5 == 0:
                await talking.send("recall", id=ack["id"])
            if n % 7 == 0:
                await talking.send("delete", id=ack["id"])

    async def follow() -> dict[int, str]:
        known: dict[int, str] = {}
        seq = 0
        while not task.done() or seq < talking_seq():
            socket = await reader.socket(after=seq, epoch=epoch)
            await socket.in_step()
            sync = await socket.expect("sync")
            assert sync["complete"]
            assert_rising(socket)
            seen = numbered(socket)
            assert not seen or seen[0] > seq
            for message in [*sync["messages"], *(frame["message"] for frame in socket.heard("message"))]:
                known[message["id"]] = message["state"]
            for frame in socket.frames:
                if frame["type"] in ("recall", "delete"):
                    known[frame["id"]] = frame["type"] + ("ed" if frame["type"] == "recall" else "d")
            seq = max([seq, *seen])
            await socket.close()
        return known

    def talking_seq() -> int:
        return max(numbered(talking), default=0)

    task = asyncio.create_task(talk())
    known = await follow()
    await task
    await talking.in_step()
    page = (await reader.get("/api/messages/?limit=100")).json["messages"]
    kept = {message["id"]: message["state"] for message in page}
    assert {id: state for id, state in known.items() if state != "deleted" and id in kept} == kept
    assert_rising(talking)


async def test_the_epoch_survives_a_restart(tmp_path: Path) -> None:
    epochs = []
    for _ in range(2):
        async with opened(tmp_path) as house:
            epochs.append((await (await house.guest()).socket()).hello["epoch"])
    assert epochs[0] == epochs[1]


@pytest.mark.settings(text_max=10000, send_interval=0)
async def test_a_sync_of_very_long_messages_leaves_room_for_what_follows(house: House) -> None:
    browser = await house.member("小明")
    for number in range(40):
        await browser.say(f"{number} " + "很" * 9_900)
    stranger = await browser.socket(after=0, epoch="another")
    returning = await browser.socket(after=0, epoch=stranger.hello["epoch"])
    for socket in (stranger, returning):
        sync = await socket.expect("sync")
        assert sync["complete"] is False
        assert 10 < len(sync["messages"]) < 40
        assert sync["messages"][-1]["text"].startswith("39 ")
