"""Logging to standard error, one line for each event.

Log lines contain names, headers and addresses from clients. The formatters escape them, so that an
event stays one line and no control sequence reaches a terminal. Message texts are never logged.
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

# The id of the current request, added to each line that is logged during it; see http/request_id.py.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

QUEUED_LINES_MAX = 10_000
CLOSE_TIMEOUT_SECONDS = 1.0

# At DEBUG level these libraries log SQL statements with their parameters, which are message texts.
_VERBOSE_LOGGERS = ("aiosqlite", "PIL")

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def setup(level: str, format: str, *, in_thread: bool = False) -> None:
    """Send all logging to standard error.

    `level`: "debug", "info", "warning" or "error". `format`: "text", "json", or "auto", which is
    text on a terminal and JSON elsewhere. `in_thread`: write in a separate thread, so that a slow
    reader of standard error does not block the program. A later call replaces the earlier setup.
    """
    if format == "auto":
        format = "text" if sys.stderr.isatty() else "json"
    handler: logging.Handler = ThreadHandler(sys.stderr) if in_thread else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter() if format == "json" else TextFormatter())
    handler.addFilter(_add_request_id)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))


class ThreadHandler(logging.Handler):
    """Writes lines in a thread, because a write to a full pipe blocks until the other end reads.

    Queues at most QUEUED_LINES_MAX lines and drops further lines. The next line that is written gives their number.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(QUEUED_LINES_MAX)
        self._dropped = 0
        # A daemon thread: a blocked write must not keep the program from ending.
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Wait at most 2 × CLOSE_TIMEOUT_SECONDS for the queued lines to be written."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=CLOSE_TIMEOUT_SECONDS)
        self._thread.join(CLOSE_TIMEOUT_SECONDS)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._dropped:
                line, self._dropped = (
                    f"{line}\n{self._dropped} earlier lines were dropped: standard error was not read fast enough",
                    0,
                )
            with contextlib.suppress(OSError, ValueError):  # standard error is closed
                self._stream.write(line + "\n")
                self._stream.flush()


def escape_unprintable(text: str) -> str:
    """`text` with every character escaped that str.isprintable rejects: `\\n`, `\\x1b`, `\\u202e` …"""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


class TextFormatter(logging.Formatter):
    """One line of text for each event, with a traceback indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds")
        fields = "".join(f" {key}={value}" for key, value in _extra(record).items())
        line = f"{time} {record.levelname:<7} {record.name}: {record.getMessage()}{fields}"
        return "\n    ".join(escape_unprintable(part) for part in [line, *_traceback(record).splitlines()])


class JSONFormatter(logging.Formatter):
    """One JSON object in one line for each event, with the `extra` fields and a traceback."""

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
        # json.dumps does not escape line separators, direction marks and lone surrogates.
        return re.sub(r"[^\x20-\x7e]", lambda c: c[0] if c[0].isprintable() else json.dumps(c[0])[1:-1], text)


def _add_request_id(record: logging.LogRecord) -> bool:
    """A logging filter that adds the request id to the record and accepts every record."""
    if request_id := REQUEST_ID.get():
        record.request = request_id
    return True


def _escaped(c: str) -> str:
    return c.encode("unicode_escape").decode("ascii")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    """The fields that the caller passed as `extra`."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD_FIELDS}


def _traceback(record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[1] is not None:
        parts.append("".join(traceback.format_exception(record.exc_info[1])).rstrip())
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)
