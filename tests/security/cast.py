"""All kinds of users: a guest, a member, a muted member, a banned member, an administrator, and their victim."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.client import PASSWORD, Browser, House
from tests.kept_rooms import KeptRooms

ROLES = ("guest", "member", "muted", "banned", "administrator")
NAMES = {"member": "小明", "muted": "小红", "banned": "阿强", "administrator": "店长", "guest": "游客"}


@dataclass
class Cast:
    """`browsers`, `messages` (one message of each) and `ids`, by role. `victim` has a message too."""

    house: House
    browsers: dict[str, Browser] = field(default_factory=dict)
    messages: dict[str, Any] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)

    async def moderate(self, who: str, act: str, **more: Any) -> None:
        answer = await self.browsers["administrator"].post(f"/members/{self.ids[who]}/", {"act": act, **more})
        assert answer.status == 200, answer.body

    async def everything(self) -> list[Any]:
        """All stored data, except who is logged in and what they have read."""
        tables = ("messages", "reactions", "settings", "windows", "pictures", "invites", "bots", "audit")
        columns = "id, name, password, role, avatar, muted_until_ms, banned"
        queries = [*(f"SELECT * FROM {table}" for table in tables), f"SELECT {columns} FROM users"]
        database = self.house.server.room.database
        return await database.run(lambda tx: [tx.all(query) for query in queries])


async def assembled(house: House) -> Cast:
    """Register everybody in a new room."""
    cast = Cast(house)
    cast.browsers["administrator"] = await house.administrator(NAMES["administrator"])
    for role in ("member", "muted", "banned"):
        cast.browsers[role] = await house.member(NAMES[role])
    cast.browsers["victim"] = await house.member("阿花")
    for role, browser in cast.browsers.items():
        cast.messages[role] = await browser.say(f"from the {role}")
        cast.ids[role] = cast.messages[role]["user_id"]
    cast.browsers["guest"] = await house.guest()
    cast.messages["guest"] = cast.messages["victim"]
    for browser in cast.browsers.values():
        await browser.token()
    return cast


async def _furnished(house: House) -> tuple[dict[str, Browser], Cast]:
    cast = await assembled(house)
    return cast.browsers, cast


_ROOMS = KeptRooms(_furnished)


@asynccontextmanager
async def gathered(data_dir: Path, settings: dict[str, Any]) -> AsyncIterator[Cast]:
    """The cast in a room of its own, a copy of the one that was made first."""
    kept = await _ROOMS.get(data_dir, settings)
    async with kept.opened(data_dir) as (house, browsers):
        for browser in browsers.values():
            await browser.token()
        yield Cast(house, browsers, dict(kept.facts.messages), dict(kept.facts.ids))


async def logged_in_again(cast: Cast, role: str) -> str:
    """The error code of another login of this user, or ""."""
    answer = await (await cast.house.guest()).log_in(NAMES[role], PASSWORD)
    return "" if answer.status == 200 else answer.code
