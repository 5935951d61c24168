"""How what is told to all reaches each: round after round, some readers at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping

from chatserver.realtime.connection import Connection
from chatserver.realtime.shared_buffer import SharedBuffer

# Readers who are written to before the loop sees to other things: a quarter of a millisecond.
AT_A_TIME = 32
# What may wait for a round's end, in bytes; with more, the loop waits for the round instead.
WAITING_MAX = 256 * 1024


class Fanout:
    """What was told to all and has not reached everybody yet, and for each reader how much of it they have.

    What is told while a round is under way joins it: who is still to come gets both in one write,
    who was before gets the rest in the next round. So a busy room hears its senders while it tells its
    readers, and a `send()`, which costs 8 µs whatever it carries, carries more. A reader who is
    written to in between is first given what they lack (`lacking`): nothing overtakes anything.
    """

    def __init__(self, readers: Collection[Connection], give_up: Callable[[Connection], None]) -> None:
        self._readers = readers
        # Is told of a reader who is too slow.
        self._give_up = give_up
        self._told: list[bytes] = []
        self._size = 0
        # The number of all that was ever told. A reader's `place` is what they have of it.
        self._end = 0
        # Readers follow each other: what the one before lacked is what this one lacks, as a rule.
        self._joined: tuple[int, bytes] = (0, b"")
        self._shared = SharedBuffer(b"")
        self._is_under_way = False
        self._next: asyncio.Handle | None = None
        # Of the round that is under way: whom it is to reach, how many were, and what had been told at its start.
        self._round: list[Connection] = []
        self._reached = 0
        self._began_at = 0

    def welcome(self, reader: Connection) -> None:
        """Somebody new, who is told the present by itself."""
        reader.place = self._end

    def tell(self, data: bytes, besides: Mapping[Connection, bytes]) -> None:
        """Whole frames for everybody, and after them what is for this reader `besides`."""
        self._told.append(data)
        self._size += len(data)
        self._end += 1
        self._joined = (self._end, b"")
        # First who also waits for an answer: a sender may go on while the others are written to.
        for reader, own in besides.items():
            if not reader.send(self.lacking(reader) + own):
                self._give_up(reader)
        if not self._is_under_way:
            self._begin()
            self._reach_some()
        while self._size > WAITING_MAX:
            self._reach_some()
        self._go_on_soon()

    def lacking(self, reader: Connection) -> bytes:
        """What this reader has not been given yet, and now is."""
        place, reader.place = reader.place, self._end
        if place == self._end:
            return b""
        if self._joined[0] != place:
            self._joined = (place, b"".join(self._told[place - self._end :]))
        return self._joined[1]

    def _go_on_soon(self) -> None:
        if self._is_under_way and self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._next = None
        if self._is_under_way:
            self._reach_some()
        self._go_on_soon()

    def _begin(self) -> None:
        self._is_under_way = True
        self._round = list(self._readers)
        self._reached = 0
        self._began_at = self._end

    def _reach_some(self) -> None:
        for reader in self._round[self._reached : self._reached + AT_A_TIME]:
            if reader.place != self._end:
                data = self.lacking(reader)
                if data is not self._shared.data:
                    self._share(data)
                if not reader.send(data, self._shared):
                    self._give_up(reader)
        self._reached += AT_A_TIME
        if self._reached >= len(self._round):
            self._end_round()

    def _share(self, data: bytes) -> None:
        self._shared.close()
        self._shared = SharedBuffer(data)

    def _end_round(self) -> None:
        """All have what had been told when the round began. What was told since is another round's."""
        for_next = self._end - self._began_at
        self._told = self._told[len(self._told) - for_next :]
        self._size = sum(map(len, self._told))
        self._joined = (self._end, b"")
        if self._told:
            self._begin()
        else:
            self._is_under_way = False
            self._round = []
            self._share(b"")
