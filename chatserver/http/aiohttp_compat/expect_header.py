"""The `Expect` request header (RFC 9110, section 10.1.1), which aiohttp handles before the middlewares."""

from __future__ import annotations

from aiohttp import web, web_urldispatcher

_aiohttp_handler = web_urldispatcher._default_expect_handler


async def answer(request: web.Request) -> None:
    """Call aiohttp's handler. Raises HTTPExpectationFailed (417) without the header's value in the message.

    aiohttp quotes an unknown value, and fails with 500 if its bytes are not UTF-8.
    """
    try:
        await _aiohttp_handler(request)
    except (web.HTTPExpectationFailed, UnicodeError):
        raise web.HTTPExpectationFailed from None


def install() -> None:
    """Replace the handler of all routes, also of the routes that aiohttp creates for 404 and 405. Idempotent."""
    web_urldispatcher._default_expect_handler = answer
