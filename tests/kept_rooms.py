"""A room with people in it, made once and opened by many tests, each with a copy of its own.

Every test gets the same files and the same logged-in browsers. What the room was told is not told again: only the work
of making it is left out.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import Morsel
from pathlib import Path
from typing import Any, Generic, TypeVar

from tests.client import Browser, House, files_under, opened

T = TypeVar("T")
Furnish = Callable[[House], Awaitable[tuple[dict[str, Browser], T]]]


@dataclass(frozen=True, slots=True)
class KeptRoom(Generic[T]):
    """`files` by their path in the data directory; `cookies` by the name of the browser; `facts` are the maker's."""

    files: dict[str, bytes]
    cookies: dict[str, list[Morsel[str]]]
    facts: T
    settings: dict[str, Any]

    @asynccontextmanager
    async def opened(self, data_dir: Path, **headers: str) -> AsyncIterator[tuple[House, dict[str, Browser]]]:
        """A copy of the room in `data_dir`, and the browsers by name, logged in as they were, with these headers."""
        for name, content in self.files.items():
            path = data_dir / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(content)
            os.chmod(path, 0o600)
        async with opened(data_dir, **self.settings) as house:
            browsers = {name: await house.guest(**headers) for name in self.cookies}
            for name, browser in browsers.items():
                browser.take_cookies(self.cookies[name])
            yield house, browsers


class KeptRooms(Generic[T]):
    """The rooms that one function furnishes, one for each combination of settings."""

    def __init__(self, furnish: Furnish[T]) -> None:
        self._furnish = furnish
        self._rooms: dict[str, KeptRoom[T]] = {}

    async def get(self, tmp_path: Path, settings: dict[str, Any]) -> KeptRoom[T]:
        """The room with these settings, made in a directory beside `tmp_path` when it is first asked for."""
        key = repr(sorted(settings.items()))
        if key not in self._rooms:
            self._rooms[key] = await self._made(tmp_path.with_name(tmp_path.name + "-kept"), settings)
        return self._rooms[key]

    async def _made(self, data_dir: Path, settings: dict[str, Any]) -> KeptRoom[T]:
        async with opened(data_dir, **settings) as house:
            browsers, facts = await self._furnish(house)
            cookies = {name: [*browser.session.cookie_jar] for name, browser in browsers.items()}
        files = {name: content for name, content in files_under(data_dir).items() if name != "ballast"}
        return KeptRoom(files, cookies, facts, settings)
