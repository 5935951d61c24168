"""A backup is the room at one moment: complete, also of a busy room, and without recalled content."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from chatserver.ops import snapshot
from tests.client import Browser, files_under, opened, picture, real_time
from tests.ops.conftest import Operate, Operator
from tests.ops.rooms import SECRET_TEXT, furnish, inside, manifest_of, members_of
from tests.process.serving import run, serving
from tests.support import eventually


async def test_what_was_recalled_is_in_no_byte_of_a_backup_made_right_after(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "room.tar"
    async with serving(data, "--send-interval", "0") as server, Browser(server.address) as member:
        await member.register("小明")
        kept = await member.show(picture(90, 90, colour="gold"), text="this stays")
        shown = await member.show(picture(200, 150), text=SECRET_TEXT)
        image, thumb = (await member.get(shown["image"])).body, (await member.get(shown["thumb"])).body
        await member.recall(shown["id"])
        edited = await member.say(f"{SECRET_TEXT}, before the edit")
        assert (await member.post(f"/edit_message/{edited['id']}/", {"text": "after the edit"})).status == 200
        assert (await run("backup", str(file), "--data-dir", str(data))).code == 0
        whole = file.read_bytes()
        assert (await member.get(kept["image"])).body in whole and b"this stays" in whole
        assert b"after the edit" in whole
        for gone in (SECRET_TEXT.encode(), image, thumb):
            assert gone not in whole


async def test_a_picture_recalled_while_the_backup_is_made_does_not_break_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is live in the copied database, so its picture is in the archive, and nowhere else."""
    loop, pack, packing, go_on = asyncio.get_running_loop(), snapshot._pack, asyncio.Event(), threading.Event()

    def slowly(*values: Any) -> None:
        loop.call_soon_threadsafe(packing.set)
        assert go_on.wait(120)
        pack(*values)

    monkeypatch.setattr(snapshot, "_pack", slowly)
    async with opened(tmp_path, real_time()) as house:
        member = await house.member("小明")
        shown = await member.show(picture(200, 150))
        image = (await member.get(shown["image"])).body
        taking = asyncio.create_task(house.server.room.snapshot.take({}))
        await packing.wait()
        await member.recall(shown["id"])
        original = tmp_path / shown["image"].removeprefix("/")
        await eventually(lambda: not original.exists())
        go_on.set()
        answer = await taking
        made = tmp_path / answer["file"]
        assert image in made.read_bytes()
        made.unlink()
        await eventually(lambda: image not in files_under(tmp_path).values())


async def test_an_archive_that_nobody_fetches_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "HANDOVER_SECONDS", 0.05)
    async with opened(tmp_path, real_time()) as house:
        made = tmp_path / (await house.server.room.snapshot.take({}))["file"]
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        await eventually(lambda: not made.exists())


async def test_what_expired_while_nothing_ran_is_not_in_a_backup(tmp_path: Path, operate: Operate) -> None:
    data, file, whole = tmp_path / "data", tmp_path / "room.tar", tmp_path / "whole.tar"
    async with opened(data, real_time()) as house:
        await (await house.member("小明")).say(SECRET_TEXT)
    assert (await operate("backup", whole, "--data-dir", data)).code == 0
    assert SECRET_TEXT.encode() in whole.read_bytes()
    database = (data / "chat.db").read_bytes()
    await asyncio.sleep(0.5)  # longer than the history that the next line sets
    made = await run("backup", str(file), "--data-dir", str(data), CHAT_HISTORY_HOURS="0.0001")
    assert made.code == 0, made.err
    assert SECRET_TEXT.encode() not in file.read_bytes()
    assert (data / "chat.db").read_bytes() == database, "a backup changes nothing"


async def test_any_tar_reads_it_and_it_is_for_its_owner_alone(tmp_path: Path, operate: Operate) -> None:
    await furnish(tmp_path / "data")
    for name in ("room.tar", "room.tar.gz", "room.tgz"):
        file = tmp_path / name
        done = await operate("backup", file, "--data-dir", tmp_path / "data", "--json")
        assert done.code == 0, done.err
        files = members_of(file)
        assert {"manifest.json", "chat.db", "secret.key"} < set(files)
        assert [entry["name"] for entry in manifest_of(file)["files"]] == [n for n in files if n != "manifest.json"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert (name == "room.tar") == (file.read_bytes()[:2] != b"\x1f\x8b")
    database = tmp_path / "looked-at.db"
    database.write_bytes(files["chat.db"])
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
    assert inside(tmp_path) == ["data", "looked-at.db", "room.tar", "room.tar.gz", "room.tgz"]


async def test_what_cannot_be_backed_up_is_one_line_and_changes_nothing(tmp_path: Path, operator: Operator) -> None:
    await furnish(tmp_path / "data")
    taken = tmp_path / "taken.tar"
    taken.write_text("mine")
    at = ("--data-dir", tmp_path / "data")

    def refused() -> None:
        assert "already exists" in operator("backup", taken, *at).complaint
        assert taken.read_text() == "mine"
        assert "no such directory" in operator("backup", tmp_path / "none/a.tar", *at).complaint
        assert "is a directory" in operator("backup", tmp_path, *at).complaint
        assert "inside the data directory" in operator("backup", tmp_path / "data/media/a.tar", *at).complaint
        assert "no chat database" in operator("backup", tmp_path / "a.tar", "--data-dir", tmp_path / "none").complaint
        assert not (tmp_path / "none").exists()
        assert operator("backup", taken, "--force", *at).code == 0
        assert "manifest.json" in members_of(taken)
        (tmp_path / "data/chat.db").write_bytes(b"not a database" * 1000)
        broken = operator("backup", tmp_path / "a.tar", *at)
        assert broken.code == 78 and "chat.db" in broken.complaint
        assert not (tmp_path / "a.tar").exists()

    await asyncio.to_thread(refused)
