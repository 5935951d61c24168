"""The doctor finds faults, says what to do, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from chatserver.db import migrations
from chatserver.ops.doctor import data as doctor_data
from chatserver.ops.doctor import machine
from chatserver.ops.doctor import push as doctor_push
from chatserver.server import running
from tests.client import files_under, opened, real_time
from tests.ops.conftest import Operate, Operator, Said
from tests.process.serving import PATIENCE, start
from tests.support import make_config


def problems(said: Said) -> dict[str, dict[str, Any]]:
    """check -> finding, for findings of problems. Asserts that the exit code agrees, and that each says what to do."""
    found = {finding["check"]: finding for finding in said.json if finding["level"] == "problem"}
    assert said.code == (1 if found else 0)
    assert all(finding["advice"] for finding in found.values())
    return found


def levels(said: Said) -> dict[str, str]:
    return {finding["check"]: finding["level"] for finding in said.json}


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A data directory as a stopped server leaves it."""
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    migrations.connect(data_dir / "chat.db").close()
    (data_dir / "secret.key").write_bytes(b"k" * 32)
    (data_dir / "secret.key").chmod(0o600)
    return data_dir


def test_a_fresh_installation_is_healthy_and_stays_fresh(tmp_path: Path, operator: Operator) -> None:
    said = operator("doctor", "--data-dir", tmp_path / "none/yet")
    assert said.code == 0 and said.err == ""
    assert "0 problems" in said.out
    assert list(tmp_path.iterdir()) == []


def test_a_checkout_is_healthy(tmp_path: Path, operator: Operator) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data/.gitkeep").touch()
    assert problems(operator("doctor", "--json", "--data-dir", tmp_path / "data")) == {}
    assert files_under(tmp_path) == {"data/.gitkeep": b""}


def test_a_room_that_is_not_running_is_examined_without_changing_it(room: Path, operator: Operator) -> None:
    before = files_under(room)
    said = operator("doctor", "--json", "--data-dir", room)
    assert problems(said) == {}
    assert levels(said)["database"] == "ok"
    assert {name: content for name, content in files_under(room).items() if name != "chat.lock"} == before


async def test_a_running_room_is_examined_through_its_server(tmp_path: Path, operate: Operate) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o755)
    async with running(make_config(data_dir), real_time()) as server:  # which finds an empty directory
        done = await operate("doctor", "--json", "--data-dir", data_dir)
        assert done.code == 0, done.out + done.err
        found = {finding["check"]: finding for finding in json.loads(done.out)}
        assert found["server"]["level"] == found["database"]["level"] == found["address"]["level"] == "ok"
        assert server.address in found["address"]["text"]
    async with opened(data_dir, real_time(), base_url="http://chat.invalid"):
        done = await operate("doctor", "--json", "--data-dir", data_dir)
        assert done.code == 1
        found = {finding["check"]: finding for finding in json.loads(done.out)}
        assert found["address"]["level"] == "problem" and "chat.invalid" in found["address"]["text"]


NOBODY_ASKS = "nothing has asked for messages in the last 90 s"


async def test_push_notifications_without_their_process_are_a_warning(tmp_path: Path, operate: Operate) -> None:
    async with opened(tmp_path / "data", real_time(), push="on"):
        assert await _push_finding(operate, tmp_path / "data") == ("warning", NOBODY_ASKS)
        process = await start("push", "--data-dir", str(tmp_path / "data"))
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := await _push_finding(operate, tmp_path / "data"))[0] == "warning":
                    pass
            assert found == ("ok", "`chatserver push` is running")
        finally:
            process.terminate()
            await process.communicate()
    async with opened(tmp_path / "off", real_time()):
        assert await _push_finding(operate, tmp_path / "off") == ("note", "notifications are off")


async def _push_finding(operate: Operate, data_dir: Path) -> tuple[str, str]:
    """The level, and the text up to the first semicolon."""
    done = await operate("doctor", "--json", "--data-dir", data_dir)
    [found] = [finding for finding in json.loads(done.out) if finding["check"] == "push"]
    return found["level"], found["text"].partition(";")[0]


@pytest.mark.parametrize(
    ("outcomes", "last_sent_ms", "is_running", "level", "says"),
    [
        (
            {"sent": 2, "failed": 1, "gone": 0},
            1_800_000_000_000,
            True,
            "ok",
            "last sent 2027-01-15 08:00:00 UTC; 3 mess",
        ),
        ({"sent": 0, "failed": 0, "gone": 0}, None, True, "ok", "none sent since the start; 3 messages waiting"),
        ({"sent": 0, "failed": 1, "gone": 0}, None, True, "warning", "no push service has taken a message"),
        ({"sent": 9, "failed": 0, "gone": 0}, 1_800_000_000_000, False, "warning", "3 messages waiting"),
    ],
)
def test_what_the_doctor_says_of_push_notifications(
    outcomes: dict[str, int], last_sent_ms: int | None, is_running: bool, level: str, says: str
) -> None:
    found = doctor_push.delivery(
        {"is_running": is_running, "waiting": 3, "outcomes": outcomes, "last_sent_ms": last_sent_ms}
    )
    assert found.level == level and says in found.text
    assert bool(found.advice) == (level == "warning")


