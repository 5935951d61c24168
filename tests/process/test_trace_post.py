"""The count of the files that a posted text visits: what counts as a move, and that it works on a running server."""

from __future__ import annotations

import asyncio

from tests.bench.processes import REPOSITORY
from tests.bench.trace_post import Step, Trace, trace


def test_returns_are_no_moves_and_what_follows_the_last_write_is_cut_off() -> None:
    steps = [Step("a", "read"), Step("a", "parse"), Step("b", "send"), Step("b", ""), Step("a", "done"), Step("c", "f")]
    found = Trace(tuple(steps))
    assert (found.files, found.moves) == (["a", "b", "c"], 3)
    short = found.until_last_write()
    assert (short.files, short.moves) == (["a", "b"], 1)
    assert found.as_lines() == ["a: read, parse", "b: send", "a: done", "c: f"]


async def test_a_posted_text_is_traced_from_the_socket_to_the_fan_out() -> None:
    """The trace includes the database's thread, because only there the transaction function is entered."""
    found = await asyncio.to_thread(trace, REPOSITORY, 1)
    assert found.files[0] == "realtime/connection.py"
    short = found.until_last_write()
    assert {"db/transaction.py", "realtime/connection.py"} <= set(short.files)
    assert len(short.files) - 1 <= short.moves < found.moves
