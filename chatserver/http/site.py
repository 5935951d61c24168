"""The objects that every page and every error answer needs, under the only key of the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

from chatserver.core.config import CurrentConfig
from chatserver.core.errors import Code
from chatserver.http.csrf import CSRFTokens
from chatserver.http.origin import OriginPolicy
from chatserver.http.static_files import StaticTree


class AdministratorsPage(NamedTuple):
    """`title` is a key of the message catalogue."""

    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Site:
    """`count_error` is called with the code of each error answer, `count_answer` with the status of each answer.

    `add_routes` fills `administration`, in the order of the features.
    """

    settings: CurrentConfig
    static: StaticTree
    tokens: CSRFTokens
    origin: OriginPolicy
    count_error: Callable[[Code], None]
    count_answer: Callable[[int], None]
    administration: list[AdministratorsPage] = field(default_factory=list)


SITE = web.AppKey("site", Site)
