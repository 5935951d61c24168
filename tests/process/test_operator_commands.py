"""What an operator sees: the first line, the settings, the commands, and the errors if the server cannot run."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sqlite3
import stat
from pathlib import Path

import pytest

from chatserver.db.migrations import newest_version
from tests.client import PASSWORD, Browser, opened
from tests.process.serving import CHEAP, PATIENCE, listening, make_administrator, run, serving, start


async def test_serve_prints_where_it_listens_and_answers_there(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", server.address)
        async with Browser(server.address) as browser:
            assert (await browser.get("/healthz")).json == {"status": "ok"}
            assert (await browser.page("/")).status == 200
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        done = await server.stop()
    assert done.code == 0
    assert "Traceback" not in done.err


async def test_a_bare_call_serves_and_the_address_of_the_setup_page_works(tmp_path: Path) -> None:
    process = await start("--port", "0", "--data-dir", str(tmp_path), *CHEAP)
    async with listening(process) as server:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            second, third = [(await process.stdout.readline()).decode() for _ in range(2)]
        assert second == f"data directory: {tmp_path}\n"
        found = re.search(rf"^first administrator: {re.escape(server.address)}(/setup/\?token=\S+)$", third)
        assert found
        async with Browser(server.address) as browser:
            assert (await browser.page(found[1])).status == 200
        assert (await server.stop()).code == 0


async def test_the_address_of_the_setup_page_is_the_public_one_where_there_is_one(tmp_path: Path) -> None:
    flags = ("--base-url", "https://chat.example.org")
    async with serving(tmp_path, *flags) as server:
        told = (await server.stop()).out
    assert "first administrator: https://chat.example.org/setup/?token=" in told


async def test_the_flag_wins_over_the_variable_and_the_variable_over_the_default(tmp_path: Path) -> None:
    variables = {"CHAT_TEXT_MAX": "50", "CHAT_WINDOW_SECONDS": "60", "CHAT_LOG_LEVEL": "warning"}
    async with serving(tmp_path, "--text-max", "5", **variables) as server, Browser(server.address) as browser:
        limits = (await browser.socket()).hello["limits"]
        assert (limits["text_max"], limits["window_seconds"], limits["send_interval_ms"]) == (5, 60, 2000)
    shown = await run("settings", "--json", "--text-max", "5", "--data-dir", str(tmp_path), **variables)
    rows = {row["name"]: (row["value"], row["source"]) for row in json.loads(shown.out)}
    assert (rows["text_max"], rows["window_seconds"]) == ((5, "flag"), (60, "variable"))
    assert rows["send_interval"] == (2.0, "default")


async def test_an_administrator_is_made_while_nothing_runs(tmp_path: Path) -> None:
    made = await make_administrator(tmp_path)
    assert made.code == 0, made.err
    async with serving(tmp_path) as server, Browser(server.address) as browser:
        assert (await browser.log_in("店长")).json["user"]["role"] == "administrator"
        assert (await browser.preset("start")).status in (200, 201)


async def test_an_administrator_is_made_while_the_server_runs(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, Browser(server.address) as member, Browser(server.address) as admin:
        command = ("create-admin", "--password-stdin", "--data-dir", str(tmp_path))
        made = await run(*command, "店长", stdin=PASSWORD + "\n")
        assert made.code == 0, made.err
        assert (await admin.log_in("店长")).status == 200
        await member.register("小明")
        assert (await member.preset("start")).code == "forbidden"
        raised = await run(*command, "小明")  # without a password option the member keeps the old password
        assert raised.code == 0, raised.err
        assert (await member.preset("start")).status in (200, 201)
        assert (await member.log_in("小明")).json["user"]["role"] == "administrator"


@pytest.mark.parametrize(
    ("name", "password", "runs"),
    [("nobody", "", False), ("", PASSWORD, False), ("店长", "12345678", False), ("a\nb", PASSWORD, True)],
)
async def test_an_administrator_who_cannot_be_is_one_line(tmp_path: Path, name: str, password: str, runs: bool) -> None:
    command = ("create-admin", "--password-stdin", "--data-dir", str(tmp_path), name)
    if runs:
        async with serving(tmp_path):
            refused = await run(*command, stdin=password + "\n")
    else:
        refused = await run(*command, stdin=password + "\n")
    assert refused.code == 1
    assert refused.complaint


# Errors at the start


def damaged(path: Path) -> None:
    with sqlite3.connect(path) as database:
        size = database.execute("PRAGMA page_size").fetchone()[0]
    database.close()
    content = bytearray(path.read_bytes())
    content[size : 3 * size] = b"\xde\xad" * size
    path.write_bytes(content)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {newest_version() + 1}")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"this is a shopping list\n" * 500)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def of_another_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    database.close()


@pytest.mark.parametrize("spoil", [damaged, newer, garbage, cut_short, of_another_program])
async def test_a_database_that_cannot_be_used_is_named_and_left_alone(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    async with opened(tmp_path):
        pass
    file = tmp_path / "chat.db"
    spoil(file)
    before = file.read_bytes()
    for command in (("serve", "--port", "0"), ("create-admin", "小明", "--password-stdin")):
        done = await run(*command, "--data-dir", str(tmp_path), stdin=PASSWORD + "\n")
        assert (done.code, done.out) == (78, "")
        assert str(file) in done.complaint
        assert file.read_bytes() == before


async def test_a_database_that_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "chat.db").mkdir()
    done = await run("serve", "--port", "0", "--data-dir", str(tmp_path))
    assert done.code == 78
    assert str(tmp_path / "chat.db") in done.complaint


async def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = await run("serve", "--port", str(port), "--data-dir", str(tmp_path))
    assert done.code not in (0, 78)
    assert str(port) in done.complaint
    assert done.out == ""


async def test_a_second_server_on_the_same_data_is_one_line_and_the_first_goes_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, Browser(server.address) as browser:
        second = await run("serve", "--port", "0", "--data-dir", str(tmp_path))
        assert second.code not in (0, 78)
        assert str(tmp_path) in second.complaint
        assert (await browser.register("小明")).status == 201


@pytest.mark.parametrize("file", ["cert.pem", ""])
async def test_a_certificate_that_is_none_is_one_line(tmp_path: Path, file: str) -> None:
    (tmp_path / "cert.pem").write_text("not one")
    path = str(tmp_path / (file or "missing.pem"))
    done = await run(
        "serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--tls-cert", path, "--tls-key", path
    )
    assert done.code not in (0, 78)
    assert done.complaint


async def test_data_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = await run("serve", "--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert done.code not in (0, 78)
    assert "file" in done.complaint
