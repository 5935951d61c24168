"""Only the server's user can read the files on the disk, with any umask at the server's start."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tests.client import Browser, picture
from tests.process.serving import serving


async def test_directories_are_0700_and_files_0600(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = os.umask(0)
    try:
        async with serving(data) as server, Browser(server.address) as member:
            await member.register("小明", avatar="")
            await member.post("/profile/", {}, {"avatar": picture()})
            await member.show(picture())
            modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in (data, *data.rglob("*"))}
            right = {path: 0o700 if path.is_dir() else 0o600 for path in modes}
            # The push socket is for a process of another user, which may enter only the socket's directory.
            right |= {data / "push": 0o755, data / "push/push.sock": 0o666}
            wrong = {str(path): oct(mode) for path, mode in modes.items() if mode != right[path]}
            assert wrong == {}
            assert {"chat.db", "chat.db-wal", "ballast", "secret.key", "control.sock"} <= {path.name for path in modes}
            assert [path for path in modes if path.parent.name == "images"]
    finally:
        os.umask(before)
