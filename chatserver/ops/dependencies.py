"""Checks the installed aiohttp and aiosqlite before `server.py`, which uses private parts of both, is imported."""

from __future__ import annotations

from chatserver.ops.failure import CommandError


def check() -> None:
    """Raises CommandError if one of the two packages cannot be used. The message is one sentence."""
    from chatserver.http.aiohttp_compat import requirements

    try:
        requirements.check()
    except requirements.IncompatibleAiohttp as error:
        raise CommandError(str(error)) from None
    from chatserver.db import aiosqlite_compat

    if why_not := aiosqlite_compat.problem():
        raise CommandError(why_not)
