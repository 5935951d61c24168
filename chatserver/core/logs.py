"""The log: one event, one line, on standard error.

Names, headers and addresses come from outside and end up in log lines. Whatever they contain, a
line stays one line and a terminal is sent no control sequence. What members write is never
logged.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import re
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

# The id of the request that is being answered, for every line that is logged meanwhile; see http/request_id.py.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

LINES_WAITING_MAX = 10_000
CLOSING_SECONDS = 1.0

# At DEBUG these print statements with their parameters, which are people's messages.
_TALKATIVE = ("aiosqlite", "PIL")

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def setup(level: str, format: str, *, behind: bool = False) -> None:
    """Send all logging to standard error.

    `level`: "debug", "info", "warning" or "error". `format`: "text", "json", or "auto", which is
    text on a terminal and JSON elsewhere. `behind`: write from a thread of its own, for a program
    that must not wait for whoever reads its log. May be called again; the last call counts.
    """
    if format == "auto":
        format = "text" if sys.stderr.isatty() else "json"
    handler: logging.Handler = Behind(sys.stderr) if behind else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONLines() if format == "json" else TextLines())
    handler.addFilter(_name_request)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))


class Behind(logging.Handler):
    """Writes lines from a thread: a pipe that nobody empties fills up, and then a write waits for ever.

    Keeps LINES_WAITING_MAX lines; past that, lines are lost and the next one written says how many.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(LINES_WAITING_MAX)
        self._lost = 0
        # A daemon: a reader who never reads must not keep the program from ending.
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        """Give what waits a moment to be written."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=CLOSING_SECONDS)
        self._thread.join(CLOSING_SECONDS)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._lost:
                line, self._lost = f"{line}\n{self._lost} lines before this one were lost: the log was not read", 0
            with contextlib.suppress(OSError, ValueError):  # standard error is closed; there is nobody to tell
                self._stream.write(line + "\n")
                self._stream.flush()


def one_line(text: str) -> str:
    """`text` with everything escaped that is not plainly visible: `\\n`, `\\x1b`, `\\u202e` …"""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


class TextLines(logging.Formatter):
    """For people: a line an event, and a traceback indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds")
        fields = "".join(f" {key}={value}" for key, value in _extra(record).items())
        line = f"{time} {record.levelname:<7} {record.name}: {record.getMessage()}{fields}"
        return "\n    ".join(one_line(part) for part in [line, *_traceback(record).splitlines()])


class JSONLines(logging.Formatter):
    """For programs: an object a line, `extra` fields and a traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event: dict[str, Any] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if found := _traceback(record):
            event["traceback"] = found
        text = json.dumps(event, ensure_ascii=False, default=str)
        # JSON leaves line separators, direction marks and lone surrogates as they are.
        return re.sub(r"[^\x20-\x7e]", lambda c: c[0] if c[0].isprintable() else json.dumps(c[0])[1:-1], text)


def _name_request(record: logging.LogRecord) -> bool:
    """A filter that lets everything through, and says in whose request it was logged."""
    if request_id := REQUEST_ID.get():
        record.request = request_id
    return True


def _escaped(c: str) -> str:
    return c.encode("unicode_escape").decode("ascii")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller passed as `extra`."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD_FIELDS}


def _traceback(record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[1] is not None:
        parts.append("".join(traceback.format_exception(record.exc_info[1])).rstrip())
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)
