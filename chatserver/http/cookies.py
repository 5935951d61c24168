"""The cookies of a request."""

from __future__ import annotations

from aiohttp import hdrs, web

COOKIES = web.RequestKey("cookies", dict[str, str])


def parse(request: web.Request) -> dict[str, str]:
    """Cookies as a dict, name -> value; the last duplicate wins. Values are not unquoted (RFC 6265, section 4.2.1).

    The server's cookies need no quoting. http.cookies takes ten times as long, on every request.
    """
    pairs = (each.partition("=") for each in request.headers.get(hdrs.COOKIE, "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}
