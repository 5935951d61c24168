"""An export has all stored data, and no secret."""

from __future__ import annotations

import json
import re
import sqlite3
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from chatserver.db import migrations
from chatserver.ops import export_rows
from tests.client import opened
from tests.ops.conftest import Operate, Operator
from tests.ops.rooms import SECRET_TEXT, furnish, inside


def objects(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def of_type(file: Path, kind: str) -> list[dict[str, Any]]:
    return [value for value in objects(file) if value["type"] == kind]


# Never exported: hashes, keys, and what can be derived from a column that is exported.
WITHHELD = {
    "room": "id",
    "notice": "id",
    "users": "password skeleton",
    "sessions": "token_hash",
    "invites": "code_hash",
    "bots": "token_hash",
    "used_invites": "code_hash",
    "password_links": "token_hash",
    "renames": "old_skeleton",
    "push_subscriptions": "endpoint public_key auth",
    "messages": "media_key client_key",
    "windows": "last_no entries",
    "orders": "client_key posted_seq entry window_closed",
    "journal": "id",
    "clock": "id boot wall_ms steady_ms behind_ms leapt_ms",
}


@pytest.mark.parametrize("name", ["messages", "orders", "journal", "audit"])
def test_a_table_that_grows_is_not_sorted_for_an_export(tmp_path: Path, name: str) -> None:
    [table] = [table for table in export_rows.TABLES if table.table == name]
    connection = migrations.connect(tmp_path / "chat.db")
    sql = f"EXPLAIN QUERY PLAN SELECT {', '.join(table.columns)} FROM {table.table} ORDER BY {table.order}"
    plan = [row[3] for row in connection.execute(sql)]
    connection.close()
    assert plan == [f"SCAN {name}"]


def test_every_column_of_the_database_is_exported_or_withheld_on_purpose(tmp_path: Path) -> None:
    """A new table or column needs a decision: add it to the feature's exports.py, or to WITHHELD here."""
    connection = migrations.connect(tmp_path / "chat.db")
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    tables = [name for name in tables if not name.startswith("sqlite_")]
    found = {(t, row[1]) for t in tables for row in connection.execute(f"PRAGMA table_xinfo({t})")}
    connection.close()
    exported = {(table.table, column) for table in export_rows.TABLES for column in table.columns}
    withheld = {(table, column) for table, columns in WITHHELD.items() for column in columns.split()}
    assert exported | withheld == found
    assert not exported & withheld


async def test_all_that_is_kept_is_exported(tmp_path: Path, operate: Operate) -> None:
    data, file = tmp_path / "data", tmp_path / "room.jsonl"
    was = await furnish(data)
    done = await operate("export", file, "--data-dir", data, "--json")
    assert done.code == 0, done.err
    assert done.json["lines"] == len(objects(file))
    assert objects(file)[0]["type"] == "export"
    [room] = of_type(file, "room")
    assert room["seq"] == was["hello"]["seq"] and room["epoch"] == was["hello"]["epoch"]
    assert [member["name"] for member in of_type(file, "member")] == ["店长", "小明", "小助手"]
    exported = of_type(file, "message")
    same = (
        "id",
        "seq",
        "state",
        "kind",
        "text",
        "user",
        "user_id",
        "timestamp",
        "created_ms",
        "reply_to",
        "width",
        "edited_ms",
    )
    assert [{name: m[name] for name in same} for m in exported] == [
        {name: m[name] for name in same} for m in was["messages"]
    ]
    assert [f"/media/{m['image']}" if m["image"] else "" for m in exported] == [m["image"] for m in was["messages"]]
    assert {setting["name"]: setting["value"] for setting in of_type(file, "setting")}["history_limit"] == "100"
    assert len(of_type(file, "window")) == len(of_type(file, "invite")) == 1
    assert len(of_type(file, "session")) == 2
    [bot] = of_type(file, "bot")
    assert (bot["user"], bot["manages_windows"], bot["made_by_name"]) == ("小助手", 1, "店长")
    assert {(entry["act"], entry["done_by_name"], entry["user"]) for entry in of_type(file, "audit")} == {
        ("member.create_admin", "", "店长"), ("window.open", "店长", ""), ("invite.make", "", ""),
        ("bot.make", "店长", "小助手"), ("notice.change", "店长", ""),
    }  # fmt: skip
    [notice] = of_type(file, "notice")
    assert (notice["text"], notice["changed_by_name"]) == ("pick up on Friday", "店长")


async def test_an_export_opens_no_door(tmp_path: Path, operate: Operate) -> None:
    data, file = tmp_path / "data", tmp_path / "room.jsonl"
    await furnish(data)
    assert (await operate("export", file, "--data-dir", data, "--html")).code == 0
    connection = sqlite3.connect(data / "chat.db")
    hashes = [row[0].encode() for row in connection.execute("SELECT password FROM users")]
    found = connection.execute(
        "SELECT token_hash FROM sessions UNION SELECT code_hash FROM invites UNION SELECT token_hash FROM bots"
    )
    tokens = [row[0] for row in found]
    connection.close()
    assert len(hashes) == 3 and len(tokens) == 4
    hashes.remove(b"")  # a bot has no password
    for path in (file, tmp_path / "room.html"):
        content = path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
        for secret in (*hashes, *tokens, (data / "secret.key").read_bytes()):
            assert secret not in content and secret.hex().encode() not in content
        assert not re.search(rb"\$2[aby]\$", content)
        assert SECRET_TEXT.encode() not in content


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.words += data


async def test_the_page_shows_every_message_as_text_and_its_pictures(tmp_path: Path, operate: Operate) -> None:
    data, file = tmp_path / "data", tmp_path / "out.jsonl"
    was = await furnish(data)
    said = await operate("export", file, "--html", tmp_path / "read me.html", "--data-dir", data)
    assert said.code == 0, said.err
    page = Page((tmp_path / "read me.html").read_text("utf-8"))
    assert "<b>早上好</b> & 'hello'" in page.words
    assert page.words.count("已编辑") == 1
    assert {tag for tag, _ in page.tags} <= {
        "html", "meta", "title", "style", "h1", "article", "header", "b", "time", "a", "p", "img",
        "section",
    }  # fmt: skip
    assert [tag for tag, _ in page.tags].count("article") == len(was["messages"])
    [notice] = of_type(file, "notice")
    told = page.words.partition("pick up on Friday")[0]
    assert "置顶通知" in told and "店长" in told and notice["timestamp"] in told
    [image] = [attributes for tag, attributes in page.tags if tag == "img"]
    assert (tmp_path / (image["src"] or "").replace("%20", " ")).read_bytes() == was["image"]


async def test_it_works_while_the_server_runs_and_replaces_nothing_unasked(tmp_path: Path, operate: Operate) -> None:
    data, file = tmp_path / "data", tmp_path / "room.jsonl"
    async with opened(data) as house:
        member = await house.member("小明")
        message = await member.say("hello")
        at = ("--data-dir", data)
        assert (await operate("export", file, *at)).code == 0
        assert [m["id"] for m in of_type(file, "message")] == [message["id"]]
        first = file.read_bytes()
        again = await operate("export", file, *at)
        assert again.code == 1 and "already exists" in again.complaint
        assert file.read_bytes() == first
        assert (await operate("export", file, "--force", "--html", *at)).code == 0
        assert (await operate("export", file, "--force", "--html", *at)).code == 0
    assert inside(tmp_path) == ["data", "room.html", "room.jsonl", "room_files"]


def test_where_there_is_no_room_none_is_made(tmp_path: Path, operator: Operator) -> None:
    said = operator("export", tmp_path / "a.jsonl", "--data-dir", tmp_path / "none")
    assert said.code == 1 and "no chat database" in said.complaint
    assert list(tmp_path.iterdir()) == []
