"""A restore does all or nothing, and keeps the data that was there before."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from chatserver.db import migrations
from chatserver.ops.swap_directories import _rename_in_turn, swap_directories
from tests.bots import Bot
from tests.client import files_under, opened, real_time
from tests.ops.conftest import Operate, Operator
from tests.ops.rooms import forged, furnish, inside, members_of, visited
from tests.process.serving import run, serving
from tests.support import eventually

KEY = "A" * 24


def database_of(path: Path, change: str = "") -> bytes:
    """A new database of this program, then `change`d."""
    connection = migrations.connect(path)
    connection.executescript(change)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    return path.read_bytes()


async def test_a_restored_room_is_the_one_that_was_backed_up(tmp_path: Path, operate: Operate) -> None:
    data, file, copy = tmp_path / "data", tmp_path / "room.tar.gz", tmp_path / "copy"
    was = await furnish(data)
    assert (await operate("backup", file, "--data-dir", data)).code == 0
    done = await operate("restore", file, "--data-dir", copy)
    assert done.code == 0 and str(copy) in done.out, done.err
    original, restored = files_under(data), files_under(copy)
    assert set(restored) == set(original) - {"chat.lock", "ballast"}
    assert all(restored[name] == original[name] for name in restored if name != "chat.db")
    for path in (copy, *copy.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    async with serving(copy) as server, visited(server.address) as member:
        assert await member.messages() == was["messages"]
        assert (await member.get(was["path"])).body == was["image"]
        socket = await member.socket(after=was["hello"]["seq"], epoch=was["hello"]["epoch"])
        assert socket.hello["epoch"] != was["hello"]["epoch"]
        assert socket.hello["seq"] == was["hello"]["seq"]
        assert socket.hello["notice"]["text"] == was["hello"]["notice"]["text"] == "pick up on Friday"
        assert (await socket.expect("sync"))["complete"] is False
        async with Bot(server.address, was["bot"]["token"]) as bot:
            assert (await bot.say("the old token is right"))["user"] == "小助手"


async def test_what_was_there_is_kept_beside_it(tmp_path: Path, operate: Operate) -> None:
    data, file = tmp_path / "data", tmp_path / "room.tar"
    await furnish(data)
    assert (await operate("backup", file, "--data-dir", data)).code == 0
    async with opened(data, real_time()) as house:
        await (await house.member("小红")).say("said after the backup")
    before = files_under(data)
    refused = await operate("restore", file, "--data-dir", data)
    assert refused.code == 1 and "--force" in refused.complaint
    assert files_under(data) == before
    done = await operate("restore", file, "--data-dir", data, "--force")
    assert done.code == 0, done.err
    kept = tmp_path / next(name for name in inside(tmp_path) if name.startswith("data.before-restore-"))
    assert str(kept) in done.out
    assert files_under(kept) == before
    assert b"said after the backup" not in (data / "chat.db").read_bytes()
    assert inside(tmp_path) == ["data", kept.name, "room.tar"]


async def test_a_running_server_is_not_robbed_of_its_data(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "room.tar"
    async with serving(data):
        assert (await run("backup", str(file), "--data-dir", str(data))).code == 0
        refused = await run("restore", str(file), "--data-dir", str(data), "--force")
        assert refused.code == 1 and "stop the server" in refused.complaint


async def test_an_old_backup_is_expired_by_todays_clock_before_anyone_reads_it(
    tmp_path: Path, operate: Operate
) -> None:
    data, file = tmp_path / "data", tmp_path / "room.tar"
    was = await furnish(data)
    assert (await operate("backup", file, "--data-dir", data)).code == 0
    assert (await operate("restore", file, "--data-dir", data, "--force")).code == 0
    assert was["image"] in files_under(data).values()
    await asyncio.sleep(0.5)  # longer than the history that the next line sets
    async with serving(data, "--history-hours", "0.0001") as server, visited(server.address) as member:
        answer = (await member.get("/api/recent_messages/")).json
        assert answer["messages"] == []
        assert answer["first_id"] == was["messages"][-1]["id"] + 1
        assert (await member.get(was["path"])).status in (404, 410)
        assert was["image"] not in files_under(data).values()
        await eventually(lambda: not any("早上好".encode() in content for content in files_under(data).values()))


@pytest.mark.parametrize("nothing", ["", ".gitkeep", "media/uploads/"])
def test_an_empty_directory_is_no_loss(tmp_path: Path, nothing: str, operator: Operator) -> None:
    file = forged(tmp_path / "room.tar", {"chat.db": database_of(tmp_path / "x.db")})
    data = tmp_path / "data"
    data.mkdir()
    if nothing.endswith("/"):
        (data / nothing).mkdir(parents=True)
    elif nothing:
        (data / nothing).touch()
    assert operator("restore", file, "--data-dir", data).code == 0
    assert (data / "chat.db").is_file()
    assert (data / ".gitkeep").exists() == (nothing == ".gitkeep")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "room.tar", "x.db"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_what_root_does_leaves_the_files_to_the_servers_user(tmp_path: Path, operate: Operate) -> None:
    data, file, user = tmp_path / "data", tmp_path / "room.tar", 12_345
    data.mkdir(mode=0o700)
    migrations.connect(data / "chat.db").close()
    for path in (data, data / "chat.db"):
        os.chown(path, user, user)

    def owners() -> set[int]:
        return {path.stat().st_uid for path in (data, *data.rglob("*"))}

    assert (await operate("doctor", "--data-dir", data)).code == 0
    assert owners() == {user}
    assert (await operate("backup", file, "--data-dir", data)).code == 0
    assert owners() == {user}
    assert (await operate("restore", file, "--data-dir", data, "--force")).code == 0
    assert owners() == {user}
    assert file.stat().st_uid == 0


def _link(name: str, kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def _damaged_archives(tmp: Path) -> dict[str, Path]:
    database = database_of(tmp / "good.db")
    good = {"chat.db": database, f"media/images/{KEY}.webp": b"picture", "secret.key": b"k" * 32}
    whole = forged(tmp / "whole.tar", good).read_bytes()
    flipped = bytearray(whole)
    flipped[whole.index(b"picture")] ^= 1
    made: dict[str, Path] = {}

    def put(name: str, content: bytes) -> None:
        made[name] = tmp / f"{name}.tar"
        made[name].write_bytes(content)

    def forge(name: str, contents: dict[str, bytes], **more: Any) -> None:
        made[name] = forged(tmp / f"{name}.tar", contents, **more)

    put("empty", b"")
    put("text", b"just some text\n" * 1000)
    put("cut", whole[: len(whole) // 2])
    put("cut-at-a-block", whole[: len(whole) // 1024 * 512])
    put("flipped", bytes(flipped))
    put("gzip-cut", b"\x1f\x8b\x08\x00garbage")
    forge("outside", {**good, "../evil": b"x"})
    forge("absolute", {**good, "/tmp/evil": b"x"})
    forge("inside", {**good, "media/images/../../evil.webp": b"x"})
    forge("hidden", {**good, "media/images/.bashrc": b"x"})
    forge("twice", good, files=[{"name": "chat.db", "size": 1, "sha256": "0" * 64}] * 2)
    forge("not-listed", good, files=[])
    forge("lying-size", good, files=[{"name": n, "size": 10**12, "sha256": "0" * 64} for n in good])
    forge("lying-number", good, files=[{"name": n, "size": -1, "sha256": "0" * 64} for n in good])
    forge("newer-format", good, format=2)
    forge("symlink", good, extra=[_link("media/images/x", tarfile.SYMTYPE, "/etc")])
    forge("hardlink", good, extra=[_link("media/images/x", tarfile.LNKTYPE, "/etc/passwd")])
    forge("device", good, extra=[_link("media/images/x", tarfile.CHRTYPE, "")])
    forge("directory", good, extra=[_link("media", tarfile.DIRTYPE, "")])
    forge("no-database", {"secret.key": b"k" * 32})
    return made


def _unusable_databases(tmp: Path) -> dict[str, Path]:
    whole = database_of(tmp / "whole.db")
    torn = bytearray(whole)
    torn[4096 * 2 : 4096 * 3] = b"\xff" * 4096
    foreign = tmp / "foreign.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE messages (created_ms)")
    connection.close()
    newer = migrations.newest_version() + 1
    return {
        "torn": forged(tmp / "torn.tar", {"chat.db": bytes(torn)}),
        "no-database": forged(tmp / "nodb.tar", {"chat.db": b"text" * 1000}),
        "somebody-else's": forged(tmp / "foreign.tar", {"chat.db": foreign.read_bytes()}),
        "newer": forged(tmp / "newer.tar", {"chat.db": database_of(tmp / "n.db", f"PRAGMA user_version = {newer}")}),
        "newer-and-says-so": forged(tmp / "said.tar", {"chat.db": whole}, schema=newer),
    }


@pytest.mark.parametrize(("made", "code"), [(_damaged_archives, 1), (_unusable_databases, 78)])
def test_an_archive_that_is_not_whole_is_one_line_and_changes_nothing(
    made: Any, code: int, tmp_path: Path, operator: Operator
) -> None:
    data, place = tmp_path / "room/data", tmp_path / "archives"
    data.mkdir(parents=True)
    place.mkdir()
    (data / "chat.db").write_text("what is there")
    for name, file in made(place).items():
        for target in (data, tmp_path / "room/new"):
            said = operator("restore", file, "--force", "--data-dir", target)
            assert said.code == code, (name, said)
            assert str(file) in said.complaint, name
            assert files_under(tmp_path / "room") == {"data/chat.db": b"what is there"}, name
            assert [path.name for path in (tmp_path / "room").iterdir()] == ["data"], name


def test_an_older_schema_is_brought_up_to_date(tmp_path: Path, operator: Operator) -> None:
    old = tmp_path / "old.db"
    connection = sqlite3.connect(old)
    first = migrations._steps()[0]
    connection.executescript(first.sql)
    connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {first.number}")
    connection.close()
    file = forged(tmp_path / "old.tar", {"chat.db": old.read_bytes()})
    assert operator("restore", file, "--data-dir", tmp_path / "data").code == 0
    migrations.inspect(tmp_path / "data/chat.db")
    connection = sqlite3.connect(tmp_path / "data/chat.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (migrations.newest_version(),)
    connection.close()
    # The archive itself is the copy to go back to, so no second copy of the room is made.
    assert not list((tmp_path / "data").glob("*.schema-*"))
    assert old.read_bytes() == members_of(file)["chat.db"]


def test_what_is_not_there_is_one_line(tmp_path: Path, operator: Operator) -> None:
    assert "none.tar" in operator("restore", tmp_path / "none.tar", "--data-dir", tmp_path / "data").complaint
    assert not (tmp_path / "data").exists()
    file = forged(tmp_path / "a.tar", {"chat.db": b""})
    assert "no such directory" in operator("restore", file, "--data-dir", tmp_path / "none/data").complaint


@pytest.mark.parametrize("swap", [swap_directories, _rename_in_turn])
def test_two_directories_change_places(tmp_path: Path, swap: Any) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for directory in (one, other):
        directory.mkdir()
        (directory / directory.name).touch()
    swap(one, other)
    assert (one / "other").exists() and (other / "one").exists()
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(OSError):
        swap(one, tmp_path / "none")
    assert (one / "other").exists()
