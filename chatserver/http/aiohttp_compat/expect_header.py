"""The header `Expect`, which aiohttp answers before any of our middlewares is asked."""

from __future__ import annotations

from aiohttp import web, web_urldispatcher

_aiohttps = web_urldispatcher._default_expect_handler


async def answer(request: web.Request) -> None:
    """As aiohttp does, but without quoting what it does not know: bytes that are no text made a 500 of it."""
    try:
        await _aiohttps(request)
    except (web.HTTPExpectationFailed, UnicodeError):
        raise web.HTTPExpectationFailed from None


def install() -> None:
    """For every route, also those of which aiohttp makes its 404 and 405. Idempotent."""
    web_urldispatcher._default_expect_handler = answer