@pytest.mark.parametrize(
    ("name", "mode"), [(".", 0o755), ("chat.db", 0o644), ("secret.key", 0o640), ("media", 0o711), ("media/a", 0o604)]
)
def test_what_others_may_read_is_a_problem(room: Path, name: str, mode: int, operator: Operator) -> None:
    (room / "media").mkdir(mode=0o700)
    (room / "media/a").touch(mode=0o600)
    (room / name).chmod(mode)
    found = problems(operator("doctor", "--json", "--data-dir", room))
    assert list(found) == ["permissions"]
    assert str(room / name) in found["permissions"]["text"]
    assert "chmod" in found["permissions"]["advice"]


def _tear(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096)


def _age(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {migrations.newest_version() + 1}")
    connection.close()


@pytest.mark.parametrize("harm", [_tear, _age, lambda path: path.write_bytes(b"not a database" * 1000)])
def test_a_database_that_cannot_be_used_is_a_problem_and_stays_as_it_is(
    room: Path, harm: Any, operator: Operator
) -> None:
    harm(room / "chat.db")
    before = (room / "chat.db").read_bytes()
    found = problems(operator("doctor", "--json", "--data-dir", room))
    assert list(found) == ["database"]
    assert str(room / "chat.db") in found["database"]["text"]
    assert (room / "chat.db").read_bytes() == before


def test_a_damaged_secret_is_a_problem(room: Path, operator: Operator) -> None:
    (room / "secret.key").write_bytes(b"short")
    assert list(problems(operator("doctor", "--json", "--data-dir", room))) == ["secret"]


def test_a_clock_behind_the_newest_message_is_a_problem(room: Path, operator: Operator) -> None:
    connection = sqlite3.connect(room / "chat.db")
    connection.execute("INSERT INTO users (name, skeleton, password, created_ms) VALUES ('a', 'a', 'x', 1)")
    connection.execute(
        "INSERT INTO messages (seq, posted_seq, kind, user_id, created_ms, recall_until_ms)"
        " VALUES (1, 1, 'text', 1, ?, 0)",
        (int(time.time() * 1000) + 3_600_000,),
    )
    connection.commit()
    connection.close()
    assert list(problems(operator("doctor", "--json", "--data-dir", room))) == ["clock"]


def test_an_absurd_clock_is_a_problem(tmp_path: Path, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_YEARS", range(2100, 2200))
    assert list(problems(operator("doctor", "--json", "--data-dir", tmp_path / "none"))) == ["clock"]


def test_a_full_disk_is_a_problem(room: Path, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_data, "FREE_MIN", 10**18)
    assert list(problems(operator("doctor", "--json", "--data-dir", room))) == ["space"]


@pytest.mark.parametrize(
    ("flags", "check"),
    [
        (["--host", "0.0.0.0"], "host"),
        (["--host", "0.0.0.0", "--base-url", "http://chat.example.org"], "tls"),
        (["--base-url", "https://chat.example.org"], "proxy"),
        (["--bcrypt-rounds", "4"], "passwords"),
        (["--max-connections", "0"], "limits"),
    ],
)
def test_a_risky_setting_is_a_warning_that_does_not_fail(
    tmp_path: Path, flags: list[str], check: str, operator: Operator
) -> None:
    said = operator("doctor", "--json", "--data-dir", tmp_path / "none", *flags)
    assert problems(said) == {}
    assert levels(said)[check] == "warning"


def test_a_certificate_that_is_not_there_is_a_problem(tmp_path: Path, operator: Operator) -> None:
    flags = ("--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem")
    assert list(problems(operator("doctor", "--json", "--data-dir", tmp_path / "none", *flags))) == ["tls"]


def test_a_file_in_the_place_of_the_directory_is_a_problem(tmp_path: Path, operator: Operator) -> None:
    (tmp_path / "data").touch()
    assert list(problems(operator("doctor", "--json", "--data-dir", tmp_path / "data"))) == ["data"]


async def test_a_server_that_hangs_is_a_problem(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chatserver.db.data_lock import DataLock
    from chatserver.ops.doctor import data
    from tests.support import make_config

    monkeypatch.setattr(data, "ANSWER_SECONDS", 0.2)
    with DataLock(room):
        findings, answer = await asyncio.to_thread(data.checks, make_config(room))
    assert answer is None
    assert [finding.check for finding in findings if finding.is_problem] == ["server"]
