"""Checks the strength of passwords, hashes them, and compares them with their hashes.

The hash is bcrypt(base64(SHA-256(password in NFC))). bcrypt alone reads only 72 bytes, which is 24 Chinese
characters; with the digest every character counts. base64 has no NUL bytes, at which bcrypt would stop.
See OWASP's Password Storage Cheat Sheet, "Pre-Hashing Passwords with bcrypt".
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import re
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import bcrypt

from chatserver.core.errors import DomainError, ErrorCode

PASSWORD_MIN = 8
PASSWORD_MAX = 1024

_HASH = re.compile(r"\$2b\$([0-9]{2})\$[./A-Za-z0-9]{53}")

_THREADS = 2
_WAITING_MAX = 64
_NICENESS = 10
_RETRY_AFTER_MS = 2000

P = ParamSpec("P")
T = TypeVar("T")


def check_strength(password: str, name: str) -> None:
    """Refuse passwords that are easy to guess.

    Raises DomainError(PASSWORD_WEAK) with `reason`: "short" or "long" (and `limit`), "characters"
    (lone surrogates), "name", "sequence" (11111111, 87654321, 12341234) or "common".
    """
    if len(password) > PASSWORD_MAX:
        raise DomainError(ErrorCode.PASSWORD_WEAK, reason="long", limit=PASSWORD_MAX)
    if not _is_text(password):
        raise DomainError(ErrorCode.PASSWORD_WEAK, reason="characters")
    password = unicodedata.normalize("NFC", password)
    if len(password) < PASSWORD_MIN:
        raise DomainError(ErrorCode.PASSWORD_WEAK, reason="short", limit=PASSWORD_MIN)
    folded = password.casefold()
    if folded == unicodedata.normalize("NFC", name).strip().casefold():
        raise DomainError(ErrorCode.PASSWORD_WEAK, reason="name")
    if _is_sequence(folded):
        raise DomainError(ErrorCode.PASSWORD_WEAK, reason="sequence")
    if folded in _common_passwords():
        raise DomainError(ErrorCode.PASSWORD_WEAK, reason="common")


def hash_password(password: str, rounds: int) -> str:
    """The hash to store. Takes about 2 ** `rounds` / 16,000 seconds: never call it on the event loop."""
    if not _is_text(password):
        raise DomainError(ErrorCode.PASSWORD_WEAK, reason="characters")
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(rounds)).decode("ascii")


def verify(password: str, hashed: str) -> bool:
    """True if `hashed` is a hash of `password`. Takes as long as `hash_password`."""
    if not _is_text(password):
        return False
    try:
        return bcrypt.checkpw(_digest(password), hashed.encode())
    except ValueError:  # not a bcrypt hash: no password matches it
        return False


def verify_at_cost(password: str, hashed: str | None, cost: int) -> bool:
    """`verify`, but always with the work of one hash of `cost`; also for None (no such member), which gives False.

    Otherwise the time would tell which names exist. A hash of cost n takes 2 ** n rounds. If a member's hash has a
    lower cost n, because it was made before the cost was raised, the password is also compared with hashes of cost n, n
    + 1 … cost - 1: the rounds of all these add up to 2 ** cost.

    A password that is longer than PASSWORD_MAX or is not valid text gives False after the same time, and before any
    work that grows with the length (NFC of 124 KB of alternating accents takes 9 s, with the GIL held).
    """
    if len(password) > PASSWORD_MAX or not _is_text(password):
        password = ""  # no member has this password
    matches = hashed is not None and verify(password, hashed)
    found = _HASH.fullmatch(hashed or "")
    for more in range(int(found[1]), cost) if found else [cost]:
        verify(password, _unmatchable(more))
    return matches


class PasswordHasher:
    """Hashes and compares passwords in a few threads, with a bounded queue.

    bcrypt releases the GIL, so the event loop continues to run. When the queue is full, callers get
    DomainError(BUSY), so that a flood of logins does not make a queue of minutes.
    """

    def __init__(self, rounds: int) -> None:
        _common_passwords()  # read the file now, because later it would block the event loop
        self._rounds = rounds
        # The cost of every comparison. If a hash from before `rounds` was lowered costs more, all comparisons do.
        self._cost = rounds
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="bcrypt", initializer=_lower_priority)
        self._lock = threading.Lock()
        self._pending = 0
        self._closed = False

    async def hash(self, password: str) -> str:
        return await self._run(hash_password, password, self._rounds)

    async def verify(self, password: str, hashed: str | None) -> bool:
        """True if `hashed` is a hash of `password`. For None (no such member) False, after the same time."""
        return await self._run(verify_at_cost, password, hashed, self._cost)

    def expect(self, cost: int) -> None:
        """Make every later comparison cost at least as much as a comparison with a hash of `cost`."""
        self._cost = max(self._cost, cost)

    def close(self) -> None:
        """Cancel waiting jobs. Running jobs end within a second."""
        with self._lock:
            self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            if self._closed or self._pending >= _THREADS + _WAITING_MAX:
                raise DomainError(ErrorCode.BUSY, retry_after_ms=_RETRY_AFTER_MS)
            future = self._executor.submit(work, *args, **kwargs)
            self._pending += 1
        # The job counts until its thread is free again, because cancelling the caller does not free the thread.
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    def _done(self, _: Future[Any]) -> None:
        with self._lock:
            self._pending -= 1


def _lower_priority() -> None:
    """Raise this thread's nice value, so that the event loop's thread runs first (Linux: sched(7), "The nice value").

    On two cores, two hashes use both, and without this the event loop waited tens of milliseconds for a core.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a sandbox may refuse it, and then the server is only slower
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _unmatchable(cost: int) -> str:
    """A hash that no password matches."""
    return f"$2b${cost:02d}${'.' * 22}{'.' * 31}"


def _is_text(password: str) -> bool:
    """False if the password has lone surrogates, which cannot be encoded as UTF-8."""
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digest(password: str) -> bytes:
    text = unicodedata.normalize("NFC", password)
    return base64.b64encode(hashlib.sha256(text.encode()).digest())


def _is_sequence(password: str) -> bool:
    """True for one repeated character, digits that count up or down, and a repeated group of 2 to 4 digits."""
    if len(set(password)) == 1:
        return True
    if not (password.isascii() and password.isdigit()):
        return False
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(password)}
    if steps in ({1}, {9}):
        return True
    return any(password == (password[:n] * len(password))[: len(password)] for n in (2, 3, 4))


@cache
def _common_passwords() -> frozenset[str]:
    text = Path(__file__).with_name("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("# "))
