"""Limits the number and the bytes of uploads that are being received, in total and for each address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from chatserver.core.errors import DomainError, ErrorCode

# Many members behind one address can send pictures at the same time: twenty members send two pictures each. Their bytes
# are limited too. A page that gets `busy` tries again.
UPLOADS_MAX, UPLOADS_OF_ADDRESS_MAX = 128, 48
BYTES_MAX, BYTES_OF_ADDRESS_MAX = 512 * 1024 * 1024, 256 * 1024 * 1024
RETRY_MS = 2000


class UploadConcurrency:
    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()

    @contextmanager
    def slot(self, address: str) -> Iterator[UploadSlot]:
        """The slot of one request from this address, while its body is read. It counts from the first file on."""
        slot = UploadSlot(self, address)
        try:
            yield slot
        finally:
            slot.leave()


class UploadSlot:
    """Call `take` before a file is stored, and `add` for each of its chunks. Both raise DomainError `busy`."""

    __slots__ = ("_address", "_bytes", "_is_taken", "_uploads")

    def __init__(self, uploads: UploadConcurrency, address: str) -> None:
        self._uploads = uploads
        self._address = address
        self._is_taken = False
        self._bytes = 0

    def take(self) -> None:
        uploads = self._uploads
        if self._is_taken:
            return
        if uploads.count.total() >= UPLOADS_MAX or uploads.count[self._address] >= UPLOADS_OF_ADDRESS_MAX:
            raise DomainError(ErrorCode.BUSY, retry_after_ms=RETRY_MS)
        self._is_taken = True
        uploads.count[self._address] += 1

    def add(self, size: int) -> None:
        uploads = self._uploads
        uploads.bytes[self._address] += size
        self._bytes += size
        if uploads.bytes.total() > BYTES_MAX or uploads.bytes[self._address] > BYTES_OF_ADDRESS_MAX:
            raise DomainError(ErrorCode.BUSY, retry_after_ms=RETRY_MS)

    def leave(self) -> None:
        for counter, part in ((self._uploads.count, int(self._is_taken)), (self._uploads.bytes, self._bytes)):
            counter[self._address] -= part
            if counter[self._address] <= 0:
                del counter[self._address]
