"""The nightly backup works as its unit says: the test runs the unit's own lines in other directories."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from chatserver.db import migrations
from tests.ops.rooms import inside, manifest_of
from tests.process.serving import ROOT, environment

UNIT = (ROOT / "docs/deploy/chat-backup.service").read_text("utf-8")
KEPT = 14


def shell_lines(data: Path, archives: Path) -> list[str]:
    """The script that `sh -ec` gets from the service manager."""
    found = re.findall(r"^ExecStart(?:Post)?=/bin/sh -ec '(.+)'$", UNIT, re.MULTILINE)
    program = f"{sys.executable} {ROOT}/run.py --data-dir {data}"
    return [
        line.replace("$$", "$")
        .replace("%%", "%")
        .replace("/opt/chat/.venv/bin/chatserver", program)
        .replace("/var/backups/chat", str(archives))
        for line in found
    ]


def test_it_keeps_the_newest_of_what_it_made(tmp_path: Path) -> None:
    data, archives = tmp_path / "data", tmp_path / "archives"
    data.mkdir(mode=0o700)
    archives.mkdir()
    migrations.connect(data / "chat.db").close()
    old = [f"chat-20260101-0330{number:02}.tar" for number in range(KEPT)]
    for name in [*old, "somebody-else's.tar"]:
        (archives / name).touch()
    backup, rotate = shell_lines(data, archives)
    for line in (backup, rotate):
        done = subprocess.run(["/bin/sh", "-ec", line], env=environment(), capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")
    [made] = set(inside(archives)) - {*old, "somebody-else's.tar"}
    assert re.fullmatch(r"chat-\d{8}-\d{6}\.tar", made)
    assert manifest_of(archives / made)["schema"] == migrations.newest_version()
    assert inside(archives) == [*old[1:], made, "somebody-else's.tar"]
    assert f"tail -n +{KEPT + 1}" in UNIT


def test_its_paths_are_those_of_the_rooms_own_unit() -> None:
    room = (ROOT / "chat.service").read_text("utf-8")
    assert "/opt/chat/.venv/bin/chatserver" in room and "StateDirectory=chat\n" in room
    assert "Environment=CHAT_DATA_DIR=/var/lib/chat\n" in UNIT
    timer = (ROOT / "docs/deploy/chat-backup.timer").read_text("utf-8")
    assert "WantedBy=timers.target" in timer
