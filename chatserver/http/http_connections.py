"""HTTP connections: how many one address may hold, and how much of their responses may wait to be read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)

# Bytes of responses that clients have not read yet, beyond what the kernel holds. A page has 75 KB; the longest
# answer, 1,000 messages of 2,000 characters each, has some 12 MB.
UNREAD_OF_ADDRESS_MAX = 16 * 1024 * 1024
UNREAD_MAX = 128 * 1024 * 1024
# A response is read by then: after a first minute, and at this rate. The same as for the body of a request.
READ_GRACE_SECONDS = 60.0
LEAST_BYTES_PER_SECOND = 8 * 1024


class HttpConnection(Protocol):
    """What the limits need of a connection."""

    address: str  # of its client, as rate limits know it; "" where a trusted proxy carries many clients

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being answered: none has come, or a part of its header only."""

    def abort(self) -> None: ...


class HttpConnections:
    """All of them but WebSockets, which leave with their handshake. `limit` is that of one address; 0: none."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._of_address: dict[str, dict[HttpConnection, None]] = {}
        # Responses that wait to be read, the oldest first: their bytes.
        self._unread: dict[HttpConnection, int] = {}
        self._unread_of_address: Counter[str] = Counter()

    def enter(self, connection: HttpConnection) -> bool:
        """Takes the place of the oldest that waits for a request, as browsers keep them open for a next one.

        False where every one of its address is being answered: it is to be refused.
        """
        others = self._of_address.setdefault(connection.address, {})
        most = self._limit()
        if connection.address and most and len(others) >= most and not _abort_a_waiting(others):
            return False
        others[connection] = None
        return True

    def leave(self, connection: HttpConnection) -> None:
        self.has_read(connection)
        others = self._of_address.get(connection.address, {})
        others.pop(connection, None)
        if not others:
            self._of_address.pop(connection.address, None)

    def must_read(self, connection: HttpConnection, size: int) -> float:
        """A response of which `size` bytes wait to be read. Returns the seconds after which it is given up.

        Past a bound, the responses that have waited longest are given up at once.
        """
        self.has_read(connection)
        self._unread[connection] = size
        self._unread_of_address[connection.address] += size
        while connection.address and self._unread_of_address[connection.address] > UNREAD_OF_ADDRESS_MAX:
            self._give_up(next(each for each in self._unread if each.address == connection.address))
        while sum(self._unread_of_address.values()) > UNREAD_MAX:
            self._give_up(next(iter(self._unread)))
        return READ_GRACE_SECONDS + size / LEAST_BYTES_PER_SECOND

    def has_read(self, connection: HttpConnection) -> None:
        if size := self._unread.pop(connection, 0):
            self._unread_of_address[connection.address] -= size
            if self._unread_of_address[connection.address] <= 0:
                del self._unread_of_address[connection.address]

    def _give_up(self, connection: HttpConnection) -> None:
        log.info("%s does not read its responses: one is given up", connection.address or "a proxy")
        self.has_read(connection)
        connection.abort()


def _abort_a_waiting(connections: dict[HttpConnection, None]) -> bool:
    for connection in connections:
        if connection.is_waiting:
            del connections[connection]
            connection.abort()
            return True
    return False
