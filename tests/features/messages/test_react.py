"""Reactions: what readers get after a change, and what returning clients get."""

from __future__ import annotations

import json

from tests.client import House

LONG = "很长的一条消息" * 285  # 1,995 characters, 6 KB


async def test_readers_get_the_reactions_alone(house: House) -> None:
    ming, hong, guest = await house.member("小明"), await house.member("小红"), await house.guest()
    said = await ming.say(LONG)
    reader, socket = await guest.socket(), await hong.socket()
    for _ in range(3):
        await socket.send("react", id=said["id"], emoji="👍")
        await socket.send("react", id=said["id"], emoji="👍", on=False)
    await socket.send("react", id=said["id"], emoji="🎉")
    last = await reader.expect("reactions", reactions=[{"emoji": "🎉", "users": ["小红"]}])
    heard = reader.heard("reactions")
    assert last == {"type": "reactions", "seq": said["seq"] + 7, "id": said["id"], "reactions": last["reactions"]}
    assert [each["seq"] for each in heard] == list(range(said["seq"] + 1, said["seq"] + 8))
    assert reader.heard("message") == []
    assert max(len(json.dumps(each)) for each in heard) < 200


async def test_a_reaction_that_changes_nothing_is_not_told(house: House) -> None:
    ming, hong = await house.member("小明"), await house.member("小红")
    said = await ming.say("你好")
    socket = await hong.socket()
    for _ in range(3):
        await socket.send("react", id=said["id"], emoji="👍")
    await socket.send("react", id=said["id"], emoji="🎉", on=False)
    await socket.say("然后", "after")
    assert len(socket.heard("reactions")) == 1


async def test_who_was_away_gets_the_whole_message_in_its_place_among_the_changes(house: House) -> None:
    ming, hong = await house.member("小明"), await house.member("小红")
    said = await ming.say(LONG)
    left = (await ming.socket()).hello
    socket = await hong.socket()
    await socket.send("react", id=said["id"], emoji="👍")
    change = await socket.expect("reactions")
    later = await hong.say("然后")
    sync = await (await ming.socket(after=left["seq"], epoch=left["epoch"])).expect("sync")
    assert [(each["id"], each["seq"]) for each in sync["messages"]] == [
        (said["id"], change["seq"]), (later["id"], later["seq"]),
    ]  # fmt: skip
    assert (sync["messages"][0]["text"], sync["messages"][0]["reactions"]) == (LONG, change["reactions"])
    assert (await ming.messages())[0]["reactions"] == change["reactions"]


async def test_the_seq_of_all_changes_of_messages_rises_strictly(house: House) -> None:
    ming = await house.member("小明")
    socket = await ming.socket()
    for number in range(4):
        ack = await socket.say(f"第 {number} 条", f"c{number}")
        await socket.send("react", id=ack["id"], emoji="👍")
        await socket.expect("reactions", id=ack["id"])
        end = "recall" if number % 2 else "delete"
        await socket.send(end, id=ack["id"])
        await socket.expect(end, id=ack["id"])
    changes = [frame for frame in socket.frames if frame["type"] in ("message", "reactions", "recall", "delete")]
    assert [frame["type"] for frame in changes[:3]] == ["message", "reactions", "delete"]
    seqs = [frame["seq"] for frame in changes]
    assert seqs == list(range(seqs[0], seqs[0] + 12))
