"""Every operator's command that changes the room adds an entry to the audit log, or its row here gives a reason."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from chatserver.ops.commands import find_commands
from tests.client import PASSWORD
from tests.ops.conftest import Operator
from tests.process.serving import prepare


class Row(NamedTuple):
    """`words`: the arguments after the command's name, with {file} for a file. `leaves`: the acts, or `why` there is
    none."""

    command: str
    words: str
    leaves: str = ""
    why: str = ""
    stdin: str = ""


READS = "it changes nothing"
ROWS = [
    Row("create-admin", "小明 --password-stdin", "member.create_admin", stdin=PASSWORD),
    Row("create-admin", "店长", "member.create_admin"),
    # Two acts: the role, and the password of an existing member.
    Row("create-admin", "店长 --password-stdin", "member.create_admin member.reset_password", stdin=PASSWORD),
    Row("reset-password", "店长 --password-stdin", "member.reset_password", stdin=PASSWORD),
    Row("reset-password", "店长 --link", "member.password_link"),
    Row("invite", "--uses 2", "invite.make"),
    Row("restore", "{file} --force", "room.restore"),
    Row("backup", "{file} --force", why=READS),
    Row("export", "{file}.jsonl", why=READS),
    Row("list-members", "", why=READS),
    Row("settings", "", why=READS),
    Row("doctor", "", why=READS),
    Row("version", "", why=READS),
    Row("serve", "--help", why="the server's own start"),
    Row("push", "--help", why="it sends what the server hands over"),
]


def entries(data_dir: Path) -> list[tuple[str, int | None, str]]:
    with closing(sqlite3.connect(data_dir / "chat.db")) as connection:
        return connection.execute("SELECT act, done_by, device FROM audit ORDER BY id").fetchall()


def acts_after(data_dir: Path, count: int) -> Iterator[str]:
    for act, done_by, device in entries(data_dir)[count:]:
        assert (done_by, device) == (None, ""), "the operator, at no device of a browser"
        yield act


def test_every_command_has_a_row() -> None:
    assert {row.command for row in ROWS} == {command.name for command in find_commands()}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`data`, a room with one administrator, and `kept.tar`, a backup of it."""
    folder = tmp_path_factory.mktemp("prepared")
    asyncio.run(prepare(folder, "店长"))
    return folder


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.command} {row.words}".strip())
def test_it_leaves_what_its_row_says(prepared: Path, tmp_path: Path, row: Row, operator: Operator) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    data, file = tmp_path / "data", tmp_path / "kept.tar"
    at = ("--data-dir", data)
    before = len(entries(data))
    words = row.words.format(file=file).split()
    done = operator(row.command, *words, *at, typed=row.stdin + "\n")
    assert row.command == "doctor" or done.code == 0, done
    assert list(acts_after(data, before)) == row.leaves.split()
