"""An event is one line, even if a name, a header or an exception contains line breaks."""

from __future__ import annotations

import json
import logging
import os
import threading

import pytest

from chatserver.core import logs

pytestmark = pytest.mark.usefixtures("logging_as_before")

NASTY = "eve\n2026 ERROR forged\r\x1b[31mred\u2028\u202e\x00\x7f\ud800 小明"


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_forged_line_stays_inside_its_own(format: str, capfd: pytest.CaptureFixture[str]) -> None:
    logs.setup("info", format)
    logging.getLogger("chat").info("login of %s", NASTY)
    lines = capfd.readouterr().err.split("\n")
    assert len(lines) == 2 and lines[1] == ""
    assert lines[0].isprintable()
    assert "小明" in lines[0]


def test_json_gives_back_exactly_what_was_logged(capfd: pytest.CaptureFixture[str]) -> None:
    logs.setup("info", "json")
    logging.getLogger("chat").warning("login of %s", NASTY, extra={"address": "127.0.0.1", "waited_ms": 3})
    event = json.loads(capfd.readouterr().err)
    assert event["message"] == f"login of {NASTY}"
    assert event["level"] == "warning"
    assert event["logger"] == "chat"
    assert event["address"] == "127.0.0.1"
    assert event["waited_ms"] == 3
    assert event["time"].endswith("Z")


def test_json_folds_a_traceback_into_the_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    logs.setup("info", "json")
    _fail_and_log()
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "in _fail_and_log" in json.loads(err)["traceback"]


def test_text_indents_a_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    logs.setup("info", "text")
    _fail_and_log()
    first, *others = capfd.readouterr().err.rstrip("\n").split("\n")
    assert "it went wrong" in first
    assert len(others) > 2
    assert all(line.startswith("    ") for line in others)


def test_auto_is_json_where_no_terminal_is(capfd: pytest.CaptureFixture[str]) -> None:
    logs.setup("info", "auto")
    logging.getLogger("chat").info("hello")
    assert json.loads(capfd.readouterr().err)["message"] == "hello"


def test_auto_is_text_on_a_terminal(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    logs.setup("info", "auto")
    logging.getLogger("chat").info("hello")
    assert capfd.readouterr().err.endswith("INFO    chat: hello\n")


def test_what_is_below_the_level_is_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    logs.setup("warning", "text")
    logging.getLogger("chat").info("hello")
    assert capfd.readouterr().err == ""


def test_the_database_driver_never_prints_what_members_wrote(capfd: pytest.CaptureFixture[str]) -> None:
    logs.setup("debug", "text")
    logging.getLogger("aiosqlite").debug("executing INSERT … ('a secret',)")
    assert "secret" not in capfd.readouterr().err


def _fail_and_log() -> None:
    try:
        raise ValueError(NASTY)
    except ValueError:
        logging.getLogger("chat").exception("it went wrong")


def test_a_log_that_nobody_reads_holds_up_nothing_and_says_what_was_lost() -> None:
    reading, writing = os.pipe()
    stream, pipe = os.fdopen(writing, "w", buffering=1), os.fdopen(reading)
    handler = logs.ThreadHandler(stream)
    sent = logs.QUEUED_LINES_MAX + 20_000
    for number in range(sent):  # a pipe holds about 600 of these lines
        handler.emit(logging.makeLogRecord({"msg": f"line {number} " + "x" * 100}))
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(pipe))
    reader.start()
    handler.close()
    stream.close()
    reader.join()
    pipe.close()
    lost = sum(
        int(line.split()[0]) for line in lines if line.endswith("dropped: standard error was not read fast enough\n")
    )
    assert lost >= 10_000
    assert sum(line.startswith("line ") for line in lines) + lost == sent
