"""Counts the files that a posted text visits in the server, and the moves between them.

    python -m tests.bench.trace_post [--tree TREE] [--steps]

The server of TREE (this checkout without it) runs in a process of its own, with a profile function in every thread
(`traced.py`). A logged-in member posts a text over a real WebSocket while a second member is connected.

- A *step* is the entry of a Python function of the package `chatserver`, on the loop's thread or on the database's,
  from the frame's first callback until the server is idle again. Resuming a coroutine is an entry too. Returns, and
  functions of the standard library and of other packages, do not count.
- *Files* is the number of different files among the steps.
- *Moves* is the number of steps in another file than the step before. So a file that calls two others counts two
  moves, not four: the return to it is not a step.

Both are given a second time for the steps before the last write of the fan-out to a socket; what follows there are
metrics, timers, and the callback of the sender. The first posts, for which caches are filled, are not counted. A timer
that runs by chance adds steps, therefore the text is posted several times and the most frequent result is given.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.bench import members
from tests.bench.machine import Cores
from tests.bench.processes import REPOSITORY, Process
from tests.bench.senders import Sender, one_at_a_time
from tests.bench.server import SETTINGS, target_of
from tests.bench.sockets import connect

WARMING, POSTS = 5, 9
TEXT_BYTES = 40
# The time between the last delivery and the end of the recording, so that the batch loop already waits for the next
# job.
IDLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """`function` is empty for a write to a socket, which is not a step but marks the position of the fan-out."""

    file: str
    function: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The functions that one posted text caused the server to enter, in order of time."""

    steps: tuple[Step, ...]

    @property
    def files(self) -> list[str]:
        """The files in order of the first visit."""
        return list(dict.fromkeys(step.file for step in self._entries))

    @property
    def moves(self) -> int:
        return sum(before.file != after.file for before, after in pairwise(self._entries))

    def until_last_write(self) -> Trace:
        last = max((index for index, step in enumerate(self.steps) if not step.function), default=0)
        return Trace(self.steps[:last])

    def as_lines(self) -> list[str]:
        """One line for each visit of a file, with the functions that were entered there."""
        lines: list[str] = []
        file = ""
        for step in self._entries:
            if step.file != file:
                file = step.file
                lines.append(f"{file}: {step.function}")
            else:
                lines[-1] += f", {step.function}"
        return lines

    @property
    def _entries(self) -> list[Step]:
        return [step for step in self.steps if step.function]


def trace(tree: Path, posts: int = POSTS) -> Trace:
    """The most frequent trace of `posts` texts, posted one after the other to the server of `tree`."""
    with tempfile.TemporaryDirectory(prefix="chat-trace-") as directory:
        work = Path(directory)
        program = [sys.executable, "-P", str(REPOSITORY / "tests" / "bench" / "traced.py")]
        command = [*program, "serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", str(work / "data")]
        with Process(command, Cores.choose().server, work / "server.log", SETTINGS, tree) as server:
            target = target_of(server)
            cookies = [member.cookie for member in members.register(target.host, target.port, 2)]
            crowd = connect(target, cookies, 2)
            crowd.settle(1.5)
            sender = Sender(crowd.peers[0], TEXT_BYTES)
            found: Counter[Trace] = Counter()
            for number in range(WARMING + posts):
                crowd.begin_counting()
                server.write_line("start")
                # The server prints the first administrator's address after the line that `target_of` reads.
                while server.read_line() != "started":
                    pass
                one_at_a_time(crowd, sender, 1)
                time.sleep(IDLE_SECONDS)
                steps = tuple(Step(*step) for step in json.loads(server.ask("stop")))
                if number >= WARMING:
                    found[Trace(steps)] += 1
            crowd.close()
    return found.most_common(1)[0][0]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.trace_post", description="Counts the files that a posted text visits."
    )
    parser.add_argument("--tree", type=Path, default=REPOSITORY, help="another checkout; this one without")
    parser.add_argument("--steps", action="store_true", help="every visit of a file, with the functions entered")
    parser.add_argument("--posts", type=int, default=POSTS, metavar="N", help=f"texts to count, {POSTS} without")
    asked = parser.parse_args(arguments)
    if not (asked.tree / "run.py").is_file() or asked.posts < 1:
        parser.error("--tree is a checkout of the project, --posts at least 1")
    whole = trace(asked.tree.resolve(), asked.posts)
    short = whole.until_last_write()
    print("\n".join(whole.as_lines() if asked.steps else whole.files))
    print(f"\nfiles {len(whole.files)}, moves {whole.moves}", end="")
    print(f" (until the last write: files {len(short.files)}, moves {short.moves})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
