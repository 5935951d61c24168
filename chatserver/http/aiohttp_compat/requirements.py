"""Checks at start that the installed aiohttp has the private parts that this package relies on.

The parts are as in aiohttp 3.14.5. `server.py` imports the other files of this package, so the check runs before that
import (`ops/dependencies.py`). If aiohttp is unsuitable, the program ends with one sentence at the start instead of
with a traceback later. Attributes that aiohttp sets only on an instance are not checked.
"""

from __future__ import annotations

import importlib
import inspect
from typing import NamedTuple

TESTED_VERSION = "3.14.5"
MAJOR = 3


class IncompatibleAiohttp(Exception):
    """The installed aiohttp cannot be used. The message is one sentence."""


class _Part(NamedTuple):
    """`parameters` are the names of a function's parameters; None for a part that only has to exist."""

    used_by: str
    module: str
    name: str
    parameters: tuple[str, ...] | None = None


_PARTS = (
    _Part("expect_header", "aiohttp.web_urldispatcher", "_default_expect_handler", ("request",)),
    _Part("request_handler", "aiohttp.web_runner", "AppRunner._make_server", ("self",)),
    _Part("request_handler", "aiohttp.web_server", "Server.__call__", ("self",)),
    _Part(
        "request_handler",
        "aiohttp.web_protocol",
        "RequestHandler.handle_error",
        ("self", "request", "status", "exc", "message"),
    ),
    _Part("request_handler", "aiohttp.web_protocol", "RequestHandler._waiter"),
    _Part("prebuilt", "aiohttp.web_response", "StreamResponse._keep_alive"),
    _Part("prebuilt", "aiohttp.web_response", "StreamResponse._eof_sent"),
    _Part("prebuilt", "aiohttp.web_response", "StreamResponse._must_be_empty_body"),
    _Part("prebuilt", "aiohttp.helpers", "rfc822_formatted_time", ()),
    _Part("prebuilt", "aiohttp.web_response", "StreamResponse._cookies"),
    _Part("hand_over", "aiohttp.base_protocol", "BaseProtocol.transport"),
    _Part("hand_over", "aiohttp.base_protocol", "BaseProtocol._upgraded"),
    _Part("hand_over", "aiohttp.web_protocol", "RequestHandler._message_tail"),
    _Part("hand_over", "aiohttp.web_protocol", "RequestHandler.connection_lost", ("self", "exc")),
    _Part("hand_over", "aiohttp.web_response", "StreamResponse.prepared"),
    _Part("hand_over", "aiohttp.web_response", "StreamResponse.prepare", ("self", "request")),
    _Part("hand_over", "aiohttp.web_response", "StreamResponse.write_eof", ("self", "data")),
    _Part("tls_timeout", "aiohttp.web_runner", "SockSite._ssl_context"),
    _Part("tls_timeout", "aiohttp.web_runner", "SockSite._server"),
    _Part("tls_timeout", "aiohttp.web_runner", "SockSite._sock"),
    _Part("tls_timeout", "aiohttp.web_runner", "SockSite._backlog"),
)


def check() -> None:
    """Raises IncompatibleAiohttp for another major version, and for a part that differs from TESTED_VERSION."""
    import aiohttp

    installed = aiohttp.__version__
    if installed.partition(".")[0] != str(MAJOR):
        raise IncompatibleAiohttp(
            f"aiohttp {installed} is installed; this program needs aiohttp {MAJOR} ({TESTED_VERSION} or newer)"
        )
    for part in _PARTS:
        if not _fits(part):
            raise IncompatibleAiohttp(
                f"aiohttp {installed} cannot be used: {part.module}.{part.name} is not as in {TESTED_VERSION},"
                f" which http/aiohttp_compat/{part.used_by}.py relies on"
            )


def _fits(part: _Part) -> bool:
    try:
        found = importlib.import_module(part.module)
        for name in part.name.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError):
        return False
    if part.parameters is None:
        return True
    try:
        return tuple(inspect.signature(found).parameters) == part.parameters  # type: ignore[arg-type]
    except (TypeError, ValueError):  # a C function without a signature: check only that it exists
        return True
