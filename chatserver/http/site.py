"""What every page and every error answer needs, under the application's one key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from chatserver.core.config import CurrentConfig
from chatserver.core.errors import ErrorCode
from chatserver.http.csrf import CSRFTokens
from chatserver.http.origin import OriginPolicy
from chatserver.http.static_files import StaticTree


@dataclass(frozen=True, slots=True)
class Site:
    """`count_error` and `count_answer` are called for each error answer and each answer, by code and by status."""

    settings: CurrentConfig
    static: StaticTree
    tokens: CSRFTokens
    origin: OriginPolicy
    count_error: Callable[[ErrorCode], None]
    count_answer: Callable[[int], None]


SITE = web.AppKey("site", Site)
