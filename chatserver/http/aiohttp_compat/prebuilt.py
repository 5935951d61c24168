"""Responses whose head and body are prebuilt bytes, sent in one write."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.web_request import BaseRequest

from chatserver.core import tuning
from chatserver.core.bounded_dict import BoundedDict
from chatserver.http.headers import REQUEST_ID_HEADER, common_headers
from chatserver.http.request_id import REQUEST_ID
from chatserver.realtime import direct_write

if TYPE_CHECKING:
    from multidict import CIMultiDict

_HEAD_END = f"{REQUEST_ID_HEADER}: %b\r\n{hdrs.CONTENT_LENGTH}: %d\r\n\r\n".encode()

# The number of cached heads, which are valid for a second: a few kinds of response for each Host that requests name.
HEADS_MAX = 256

# For a body of this many bytes or more, joining its pieces costs more than writing them directly to the socket.
DIRECT_MIN = 48 * 1024

Headers = tuple[tuple[str, str], ...]


class ResponseHeads:
    """The heads of 200 responses as bytes, without X-Request-ID and Content-Length. Rebuilt each second, for `Date`."""

    def __init__(self, secure: bool) -> None:
        self._common = common_headers(secure)
        self._cache: BoundedDict[Headers, bytes] = BoundedDict(HEADS_MAX)
        self._second = 0

    def get(self, own_headers: Headers) -> bytes:
        """The head with `own_headers`, and with the common headers that `own_headers` does not replace."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._cache.clear()
        head = self._cache.get(own_headers)
        if head is None:
            headers = {**self._common, **dict(own_headers), hdrs.DATE: rfc822_formatted_time()}
            text = "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = self._cache[own_headers] = text.encode()
        return head


HEADS = web.AppKey("heads", ResponseHeads)


class PrebuiltResponse(web.StreamResponse):
    """A 200 response whose body is `pieces`, with the headers `own_headers` and the common headers.

    For a simple GET request, head and body are sent in one write. aiohttp would collect a dozen headers, call
    the prepare handlers and serialize, which is 25 % of the time of a response. aiohttp's way is still used for
    another method or HTTP version, a connection that will be closed, a response with a cookie, a response
    whose `headers` were accessed, and with CHAT_TUNING=off.
    """

    def __init__(self, pieces: Sequence[bytes], own_headers: Headers) -> None:
        super().__init__(headers=own_headers)
        self._pieces = pieces
        self._size = sum(map(len, pieces))
        self._own_headers = own_headers
        self._headers_accessed = False

    @property
    def headers(self) -> CIMultiDict[str]:
        self._headers_accessed = True
        return super().headers

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        if self.prepared:
            return None
        if not self._can_be_prebuilt(request):
            self.headers[hdrs.CONTENT_LENGTH] = str(self._size)
            return await super().prepare(request)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        self._keep_alive = self._eof_sent = True
        app = cast(web.Request, request).app
        head_end = _HEAD_END % (request[REQUEST_ID].encode(), self._size)
        head = app[HEADS].get(self._own_headers) + head_end
        if self._size < DIRECT_MIN:
            transport.write(b"".join((head, *self._pieces)))
        else:
            _write_direct(transport, [head, *self._pieces])
        await request.writer.drain()
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        if not self._eof_sent:
            await super().write_eof(b"" if self._must_be_empty_body else b"".join(self._pieces))

    def _can_be_prebuilt(self, request: BaseRequest) -> bool:
        return (
            tuning.ENABLED
            and request.method == hdrs.METH_GET
            and request.version == HttpVersion11
            and request.keep_alive
            and self._keep_alive is not False
            and not self._headers_accessed
            and not self._cookies
        )


def _write_direct(transport: asyncio.Transport, pieces: Sequence[bytes]) -> None:
    """Write directly to the socket if no byte waits in the transport. The kernel joins the pieces."""
    descriptor, taken = direct_write.descriptor(transport), 0
    if descriptor >= 0 and not transport.get_write_buffer_size():
        # the socket's buffer is full, or the client is gone: the transport finds out which of the two
        with contextlib.suppress(OSError):
            taken = os.writev(descriptor, pieces)
            if taken == sum(map(len, pieces)):
                return
    transport.write(b"".join(pieces)[taken:])
