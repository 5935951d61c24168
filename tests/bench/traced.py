"""Runs the server and records which functions of the package are entered: the process that `trace_post.py` drives.

    python -P tests/bench/traced.py serve …       (PYTHONPATH names the tree whose server runs)

Reads `start` and `stop` from standard input and answers each with one line. The answer to `stop` is JSON: what was
recorded since `start`, as [file, function] in the order of time, the file relative to the package. A call into C that
hands bytes to the kernel has an empty function.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import chatserver
from chatserver.cli import main

_PACKAGE = f"{Path(chatserver.__file__).parent}/"
_WRITES = {"write", "writev", "sendfile", "send", "sendmsg"}


class Recorder:
    """Keeps one list for all threads. The interpreter's lock is held while an entry is appended, so the list is in time
    order."""

    def __init__(self) -> None:
        self._recorded: list[tuple[str, str]] | None = None

    def profile(self, frame: FrameType, kind: str, argument: Any) -> None:
        """The function for `sys.setprofile`."""
        recorded, code = self._recorded, frame.f_code
        if recorded is None or not code.co_filename.startswith(_PACKAGE):
            return
        if kind == "call":
            recorded.append((code.co_filename, code.co_qualname))
        elif kind == "c_call" and argument.__name__ in _WRITES:
            recorded.append((code.co_filename, ""))

    def follow_commands(self) -> None:
        for line in sys.stdin:
            if line == "start\n":
                self._recorded = []
                print("started", flush=True)
            else:
                recorded, self._recorded = self._recorded or [], None
                print(json.dumps([(path.removeprefix(_PACKAGE), name) for path, name in recorded]), flush=True)


if __name__ == "__main__":
    recorder = Recorder()
    # This thread is not profiled, because it starts before the profile function is set.
    threading.Thread(target=recorder.follow_commands, daemon=True).start()
    threading.setprofile(recorder.profile)
    sys.setprofile(recorder.profile)
    sys.exit(main())
