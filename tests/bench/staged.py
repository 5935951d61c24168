"""Runs the server and keeps the time of each stage of a message in memory: the process that `trace_stages.py` drives.

    python -P tests/bench/staged.py serve …       (PYTHONPATH names the tree whose server runs)

Reads `start` and `stop` from standard input and answers each with one line. The answer to `stop` is JSON: the lists of
`Stages` since `start`. All times are of the process's processor clock (`time.process_time`), in seconds.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from chatserver.cli import main
from chatserver.db.database import Database
from chatserver.realtime.fanout import AT_A_TIME, Fanout


class Stages:
    """`queued`: [client_id, time] of each text; `batches`: [texts, begun, ended, thread's seconds] of each transaction.

    `broadcasts`: [number of the piece, time]; `writes`: [first place in the round, piece before, last piece, time] of
    each group of connections that was written to: its first connection got the pieces between those two numbers.
    """

    def __init__(self) -> None:
        self.is_recording = False
        self.clear()

    def clear(self) -> None:
        self.queued: list[tuple[str, float]] = []
        self.batches: list[tuple[int, float, float, float]] = []
        self.broadcasts: list[tuple[int, float]] = []
        self.writes: list[tuple[int, int, int, float]] = []

    def as_json(self) -> str:
        return json.dumps(
            {
                "queued": self.queued,
                "batches": self.batches,
                "broadcasts": self.broadcasts,
                "writes": self.writes,
            }
        )


def is_text(job: Any) -> bool:
    return job.is_batched and hasattr(job.item, "draft")


def record(stages: Stages) -> None:
    """Wrap the functions at which a stage begins or ends."""
    clock = time.process_time
    enqueue, perform = Database._enqueue, Database._perform_in_thread
    broadcast, write_some = Fanout.broadcast, Fanout._write_some

    def timed_enqueue(self: Database, job: Any) -> None:
        if stages.is_recording and is_text(job):
            stages.queued.append((job.item.draft.client_id, clock()))
        enqueue(self, job)

    def timed_perform(self: Database, batch: Any, tasks: Any) -> Any:
        begun, thread = clock(), time.thread_time()
        events = perform(self, batch, tasks)
        if stages.is_recording and (texts := sum(map(is_text, batch))):
            stages.batches.append((texts, begun, clock(), time.thread_time() - thread))
        return events

    def timed_broadcast(self: Fanout, *arguments: Any) -> None:
        if stages.is_recording:
            stages.broadcasts.append((self._end + 1, clock()))
        broadcast(self, *arguments)

    def timed_write_some(self: Fanout) -> None:
        # The tenth, because the first ones may be senders, to whom `broadcast` writes at once.
        place, end = self._written, self._end
        first = self._round[min(place + AT_A_TIME // 3, len(self._round) - 1)]
        cursor = first.cursor
        write_some(self)
        if stages.is_recording and cursor != end:
            stages.writes.append((place, cursor, end, clock()))

    Database._enqueue = timed_enqueue  # type: ignore[method-assign]
    Database._perform_in_thread = timed_perform  # type: ignore[method-assign]
    Fanout.broadcast = timed_broadcast  # type: ignore[method-assign, assignment]
    Fanout._write_some = timed_write_some  # type: ignore[method-assign]


def follow_commands(stages: Stages) -> None:
    for line in sys.stdin:
        if line == "start\n":
            stages.clear()
            stages.is_recording = True
            print("started", flush=True)
        else:
            stages.is_recording = False
            print(stages.as_json(), flush=True)


if __name__ == "__main__":
    recorded = Stages()
    record(recorded)
    threading.Thread(target=follow_commands, args=(recorded,), daemon=True).start()
    sys.exit(main())
