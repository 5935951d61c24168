"""Answers whose bytes lie ready, head and body: written as they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.web_request import BaseRequest

from chatserver.http.headers import REQUEST_ID_HEADER, always
from chatserver.http.keys import REQUEST_ID

if TYPE_CHECKING:
    from multidict import CIMultiDict

_REST = f"{REQUEST_ID_HEADER}: %b\r\n{hdrs.CONTENT_LENGTH}: %d\r\n\r\n".encode()

Lines = tuple[tuple[str, str], ...]


class Heads:
    """The first lines of a 200 as bytes, all but what each answer has of its own. Made anew each second, for `Date`."""

    def __init__(self, secure: bool) -> None:
        self._always = tuple(always(secure).items())
        self._kept: dict[Lines, bytes] = {}
        self._second = 0

    def of(self, own: Lines) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._kept.clear()
        head = self._kept.get(own)
        if head is None:
            lines = (*own, *self._always, (hdrs.DATE, rfc822_formatted_time()))
            text = "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
            head = self._kept[own] = text.encode()
        return head


HEADS = web.AppKey("heads", Heads)


class PrebuiltResponse(web.StreamResponse):
    """A 200 with `body`, and the headers `own` beside those that every answer has.

    To an ordinary GET it is one write: aiohttp's own way gathers a dozen headers anew, shows them round
    and serializes them, which is a quarter of an answer's time. Whatever is out of the ordinary goes that
    way: another method or version, a connection that is to close, a cookie, a header that somebody looked at.
    """

    def __init__(self, body: bytes, own: Lines) -> None:
        super().__init__(headers=own)
        self._content = body
        self._own = own
        self._is_touched = False

    @property
    def headers(self) -> CIMultiDict[str]:
        self._is_touched = True
        return super().headers

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        if self.prepared:
            return None
        if not self._is_ordinary(request):
            self.headers[hdrs.CONTENT_LENGTH] = str(len(self._content))
            return await super().prepare(request)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        self._keep_alive = self._eof_sent = True
        app = cast(web.Request, request).app
        rest = _REST % (request[REQUEST_ID].encode(), len(self._content))
        transport.write(b"".join((app[HEADS].of(self._own), rest, self._content)))
        await request.writer.drain()
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        if not self._eof_sent:
            await super().write_eof(b"" if self._must_be_empty_body else self._content)

    def _is_ordinary(self, request: BaseRequest) -> bool:
        return (
            request.method == hdrs.METH_GET
            and request.version == HttpVersion11
            and request.keep_alive
            and self._keep_alive is not False
            and not self._is_touched
            and not self._cookies
        )
