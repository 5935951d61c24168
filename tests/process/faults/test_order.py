"""The data is on the disk before a reader gets it."""

from __future__ import annotations

from pathlib import Path

from tests.client import Browser, picture
from tests.process.faults.tracing import calls, needs_strace, watching
from tests.process.serving import serving


@needs_strace
async def test_the_ack_and_the_broadcast_follow_the_disk(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    under = watching(log, "pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg")
    async with serving(tmp_path / "data", under=under) as server, Browser(server.address) as member:
        await member.register("小明")
        socket = await member.socket()
        await socket.say("MARKED-x1y2z3", "c-marked")
        assert (await server.stop()).code == 0

    made = list(calls(log))
    logged = [call for call in made if call.name == "pwrite64" and "chat.db-wal" in call.words]
    content = next(call for call in logged if "MARKED-x1y2z3" in call.words)
    synced = next(
        call
        for call in made
        if call.name in ("fdatasync", "fsync") and "chat.db-wal" in call.words and call.begun > content.ended
    )
    told = {word: _first_sent(made, word) for word in (r"\"type\":\"message\"", r"\"type\":\"ack\"")}
    for word, begun in told.items():
        assert begun > synced.ended, f"{word} was sent before the log was on the disk"


@needs_strace
async def test_a_picture_is_on_the_disk_before_its_row_is(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    under = watching(log, "pwrite64,fdatasync,fsync,rename,renameat,renameat2")
    async with serving(tmp_path / "data", under=under) as server, Browser(server.address) as member:
        await member.register("小明")
        shown = await member.show(picture())
        assert (await server.stop()).code == 0

    made = list(calls(log))
    key = shown["image"].rpartition("/")[2].partition(".")[0]
    row = next(c for c in made if c.name == "pwrite64" and "chat.db-wal" in c.words and key in c.words)
    for name in (f"{key}.webp", f"{key}.thumb.webp"):
        written = next(c for c in made if c.name in ("fsync", "fdatasync") and f".{name}.part" in c.words)
        renamed = next(c for c in made if c.name.startswith("rename") and f"/{name}" in c.words)
        assert written.ended < renamed.begun < row.begun
    folder = next(c for c in made if c.name == "fsync" and c.words.rstrip(") =0").endswith("media/images>"))
    assert folder.ended < row.begun


def _first_sent(made: list, word: str) -> int:  # type: ignore[type-arg]
    sent = [c.begun for c in made if c.name in ("write", "writev", "sendto", "sendmsg") and word in c.words]
    assert sent, f"{word} was never sent"
    return min(sent)
