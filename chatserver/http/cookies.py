"""The cookies that a request came with."""

from __future__ import annotations

from aiohttp import hdrs, web


def of(request: web.Request) -> dict[str, str]:
    """By name; of two with one name, the last. Values are taken as they stand (RFC 6265, section 4.2.1).

    Ours are plain words, so nothing need be unquoted; the standard library's parser, which can do that,
    takes ten times as long, and every request is looked at.
    """
    pairs = (each.partition("=") for each in request.headers.get(hdrs.COOKIE, "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}
