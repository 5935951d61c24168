"""The commands: their output, its stream, and the exit code. A traceback is never printed."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatserver import __version__, cli
from chatserver.core.config import SETTINGS
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db.data_lock import DataLocked
from chatserver.db.migrations import DatabaseUnusable
from chatserver.ops import text_table

Capture = pytest.CaptureFixture[str]
Called = list[tuple[Any, ...]]


class Unreachable(Exception):
    """The same as in chatserver.ops.control."""


@pytest.fixture(autouse=True)
def _settings(no_variables: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")


def complaint(capture: Capture) -> str:
    """The only line on standard error. Fails if anything else was printed."""
    out, err = capture.readouterr()
    assert out == ""
    assert err.endswith("\n") and err.count("\n") == 1, err
    assert err.startswith("chatserver: ")
    return err.removeprefix("chatserver: ").rstrip("\n")


# Wrong command lines


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["frobnicate"], "frobnicate"),
        (["serve", "--bogus"], "--bogus"),
        (["--bogus"], "--bogus"),
        (["serve", "--port"], "--port"),
        (["serve", "--por", "80"], "--por"),
        (["serve", "extra"], "extra"),
        (["create-admin"], "NAME"),
        (["create-admin", "alice", "bob"], "bob"),
        (["settings", "--jason"], "--jason"),
        (["--data-dir"], "--data-dir"),
        (["serve", "--two\nlines"], "--two"),
        (["two\nlines"], "two"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(argv: list[str], says: str, capsys: Capture) -> None:
    assert cli.main(argv) == 2
    assert says in complaint(capsys)


WRONG_VALUES = [
    ("host", ""), ("port", "eighty"), ("port", "-1"), ("port", "65536"), ("port", "٨"), ("port", ""), ("data_dir", " "),
    ("base_url", "chat.example.org"), ("base_url", "https://chat.example.org/room"), ("base_url", "ftp://x"),
    ("trusted_proxies", "localhost"), ("trusted_proxies", "10.0.0.0/33"), ("room_name", ""), ("room_name", "a\nb"),
    ("room_name", "x" * 41), ("language", "fr"), ("timezone", "Mars/Olympus"), ("timezone", "../etc"),
    ("registration", "maybe"), ("guests", "write"), ("send_interval", "-0.1"), ("send_interval", "nan"),
    ("send_interval", "inf"), ("send_interval", "soon"), ("recall_seconds", "x"), ("edit_seconds", "-1"),
    ("history_hours", "0"),
    ("ledger_days", "0"), ("ledger_days", "always"),
    ("history_limit", "0"), ("history_limit", "1.5"), ("image_max_kb", "5"), ("upload_max_mb", "0"), ("text_max", "0"),
    ("window_seconds", "86401"), ("max_connections", "-5"), ("connections_per_address", "many"),
    ("registrations_per_hour", ""), ("bcrypt_rounds", "3"), ("bcrypt_rounds", "31"), ("log_level", "loud"),
    ("log_format", "xml"), ("metrics_token", "short"), ("tls_cert", "a\0b"), ("tls_key", "x" * 5000),
    ("push", "sometimes"), ("push_services", "https://push.example.org"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG_VALUES)
def test_a_wrong_value_is_one_line_that_names_the_flag(name: str, value: str, capsys: Capture) -> None:
    flag = "--" + name.replace("_", "-")
    assert cli.main(["serve", f"{flag}={value}"]) == 2
    assert complaint(capsys).startswith(flag + ": must ")


@pytest.mark.parametrize(("name", "value"), [case for case in WRONG_VALUES if "\0" not in case[1]])
def test_a_wrong_value_is_one_line_that_names_the_variable(
    name: str, value: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = "CHAT_" + name.upper()
    monkeypatch.setenv(variable, value)
    assert cli.main(["settings"]) == 2
    assert complaint(capsys).startswith(variable + ": must ")


def test_every_kind_of_setting_is_tried_with_a_wrong_value() -> None:
    assert {name for name, _ in WRONG_VALUES} == {setting.name for setting in SETTINGS}


def test_half_a_certificate_is_refused(capsys: Capture) -> None:
    assert cli.main(["serve", "--tls-cert", "cert.pem"]) == 2
    assert "CHAT_TLS_KEY" in complaint(capsys)


# Help


@pytest.mark.parametrize("argv", [["--help"], *([command.name, "--help"] for command in cli.COMMANDS)])
def test_help_is_everywhere(argv: list[str], capsys: Capture) -> None:
    assert cli.main(argv) == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: chatserver")
    assert "--data-dir" in out
    assert err == ""


def test_the_help_of_serve_names_every_flag_variable_and_default(capsys: Capture) -> None:
    cli.main(["serve", "--help"])
    help = " ".join(capsys.readouterr().out.split())
    for setting in SETTINGS:
        assert f"{setting.flag} VALUE" in help
        assert f"(default: {setting.default or 'empty'}; variable: {setting.variable})" in help


def test_version(capsys: Capture) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"chatserver {__version__}\n"


def test_the_three_ways_to_start_are_one_program() -> None:
    root = Path(cli.__file__).parent.parent
    for start in (["run.py"], ["-m", "chatserver"]):
        done = subprocess.run(
            [sys.executable, *start, "--version"], cwd=root, capture_output=True, text=True, timeout=30
        )
        assert done.stdout == f"chatserver {__version__}\n", done.stderr


def test_printing_the_settings_loads_no_server() -> None:
    program = """
