"""All ROUTES, FRAMES and error codes of the product, without a server, for tests that need a row for each."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from chatserver import features, http
from chatserver.core.errors import Code
from chatserver.http.route import Route


def _classes() -> Iterator[type]:
    for package in (features, http):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                if isinstance(value, type) and value.__module__ == module.__name__:
                    yield value


ROUTES: tuple[Route, ...] = tuple(route for each in _classes() for route in vars(each).get("ROUTES", ()))
FRAME_TYPES: frozenset[str] = frozenset(kind for each in _classes() for kind in vars(each).get("FRAMES", ()))
CODES: tuple[Code, ...] = tuple(code for kind in Code.__subclasses__() for code in kind)
