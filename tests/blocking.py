"""A call that blocks the event loop fails the test in which it happens.

`blockbuster` patches the calls that may wait for a disk, a lock or another machine. If the product makes such a call
while a loop runs, the call raises an error and is recorded, because a handler of the product might answer 500 for the
error, or a task of it might only log it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from blockbuster import BlockBuster, BlockBusterFunction, BlockingError
from blockbuster import blockbuster as machinery

_TESTS = str(Path(__file__).parent)
_COROUTINE = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_PRODUCT = str(Path(__file__).parents[1] / "chatserver")

# Calls that `blockbuster` does not watch: to open a file is half of reading it, a resolver takes any time, and a hash
# takes a quarter of a second.
_MORE = (
    *("io.open", "builtins.open", "os.open", "os.fsync", "os.fdatasync", "os.truncate", "os.chmod", "fcntl.flock"),
    *("shutil.copyfile", "shutil.copyfileobj", "shutil.rmtree", "socket.getaddrinfo", "subprocess.Popen.wait"),
    *("bcrypt.hashpw", "bcrypt.checkpw"),
)

# The calls that may block: (end of the file's name, function in that file, reason).
_ALLOWED = (
    ("chatserver/server.py", "running", "at its start and at its end the server serves nobody"),
    ("ops/control/client.py", "operate", "an operator's command has a process of its own, which serves nobody"),
    ("ops/control/client.py", "ask", "the same, of the doctor"),
    ("jinja2/environment.py", "_load_template", "each is read once; in the program a thread does, see ops/serve.py"),
    ("realtime/shared_buffer.py", "_file_of", "a file in memory, which no disk has to do with"),
    ("realtime/shared_buffer.py", "send_to", "from that file to a socket that does not wait"),
    ("status/metrics.py", "resident_bytes", "what lies under /proc is read from the kernel's memory"),
    ("logging/__init__.py", "emit", "the program's handler writes in a thread (logs.ThreadHandler); pytest's do not"),
    ("subprocess.py", "__init__", "a worker's pipes are given files of Python's; no disk has to do with it"),
)
# This joins strings. It asks the kernel only for a relative path, and the kernel answers from memory.
_HARMLESS = ("os.path.abspath", "os.getcwd")


class Found:
    """The calls that blocked since the last call of this function."""

    def __init__(self) -> None:
        self._calls: list[str] = []

    def note(self, call: str) -> None:
        self._calls.append(call)

    def taken(self) -> list[str]:
        calls, self._calls = self._calls, []
        return calls


@contextmanager
def forbidden() -> Iterator[Found]:
    """Watch every loop of this process during the block."""
    found = Found()

    class Noted(BlockingError):
        def __init__(self, call: str) -> None:
            super().__init__(call)
            found.note(f"{call}, from {_where(sys._getframe(1))}")

    guard = BlockBuster("chatserver")
    for name in _HARMLESS:
        del guard.functions[name]
    guard.functions |= {name: BlockBusterFunction(None, name, scanned_modules="chatserver") for name in _MORE}
    for function in guard.functions.values():
        function.can_block_predicate = _either(function.can_block_predicate, _is_the_tests_own_doing)
        for file, name, _ in _ALLOWED:
            function.can_block_in(file, name)
    machinery.BlockingError = Noted  # type: ignore[misc]
    guard.activate()
    try:
        yield found
    finally:
        guard.deactivate()
        machinery.BlockingError = BlockingError  # type: ignore[misc]


def _either(theirs: Callable[..., bool], ours: Callable[[FrameType], bool]) -> Callable[..., bool]:
    def may_block(*args: Any, **options: Any) -> bool:
        return theirs(*args, **options) or ours(sys._getframe(1))

    return may_block


def _is_the_tests_own_doing(frame: FrameType | None) -> bool:
    """True if a line of the test itself blocks, or calls directly a function that the product calls in threads."""
    for code in _codes(frame):
        if code.co_filename.startswith(_TESTS):
            return True
        if code.co_filename.startswith(_PRODUCT) and code.co_flags & _COROUTINE:
            return False
    return False


def _codes(frame: FrameType | None) -> Iterator[CodeType]:
    """The frames of the stack, innermost first, without those of this module."""
    while frame is not None:
        if frame.f_code.co_filename != __file__:
            yield frame.f_code
        frame = frame.f_back


def _where(frame: FrameType | None) -> str:
    """The product's functions on the stack, innermost first."""
    places = []
    while frame is not None:
        if frame.f_code.co_filename.startswith(_PRODUCT):
            places.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(places)