import sys
from chatserver.cli import main
main(["settings"])
heavy = {"aiohttp", "PIL", "bcrypt", "aiosqlite"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


# settings


def rows(capsys: Capture, *argv: str) -> dict[str, dict[str, Any]]:
    assert cli.main(["settings", "--json", *argv]) == 0
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_the_flag_wins_over_the_variable_and_the_variable_over_the_default(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (rows(capsys)["port"]["value"], rows(capsys)["port"]["source"]) == (8000, "default")
    monkeypatch.setenv("CHAT_PORT", "9000")
    assert (rows(capsys)["port"]["value"], rows(capsys)["port"]["source"]) == (9000, "variable")
    row = rows(capsys, "--port", "9100")["port"]
    assert (row["value"], row["source"], row["default"]) == (9100, "flag", 8000)


def test_the_data_directory_may_stand_before_or_after_the_command(capsys: Capture) -> None:
    assert rows(capsys, "--data-dir", "/srv/after")["data_dir"]["value"] == "/srv/after"
    for before in (["--data-dir", "/srv/before"], ["--data-dir=/srv/before"]):
        assert cli.main([*before, "settings", "--json"]) == 0
        assert '"value": "/srv/before"' in capsys.readouterr().out


def test_the_table_shows_every_setting_in_aligned_columns(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_ROOM_NAME", "莉莉的小店")
    assert cli.main(["settings"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [setting.variable for setting in SETTINGS]
    start = text_table.width(header[: header.index("FROM")])
    for line in lines:
        source = line.split()[-1]
        assert text_table.width(line.removesuffix(source)) == start
    assert any("聊天室" in line and "莉莉的小店" in line and line.endswith("variable") for line in lines)


def test_a_terminal_without_chinese_gets_escapes_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chatserver", "settings"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0
    assert "\\u804a" in done.stdout
    assert done.stderr == ""


def test_a_reader_that_stops_reading_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "chatserver", "settings"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=30
    )
    os.close(writer)
    assert done.stderr == ""


# serve and create-admin, with a stand-in for the server


@pytest.fixture
def operated(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Called]:
    """Replaces the server's part. `operated(answer)` sets what every call returns, or raises."""
    called: Called = []

    def prepare(answer: Any) -> Called:
        async def operate(config: Any, command: str, arguments: dict[str, Any]) -> Any:
            return respond(command, arguments)

        async def serve(config: Any, sources: Any) -> Any:
            return respond("serve", config)

        def respond(*call: Any) -> Any:
            called.append(call)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr("chatserver.core.logs.setup", lambda level, format, in_thread: None)
        for name, contents in (
            ("chatserver.ops.control.client", {"operate": operate, "Unreachable": Unreachable}),
            ("chatserver.ops.serve", {"serve": serve}),
        ):
            module = types.ModuleType(name)
            vars(module).update(contents)
            monkeypatch.setitem(sys.modules, name, module)
        return called

    return prepare


class Stdin(io.TextIOWrapper):
    def __init__(self, given: bytes, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(given))
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


Operated = Callable[[Any], Called]
Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("argv", [[], ["serve"], ["--port", "0"], ["--data-dir", "/srv/chat"]])
def test_serve_is_what_happens_when_no_command_is_given(argv: list[str], operated: Operated) -> None:
    called = operated(0)
    assert cli.main(argv) == 0
    assert [call[0] for call in called] == ["serve"]


def test_the_exit_code_of_serve_is_its_own(operated: Operated) -> None:
    operated(7)
    assert cli.main([]) == 7


@pytest.mark.parametrize("after", [b"\n", b"\r\n", b"", b"\nanother line\n"])
def test_create_admin_reads_one_line_as_the_password(
    after: bytes, operated: Operated, monkeypatch: Patch, capsys: Capture
) -> None:
    called = operated({"name": "小明", "created": True})
    monkeypatch.setattr(sys, "stdin", Stdin(b"secret-pass-1" + after))
    assert cli.main(["create-admin", "小明", "--password-stdin"]) == 0
    assert called == [("create-admin", {"name": "小明", "password": "secret-pass-1"})]
    assert capsys.readouterr().out == "小明 was created as an administrator\n"


def test_spaces_belong_to_a_password(operated: Operated, monkeypatch: Patch) -> None:
    called = operated({"name": "alice", "created": True})
    monkeypatch.setattr(sys, "stdin", Stdin(b" two words \n"))
    cli.main(["create-admin", "alice", "--password-stdin"])
    assert called[0][1]["password"] == " two words "


@pytest.mark.parametrize("argv", [["create-admin", "alice"], ["create-admin", "alice", "--password-stdin"]])
def test_an_existing_member_keeps_the_password_when_none_is_given(
    argv: list[str], operated: Operated, monkeypatch: Patch, capsys: Capture
) -> None:
    called = operated({"name": "alice", "created": False})
    monkeypatch.setattr(sys, "stdin", Stdin(b""))
    assert cli.main(argv) == 0
    assert called == [("create-admin", {"name": "alice", "password": None})]
    assert capsys.readouterr().out == "alice is an administrator\n"


def test_a_new_member_without_a_password_is_told_what_is_missing(
    operated: Operated, monkeypatch: Patch, capsys: Capture
) -> None:
    operated(DomainError(ErrorCode.PASSWORD_WEAK, reason="short", limit=8))
    monkeypatch.setattr(sys, "stdin", Stdin(b""))
    assert cli.main(["create-admin", "al\nice"]) == 1
    assert "al\\nice is not a member yet" in complaint(capsys)


def test_on_a_terminal_the_password_is_asked_for_twice(operated: Operated, monkeypatch: Patch, capsys: Capture) -> None:
    called = operated({"name": "alice", "created": False})
    monkeypatch.setattr(sys, "stdin", Stdin(b"", terminal=True))
    typed = iter(["secret-pass-1", "secret-pass-1"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    assert cli.main(["create-admin", "alice"]) == 0
    assert called[0][1]["password"] == "secret-pass-1"
    assert "with a new password" in capsys.readouterr().out


def test_two_different_passwords_change_nothing(operated: Operated, monkeypatch: Patch, capsys: Capture) -> None:
    called = operated({})
    monkeypatch.setattr(sys, "stdin", Stdin(b"", terminal=True))
    typed = iter(["secret-pass-1", "secret-pass-2"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    assert cli.main(["create-admin", "alice"]) == 1
    assert "do not match" in complaint(capsys)
    assert called == []


def test_a_password_that_is_no_text_is_a_wrong_call(operated: Operated, monkeypatch: Patch, capsys: Capture) -> None:
    called = operated({})
    monkeypatch.setattr(sys, "stdin", Stdin(b"\xff\xfe\n"))
    assert cli.main(["create-admin", "alice", "--password-stdin"]) == 2
    assert "UTF-8" in complaint(capsys)
    assert called == []


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (DomainError(ErrorCode.NAME_INVALID, reason="too_long", limit=20), 1, "20 characters"),
        (DomainError(ErrorCode.PASSWORD_WEAK, reason="common"), 1, "common"),
        (Unreachable("the server in /srv/chat does not answer"), 1, "/srv/chat"),
        (DataLocked("/srv/chat/chat.lock"), 1, "/srv/chat/chat.lock: another process"),
        (DatabaseUnusable("/srv/chat/chat.db: is damaged:\nrow 1"), 78, "/srv/chat/chat.db"),
        (PermissionError(errno.EACCES, "Permission denied", "/srv/chat"), 1, "cannot use /srv/chat: Permission denied"),
        (OSError(errno.EADDRINUSE, "address already in use"), 1, "address already in use"),
    ],
)
@pytest.mark.parametrize("argv", [["create-admin", "alice", "--password-stdin"], ["serve"]])
def test_what_cannot_be_done_is_one_line(
    argv: list[str], answer: Exception, code: int, says: str, operated: Operated, monkeypatch: Patch, capsys: Capture
) -> None:
    operated(answer)
    monkeypatch.setattr(sys, "stdin", Stdin(b"secret-pass-1\n"))
    assert cli.main(argv) == code
    assert says in complaint(capsys)


def test_an_interrupted_command_ends_quietly(operated: Operated, capsys: Capture) -> None:
    operated(KeyboardInterrupt())
    assert cli.main(["serve"]) == 130
    assert capsys.readouterr() == ("", "")


# reset-password, list-members, invite, version


def test_reset_password_hands_on_the_password_and_says_what_it_did(
    operated: Operated, monkeypatch: Patch, capsys: Capture, tmp_path: Path
) -> None:
    (tmp_path / "chat.db").touch()
    called = operated({"name": "小明", "sessions_ended": 2})
    monkeypatch.setattr(sys, "stdin", Stdin(b"secret-pass-1\n"))
    assert cli.main(["reset-password", "小明", "--password-stdin"]) == 0
    assert called == [("reset-password", {"name": "小明", "password": "secret-pass-1"})]
    assert capsys.readouterr().out == "小明 has a new password; sessions ended: 2\n"


@pytest.mark.parametrize("begun", [True, False])
def test_a_password_of_nobody_is_one_line_that_names_what_is_missing(
    begun: bool, operated: Operated, monkeypatch: Patch, capsys: Capture, tmp_path: Path
) -> None:
    if begun:
        (tmp_path / "chat.db").touch()
    operated(DomainError(ErrorCode.NOT_FOUND))
    monkeypatch.setattr(sys, "stdin", Stdin(b"secret-pass-1\n"))
    assert cli.main(["reset-password", "小明", "--password-stdin"]) == 1
    assert complaint(capsys) == ("there is no member named '小明'" if begun else f"no chat database in {tmp_path}")


def test_reset_password_without_a_password_changes_nothing(
    operated: Operated, monkeypatch: Patch, capsys: Capture
) -> None:
    called = operated({})
    monkeypatch.setattr(sys, "stdin", Stdin(b""))
    assert cli.main(["reset-password", "小明"]) == 1
    assert "--password-stdin" in complaint(capsys)
    assert called == []


MEMBER = {
    "id": 1, "name": "小明", "role": "member", "created_ms": 1_795_329_360_000, "seen_ms": None,
    "muted_until_ms": None, "banned": False,
}  # fmt: skip


def test_the_members_are_a_table_in_the_rooms_own_time(operated: Operated, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "chat.db").touch()
    troubles = {"seen_ms": MEMBER["created_ms"], "muted_until_ms": 1_795_332_960_000, "banned": True}
    bad = {**MEMBER, "name": "bad", **troubles}
    operated({"members": [MEMBER, bad], "next": None})
    assert cli.main(["list-members"]) == 0
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split("  ")[0] == "NAME"
    assert first.split() == ["小明", "member", "2026-11-22", "14:36", "-", "-"]
    assert second.endswith("2026-11-22 14:36  banned, muted until 2026-11-22 15:36")


def test_the_members_of_a_large_room_come_in_pages(
    operated: Operated, monkeypatch: Patch, capsys: Capture, tmp_path: Path
) -> None:
    (tmp_path / "chat.db").touch()
    answers = [{"members": [MEMBER], "next": 1}, {"members": [{**MEMBER, "id": 2}], "next": None}]
    asked = []
    operated(None)

    async def operate(config: Any, command: str, arguments: dict[str, Any]) -> Any:
        asked.append(arguments["after"])
        return answers[len(asked) - 1]

    monkeypatch.setattr(sys.modules["chatserver.ops.control.client"], "operate", operate)
    assert cli.main(["list-members", "--json"]) == 0
    assert [member["id"] for member in json.loads(capsys.readouterr().out)] == [1, 2]
    assert asked == [0, 1]


INVITE = {"code": "abc", "uses": 1, "expires_ms": 1_795_329_360_000, "registration": "invite", "address": ""}


@pytest.mark.parametrize(
    ("answered", "argv", "origin"),
    [
        ("https://chat.example.org", [], "https://chat.example.org"),
        ("http://127.0.0.1:49152", [], "http://127.0.0.1:49152"),
        ("", [], "http://127.0.0.1:8000"),
    ],
)
def test_invite_prints_an_address(
    answered: str, argv: list[str], origin: str, operated: Operated, capsys: Capture
) -> None:
    called = operated({**INVITE, "address": answered})
    assert cli.main(["invite", "--uses", "3", "--hours", "0.5", *argv]) == 0
    assert called == [("invite", {"uses": 3, "hours": 0.5})]
    assert capsys.readouterr() == (f"{origin}/register/?invite=abc\n", "")


@pytest.mark.parametrize(
    ("variable", "value", "origin"),
    [
        ("CHAT_BASE_URL", "https://chat.example.org", "https://chat.example.org"),
        ("CHAT_HOST", "::1", "http://[::1]:8000"),
        ("CHAT_PORT", "0", ""),
    ],
)
def test_where_no_server_runs_the_settings_say_the_address(
    variable: str, value: str, origin: str, operated: Operated, monkeypatch: Patch, capsys: Capture
) -> None:
    operated(INVITE)
    monkeypatch.setenv(variable, value)
    assert cli.main(["invite", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["address"] == f"{origin}/register/?invite=abc"
    assert told["expires_ms"] == INVITE["expires_ms"]


def test_an_invitation_that_nobody_is_asked_for_is_remarked_on(operated: Operated, capsys: Capture) -> None:
    operated({**INVITE, "registration": "open"})
    assert cli.main(["invite"]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("/register/?invite=abc\n")
    assert err.startswith("chatserver: registration is open") and err.count("\n") == 1


@pytest.mark.parametrize("argv", [["--uses", "0"], ["--uses", "many"], ["--hours", "0"], ["--hours", "nan"], ["x"]])
def test_an_impossible_invitation_is_a_wrong_call(argv: list[str], operated: Operated, capsys: Capture) -> None:
    called = operated(INVITE)
    assert cli.main(["invite", *argv]) == 2
    assert argv[0] in complaint(capsys)
    assert called == []


def test_the_version_is_a_command_too(capsys: Capture) -> None:
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out == f"chatserver {__version__}\n"
    assert cli.main(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": __version__}


# Settings that administrators changed


def test_the_rooms_own_word_wins_over_the_flag(operated: Operated, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "chat.db").touch()
    operated({"words": {"text_max": "500", "send_interval": "soon", "colour": "jade"}})
    told = rows(capsys, "--text-max", "900", "--send-interval", "3")
    assert (told["text_max"]["value"], told["text_max"]["source"]) == (500, "room")
    assert (told["send_interval"]["value"], told["send_interval"]["source"]) == (3.0, "flag")


def test_where_no_room_has_begun_settings_and_members_begin_none(
    capsys: Capture, tmp_path: Path, monkeypatch: Patch
) -> None:
    nowhere = tmp_path / "nowhere"
    monkeypatch.setattr(sys, "stdin", Stdin(b"secret-pass-1\n"))
    for argv, code in ((["settings"], 0), (["list-members"], 1), (["reset-password", "alice", "--password-stdin"], 1)):
        assert cli.main([*argv, "--data-dir", str(nowhere)]) == code
        assert not nowhere.exists()
        assert (f"no chat database in {nowhere}" in capsys.readouterr().err) == bool(code)
