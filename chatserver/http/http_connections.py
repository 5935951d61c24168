"""Limits of HTTP connections: their number for each address, and the bytes of responses that clients have not read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)

# The most bytes of responses that clients have not read yet, without the bytes that the kernel holds. A page has 75 KB;
# the longest answer, 1,000 messages of 2,000 characters each, has about 12 MB.
UNREAD_OF_ADDRESS_MAX = 16 * 1024 * 1024
UNREAD_MAX = 128 * 1024 * 1024
# A client has a minute to read a response, plus one second for each 8 KiB of it. The body of a request has the same
# limit.
READ_GRACE_SECONDS = 60.0
LEAST_BYTES_PER_SECOND = 8 * 1024


class HttpConnection(Protocol):
    """The part of a connection that the limits use."""

    address: str  # the client's address for rate limits; "" for a trusted proxy, which carries many clients

    @property
    def is_waiting(self) -> bool:
        """True if no request is being answered: no request has come, or only a part of its header."""

    def abort(self) -> None: ...


class HttpConnections:
    """All HTTP connections, until they end or become WebSockets. `limit`: the most of one address; 0 for no limit."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._of_address: dict[str, dict[HttpConnection, None]] = {}
        # Connection -> unread bytes of its response, the oldest response first.
        self._unread: dict[HttpConnection, int] = {}
        self._unread_of_address: Counter[str] = Counter()

    def add(self, connection: HttpConnection) -> bool:
        """Add a connection. At the limit of its address, abort the oldest connection that waits for a request.

        Browsers keep such connections open for a next request. False if all connections of the address are being
        answered: then the new connection must be refused.
        """
        others = self._of_address.setdefault(connection.address, {})
        most = self._limit()
        if connection.address and most and len(others) >= most and not _abort_a_waiting(others):
            return False
        others[connection] = None
        return True

    def remove(self, connection: HttpConnection) -> None:
        self.clear_unread(connection)
        others = self._of_address.get(connection.address, {})
        others.pop(connection, None)
        if not others:
            self._of_address.pop(connection.address, None)

    def set_unread(self, connection: HttpConnection, size: int) -> float:
        """Record that `size` bytes of a response are not read yet. Returns the seconds after which it must be aborted.

        Beyond the limits, the responses that have waited longest are aborted at once.
        """
        self.clear_unread(connection)
        self._unread[connection] = size
        self._unread_of_address[connection.address] += size
        while connection.address and self._unread_of_address[connection.address] > UNREAD_OF_ADDRESS_MAX:
            self._give_up(next(each for each in self._unread if each.address == connection.address))
        while sum(self._unread_of_address.values()) > UNREAD_MAX:
            self._give_up(next(iter(self._unread)))
        return READ_GRACE_SECONDS + size / LEAST_BYTES_PER_SECOND

    def clear_unread(self, connection: HttpConnection) -> None:
        if size := self._unread.pop(connection, 0):
            self._unread_of_address[connection.address] -= size
            if self._unread_of_address[connection.address] <= 0:
                del self._unread_of_address[connection.address]

    def _give_up(self, connection: HttpConnection) -> None:
        log.info("%s does not read its responses: one is given up", connection.address or "a proxy")
        self.clear_unread(connection)
        connection.abort()


def _abort_a_waiting(connections: dict[HttpConnection, None]) -> bool:
    for connection in connections:
        if connection.is_waiting:
            del connections[connection]
            connection.abort()
            return True
    return False
