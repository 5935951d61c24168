"""What administrators may do to members: silence, shut out, and share their power. All of it can be taken back.

Nobody acts on themself. So whoever takes an administrator's power away keeps their own, and since
the acts come one after another through the database's queue, the last administrator stays one.
"""

from __future__ import annotations

import logging
from enum import StrEnum

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import MemberChanged, SessionsEnded
from chatserver.core.model import Role, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, permissions, session_rows, store
from chatserver.features.accounts.store import Member

log = logging.getLogger(__name__)

MUTE_SECONDS = 3600
MUTE_SECONDS_MAX = 31_536_000  # a year; whoever should be silent for longer is banned


class Act(StrEnum):
    MUTE = "mute"
    UNMUTE = "unmute"
    BAN = "ban"
    UNBAN = "unban"
    PROMOTE = "promote"
    DEMOTE = "demote"


class Moderation:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def act(self, actor: User, member_id: int, act: Act, seconds: int | None = None) -> Member:
        """Do it, and return the member as they are now. Again: the same answer.

        `mute` is for `seconds` (1 to a year; None: an hour) from now: no posts, no reactions, no
        typing. `ban` ends every login at once. `promote` and `demote` give and take the
        administrator's role. Refuses with `forbidden` (also, with `reason` "self", what one would
        do to oneself), `not_found`, `bad_request` (seconds), `banned` (promoting somebody who is).
        """
        if seconds is not None and (act is not Act.MUTE or not 1 <= seconds <= MUTE_SECONDS_MAX):
            raise DomainError(ErrorCode.BAD_REQUEST, field="seconds")
        member = await self._database.run(lambda tx: self._act(tx, actor, member_id, act, seconds or MUTE_SECONDS))
        log.info("%s: %s %s (%d)", actor.name, act, member.user.name, member.user.id)
        return member

    async def members(self, actor: User, look: str, after: int, limit: int) -> list[Member]:
        """The next `limit` members after this id whose name holds what `look` looks like; "" is in every name."""
        part = names.skeleton(look.strip()[: names.NAME_MAX])
        return await self._database.run(lambda tx: _members(tx, actor, part, after, limit))

    async def check_speaker(self, user: User) -> None:
        """Refuse, with `muted` or `banned`, who may not be heard now: before an upload is worked on, say."""
        await self._database.run(lambda tx: permissions.speaker(tx, user, self._clock.now_ms()))

    async def is_banned(self, user: User) -> bool:
        account = await self._database.run(lambda tx: store.account(tx, user.id))
        return account is not None and account.banned

    def _act(self, tx: Transaction, actor: User, member_id: int, act: Act, seconds: int) -> Member:
        done = {
            Act.MUTE: lambda: store.mute(tx, member_id, actor.id, self._clock.now_ms() + seconds * 1000),
            Act.UNMUTE: lambda: store.mute(tx, member_id, actor.id, 0),
            Act.BAN: lambda: _ban(tx, member_id, actor.id),
            Act.UNBAN: lambda: store.set_banned(tx, member_id, actor.id, False),
            Act.PROMOTE: lambda: _give(tx, member_id, actor.id, Role.ADMINISTRATOR),
            Act.DEMOTE: lambda: _give(tx, member_id, actor.id, Role.MEMBER),
        }[act]()
        member = store.member(tx, member_id)
        if not done or member is None:
            raise _why_not(tx, actor, member)
        return member


def _ban(tx: Transaction, member_id: int, actor_id: int) -> bool:
    if not store.set_banned(tx, member_id, actor_id, True):
        return False
    if ended := session_rows.delete_others(tx, member_id, None):
        tx.announce(SessionsEnded(ended, banned=True))
    return True


def _give(tx: Transaction, member_id: int, actor_id: int, role: Role) -> bool:
    if not store.give_role(tx, member_id, actor_id, role):
        return False
    if member := store.member(tx, member_id):
        tx.announce(MemberChanged(member.user))
    return True


def _members(tx: Transaction, actor: User, part: str, after: int, limit: int) -> list[Member]:
    permissions.administrator(tx, actor)
    return store.members(tx, after, limit, part)


def _why_not(tx: Transaction, actor: User, member: Member | None) -> DomainError:
    permissions.administrator(tx, actor)
    if member is None:
        return DomainError(ErrorCode.NOT_FOUND)
    if member.user.id == actor.id:
        return DomainError(ErrorCode.FORBIDDEN, reason="self")
    return DomainError(ErrorCode.BANNED)
