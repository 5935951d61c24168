"""Changes a member's name, at most once in 24 hours.

For that time the old name is shown beside the new name, and no other member may take it. Then the old name is erased.
A name that an administrator took away is neither shown nor reserved (see moderate.py).
"""

from __future__ import annotations

from chatserver.core.clock import Clock
from chatserver.core.deadline_timer import Timer
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, permissions, rename_store, store
from chatserver.features.accounts.events import MemberChanged


class Rename:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def rename(self, user: User, typed: str) -> User:
        """Change the member's name, which is also the login name. Does nothing if the member has this name already.

        Raises DomainError: `name_invalid`; `name_taken`, also for a name that another member gave up less than 24 hours
        ago; `too_fast` less than 24 hours after the last change; `muted`, `banned`; `forbidden` for a bot.
        """
        name = names.check(typed)
        return await self._database.run(lambda tx: self._rename(tx, user, name))

    async def expire(self) -> None:
        await self._database.run(self.trim, frees=True)

    async def next_expiry(self) -> int | None:
        return await self._database.run(rename_store.next_end)

    def trim(self, tx: Transaction) -> None:
        """Erase the old names that were given up at least 24 hours ago."""
        if rename_store.delete_ended(tx, self._clock.now_ms()):
            tx.announce(ContentErased())

    def _rename(self, tx: Transaction, user: User, name: str) -> User:
        now_ms = self._clock.now_ms()
        before = permissions.require_speaker(tx, user, now_ms)
        if before.is_bot:
            raise DomainError(ErrorCode.FORBIDDEN)
        if name == before.name:
            return before
        if wait_ms := rename_store.wait_ms(tx, before.id, now_ms):
            raise DomainError(ErrorCode.TOO_FAST, reason="rename", retry_after_ms=wait_ms)
        skeleton = names.skeleton(name)
        if not store.is_free(tx, skeleton, now_ms, before.id):
            raise DomainError(ErrorCode.NAME_TAKEN)
        tx.execute("UPDATE users SET name = ?, skeleton = ? WHERE id = ?", (name, skeleton, before.id))
        rename_store.add(tx, before.id, before.name, now_ms)
        renamed = before._replace(name=name)
        tx.announce(MemberChanged(renamed, was=before.name))
        return renamed

    TIMERS = (
        Timer(
            "rename",
            next_expiry,
            expire,
            {MemberChanged: lambda rename, event: rename._clock.now_ms() + rename_store.HELD_MS if event.was else None},
        ),
    )
