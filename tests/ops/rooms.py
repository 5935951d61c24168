"""Rooms to back up, and invalid archives."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from tests.bots import made
from tests.client import PASSWORD, Browser, opened, picture, real_time

SECRET_TEXT = "撤回-x1y2z3"


async def furnish(data_dir: Path) -> dict[str, Any]:
    """A closed room with one of everything. Returns its content."""
    async with opened(data_dir, real_time()) as house:
        keeper = await house.administrator("店长")
        member = await house.member("小明")
        face = await member.post("/profile/", {}, {"avatar": picture(300, 300, colour="navy")})
        assert face.status in (200, 303), face.body
        edited = await member.say(f"{SECRET_TEXT}, before the edit")
        await member.post(f"/edit_message/{edited['id']}/", {"text": "<b>早上好</b> & 'hello'"})
        shown = await member.show(picture(200, 100), text="a picture")
        gone = await member.say(SECRET_TEXT)
        await member.recall(gone["id"])
        await keeper.preset("start", seconds=600)
        await keeper.post("/notice/", {"text": f"{SECRET_TEXT}, replaced"})
        await keeper.post("/notice/", {"text": "pick up on Friday"})
        await house.server.room.invites.create(3, 24)
        bot = await made(keeper, "小助手", manages_windows=True)
        messages = await member.messages()
        image = (await member.get(shown["image"])).body
        hello = (await member.socket()).hello
        return {"messages": messages, "image": image, "hello": hello, "path": shown["image"], "bot": bot}


@contextlib.asynccontextmanager
async def visited(address: str, name: str = "小明"):  # type: ignore[no-untyped-def]
    async with Browser(address) as browser:
        answer = await browser.log_in(name, PASSWORD)
        assert answer.status == 200, answer.body
        yield browser


def inside(directory: Path) -> list[str]:
    """The names in the directory, also hidden ones."""
    return sorted(path.name for path in directory.iterdir())


def members_of(archive: Path) -> dict[str, bytes]:
    """The archive's content, as any tar reads it."""
    with tarfile.open(archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def manifest_of(archive: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(members_of(archive)["manifest.json"])
    return found


def forged(path: Path, contents: dict[str, bytes], *, extra: list[tarfile.TarInfo] = [], **changes: Any) -> Path:  # noqa: B006
    """An archive with a manifest for `contents`, with `changes` to the manifest. `extra` members have no content."""
    listed = [{"name": n, "size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in contents.items()]
    manifest = {
        "format": 1, "program": "0.1.0", "schema": 1, "created": "2026-11-22T00:00:00+00:00", "created_ms": 1,
        "epoch": "e", "seq": 1, "messages": 0, "missing": [], "files": listed, **changes,
    }  # fmt: skip
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in {"manifest.json": json.dumps(manifest).encode(), **contents}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in extra:
            tar.addfile(info)
    return path
