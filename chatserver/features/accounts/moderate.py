"""Moderation: administrators mute, ban and promote members, undo this, and remove an avatar or a name.

Administrators cannot act on their own account, and the database runs one act after another. So an administrator who
demotes another one stays an administrator, and a room that has an administrator always keeps at least one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Role, User
from chatserver.core.numbers import ID_MAX
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, password_links, permissions, rename_store, sessions, store
from chatserver.features.accounts.events import MemberChanged, MemberMuted
from chatserver.features.audit.record import AuditAct, record
from chatserver.http import confirmation, forms, responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.page_context import local_time
from chatserver.http.query import number
from chatserver.http.route import ID, Route, path_id
from chatserver.http.viewer import VIEWER, form_of, member_of, wants_json

log = logging.getLogger(__name__)

MUTE_SECONDS = 3600
MUTE_SECONDS_MAX = 31_536_000  # A year. To exclude a member for longer, administrators use a ban.

# The most names that `take_name` tries, because members may have chosen some of them.
NAMES_TRIED = 1_000

# Members on one page.
PAGE_MEMBERS = 50
# The most members in one answer to the operator. An answer is one line of JSON, which the event loop encodes.
ANSWER_MEMBERS = 500
# The durations of a mute that the page offers, in seconds: ten minutes, an hour, a day, thirty days.
SPANS = (600, 3600, 86_400, 2_592_000)

_MEMBER = (
    "SELECT id, name, role, avatar, created_ms, (SELECT max(seen_ms) FROM sessions WHERE user_id = users.id),"
    " muted_until_ms, banned, (SELECT old_name FROM renames WHERE user_id = users.id) FROM users"
)
# The WHERE clause checks the permission: the actor is an administrator who is not banned, and not the member itself.
_BY_ADMINISTRATOR = (
    "WHERE id = :member AND id <> :actor"
    " AND EXISTS (SELECT 1 FROM users a WHERE a.id = :actor AND a.role = 'administrator' AND a.banned = 0)"
)


class Act(StrEnum):
    MUTE = "mute"
    UNMUTE = "unmute"
    BAN = "ban"
    UNBAN = "unban"
    PROMOTE = "promote"
    DEMOTE = "demote"
    TAKE_AVATAR = "take_avatar"
    TAKE_NAME = "take_name"


# Acts that a browser's form must confirm, because the member notices them at once, or because they give much power.
ASKED = frozenset({Act.BAN, Act.PROMOTE, Act.DEMOTE, Act.TAKE_AVATAR, Act.TAKE_NAME})


@dataclass(frozen=True, slots=True)
class Member:
    """A member, with the fields that administrators see. `seen_ms` is None for a member without a session.

    `old_name` is the name that the member gave up less than 24 hours ago, or "".
    """

    user: User
    created_ms: int
    seen_ms: int | None
    muted_until_ms: int
    banned: bool
    old_name: str


class Moderate:
    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def act(self, actor: User, member_id: int, act: Act, seconds: int | None = None) -> Member:
        """Do the act, and return the member as stored after it. A repeated act gives the same answer.

        `mute` forbids posts, reactions and typing for `seconds` (1 to a year; None: an hour) from now. `ban` ends
        every session at once. `promote` and `demote` give and take the administrator's role. `take_avatar` removes
        the avatar. `take_name` gives another name, which is also the new login name; an old name is no longer shown,
        and the member cannot choose another name for 24 hours. Raises DomainError: `forbidden` (with `reason` "self"
        for the actor's own account, "bot" for a bot's role), `not_found`, `bad_request` (`seconds`), `banned` (when
        the role of a banned member should change).
        """
        if seconds is not None and (act is not Act.MUTE or not 1 <= seconds <= MUTE_SECONDS_MAX):
            raise DomainError(ErrorCode.BAD_REQUEST, field="seconds")
        member = await self._database.run(lambda tx: self._act(tx, actor, member_id, act, seconds or MUTE_SECONDS))
        log.info("%s: %s %s (%d)", actor.name, act, member.user.name, member.user.id)
        return member

    async def find(self, actor: User, part: str, after: int, limit: int) -> list[Member]:
        """The next `limit` members after this id whose name contains text that looks like `part`; "" finds all members.

        Raises DomainError: `forbidden`, `banned`.
        """
        skeleton = names.skeleton(part.strip()[: names.NAME_MAX])
        return await self._database.run(lambda tx: _find(tx, actor, skeleton, after, limit))

    async def get_page(self, request: web.Request) -> web.Response:
        """`?q=` part of a name; `?after=` the last `next`. As JSON `{"members": […], "next": id or null}`."""
        part, after = request.query.get("q", ""), number(request, "after", 0, ID_MAX, 0)
        found = await self.find(member_of(request), part, after, PAGE_MEMBERS + 1)
        page = found[:PAGE_MEMBERS]
        next_after = page[-1].user.id if len(found) > PAGE_MEMBERS else None
        if wants_json(request):
            return responses.as_json({"members": [_member_json(member) for member in page], "next": next_after})
        done = request.query.get("done", "")
        values = {
            "error": None,
            "rows": [self._row(request, member) for member in page],
            "q": part,
            "more": urlencode({"q": part, "after": next_after}) if next_after else "",
            "notice": request[VIEWER].t(f"page.members.done_{done}") if done in list(Act) else None,
        }
        return responses.page(request, "members.html", values)

    async def on_form(self, request: web.Request) -> web.Response:
        """Fields: `act`, the value of an Act, and `seconds` for a mute.

        Answers `{"member": {…}}`, or a browser's form with 303 to the list.
        """
        typed, seconds = await _asked(request)
        try:
            act = Act(typed)
        except ValueError:
            raise DomainError(ErrorCode.BAD_REQUEST, field="act") from None
        if act in ASKED and confirmation.is_needed(request):
            return await self._ask(request, act)
        # The page's form sends the selected duration with every act.
        seconds = seconds if act is Act.MUTE else None
        member = await self.act(member_of(request), path_id(request), act, seconds)
        if wants_json(request):
            return responses.as_json({"member": _member_json(member)})
        return responses.see_other("/members/?" + urlencode({"q": form_of(request).text("q")[:40], "done": act}))

    async def _ask(self, request: web.Request, act: Act) -> web.Response:
        """The confirmation page, with the effects of the act on this member."""
        actor, member_id = member_of(request), path_id(request)
        member, ended = await self._database.run(lambda tx: _concerned(tx, actor, member_id))
        t, name = request[VIEWER].t, member.user.name
        back = "/members/?" + urlencode({"q": form_of(request).text("q")[:40]})
        facts = [t(f"page.members.follows_{act}", count=ended)]
        return confirmation.ask(
            request, t(f"page.members.ask_{act}", name=name), facts, t(f"page.members.act_{act}"), back
        )

    async def on_list_members(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The `members` whose id is above `after`; `next` is the `after` of the next call, or null at the end."""
        after = arguments["after"]
        found = await self._database.run(lambda tx: _members(tx, after, ANSWER_MEMBERS))
        next_after = found[-1].user.id if len(found) == ANSWER_MEMBERS else None
        return {"members": [_listed(member) for member in found], "next": next_after}

    def _act(self, tx: Transaction, actor: User, member_id: int, act: Act, seconds: int) -> Member:
        now_ms, before = self._clock.now_ms(), find_member(tx, member_id)
        done = {
            Act.MUTE: lambda: _mute(tx, member_id, actor.id, now_ms + seconds * 1000),
            Act.UNMUTE: lambda: _mute(tx, member_id, actor.id, 0),
            Act.BAN: lambda: _ban(tx, member_id, actor.id),
            Act.UNBAN: lambda: _set_banned(tx, member_id, actor.id, False),
            Act.PROMOTE: lambda: _set_role(tx, member_id, actor.id, Role.ADMINISTRATOR),
            Act.DEMOTE: lambda: _set_role(tx, member_id, actor.id, Role.MEMBER),
            Act.TAKE_AVATAR: lambda: _take_avatar(tx, member_id, actor.id),
            Act.TAKE_NAME: lambda: _take_name(tx, member_id, actor.id, now_ms, self._settings.now.language),
        }[act]()
        member = find_member(tx, member_id)
        if not done or member is None:
            raise _why_not(tx, actor, member)
        if member != before:
            until = {"until_ms": member.muted_until_ms} if act is Act.MUTE else {}
            record(tx, now_ms, AuditAct(f"member.{act}"), actor, member_id, **until)
        return member

    def _row(self, request: web.Request, member: Member) -> dict[str, Any]:
        is_muted = member.muted_until_ms > self._clock.now_ms()
        return {
            **user_json(member.user),
            "mine": member.user.id == member_of(request).id,
            "banned": member.banned,
            "muted_until": local_time(request, member.muted_until_ms) if is_muted else "",
            "old_name": member.old_name,
            "created": local_time(request, member.created_ms),
            "seen": local_time(request, member.seen_ms) if member.seen_ms else "",
            "spans": SPANS,
            "may_have_link": password_links.may_have_link(member.user, member.banned),
        }

    ROUTES = (
        Route("GET", "/members/", get_page, Access.ADMINISTRATOR, title="page.members.title"),
        Route("POST", f"/members/{ID}/", on_form, Access.ADMINISTRATOR),
    )
    OPERATIONS = {"list-members": on_list_members}


async def _asked(request: web.Request) -> tuple[str, int | None]:
    """The fields `act` and `seconds` of a form or a JSON object."""
    if request.content_type != "application/json":
        return form_of(request).text("act"), form_of(request).number("seconds")
    fields = await forms.read_json(request)
    act, seconds = fields.get("act"), fields.get("seconds")
    if not isinstance(act, str) or (seconds is not None and type(seconds) is not int):
        raise DomainError(ErrorCode.BAD_REQUEST)
    return act, seconds


def _concerned(tx: Transaction, actor: User, member_id: int) -> tuple[Member, int]:
    """The member, and the number of their sessions. Raises DomainError: `forbidden`, `banned`, `not_found`."""
    permissions.require_administrator(tx, actor)
    member = find_member(tx, member_id)
    if member is None:
        raise DomainError(ErrorCode.NOT_FOUND, reason="member")
    return member, session_count(tx, member_id)


def session_count(tx: Transaction, member_id: int) -> int:
    (count,) = tx.one("SELECT count(*) FROM sessions WHERE user_id = ?", (member_id,))
    return int(count)


def _mute(tx: Transaction, member_id: int, actor_id: int, until_ms: int) -> bool:
    """Mute the member. This function and the next five return False if `actor_id` may not act."""
    sql = f"UPDATE users SET muted_until_ms = :value {_BY_ADMINISTRATOR}"  # nosec B608 # constants
    if not tx.execute(sql, {"value": until_ms, "member": member_id, "actor": actor_id}).rowcount:
        return False
    tx.announce(MemberMuted(member_id, until_ms))
    return True


def _ban(tx: Transaction, member_id: int, actor_id: int) -> bool:
    if not _set_banned(tx, member_id, actor_id, True):
        return False
    sessions.end_others(tx, member_id, banned=True)
    member = find_member(tx, member_id)
    if member is not None and member.user.is_bot:
        sessions.end_bot(tx, member_id, banned=True)
    return True


def _set_banned(tx: Transaction, member_id: int, actor_id: int, banned: bool) -> bool:
    sql = f"UPDATE users SET banned = :value {_BY_ADMINISTRATOR}"  # nosec B608 # constants
    return tx.execute(sql, {"value": banned, "member": member_id, "actor": actor_id}).rowcount > 0


def _set_role(tx: Transaction, member_id: int, actor_id: int, role: Role) -> bool:
    """Set the role. Returns False also for a banned member and for a bot."""
    sql = f"UPDATE users SET role = :value {_BY_ADMINISTRATOR} AND banned = 0 AND role <> 'bot'"  # nosec B608 # constants
    if not tx.execute(sql, {"value": role.value, "member": member_id, "actor": actor_id}).rowcount:
        return False
    if member := find_member(tx, member_id):
        tx.announce(MemberChanged(member.user))
    return True


def _take_avatar(tx: Transaction, member_id: int, actor_id: int) -> bool:
    before = find_member(tx, member_id)
    sql = f"UPDATE users SET avatar = '' {_BY_ADMINISTRATOR}"  # nosec B608 # constants
    if not tx.execute(sql, {"member": member_id, "actor": actor_id}).rowcount or before is None:
        return False
    if before.user.avatar:
        tx.announce(MemberChanged(before.user._replace(avatar="")))
        tx.announce(ContentErased((before.user.avatar,), is_urgent=True))
    return True


def _take_name(tx: Transaction, member_id: int, actor_id: int, now_ms: int, language: str) -> bool:
    """Replace the name by "Member ID" or "成员ID". If that name is not free, append a number."""
    before = find_member(tx, member_id)
    if before is None:
        return False
    base = f"成员{member_id}" if language == "zh" else f"Member {member_id}"
    for name in (base, *(f"{base}-{n}" for n in range(2, NAMES_TRIED))):
        skeleton = names.skeleton(name)
        if store.is_free(tx, skeleton, now_ms, member_id):
            break
    sql = f"UPDATE users SET name = :name, skeleton = :skeleton {_BY_ADMINISTRATOR}"  # nosec B608 # constants
    values = {"name": name, "skeleton": skeleton, "member": member_id, "actor": actor_id}
    if not tx.execute(sql, values).rowcount:
        return False
    if name != before.user.name:
        tx.announce(MemberChanged(before.user._replace(name=name), was=before.user.name))
    if name != before.user.name or before.old_name:
        rename_store.add_taken(tx, member_id, now_ms)
        tx.announce(ContentErased(is_urgent=True))
    return True


def _why_not(tx: Transaction, actor: User, member: Member | None) -> DomainError:
    permissions.require_administrator(tx, actor)
    if member is None:
        return DomainError(ErrorCode.NOT_FOUND, reason="member")
    if member.user.id == actor.id:
        return DomainError(ErrorCode.FORBIDDEN, reason="self")
    if member.user.is_bot:
        return DomainError(ErrorCode.FORBIDDEN, reason="bot")
    return DomainError(ErrorCode.BANNED)


def _find(tx: Transaction, actor: User, skeleton: str, after: int, limit: int) -> list[Member]:
    permissions.require_administrator(tx, actor)
    return _members(tx, after, limit, skeleton)


def _members(tx: Transaction, after: int, limit: int, skeleton: str = "") -> list[Member]:
    """The next `limit` members after this id, only those whose skeleton contains `skeleton`."""
    rows = tx.all(f"{_MEMBER} WHERE id > ? AND instr(skeleton, ?) > 0 ORDER BY id LIMIT ?", (after, skeleton, limit))
    return [_from_row(row) for row in rows]


def find_member(tx: Transaction, user_id: int) -> Member | None:
    """The member as stored."""
    row = tx.one(f"{_MEMBER} WHERE id = ?", (user_id,))
    return _from_row(row) if row else None


def _from_row(row: tuple[int, str, str, str, int, int | None, int, int, str | None]) -> Member:
    user_id, name, role, avatar, created_ms, seen_ms, muted_until_ms, banned, old_name = row
    user = User(user_id, name, Role(role), avatar)
    return Member(user, created_ms, seen_ms, muted_until_ms, bool(banned), old_name or "")


def _member_json(member: Member) -> dict[str, Any]:
    return {**user_json(member.user), **_facts(member), "old_name": member.old_name}


def _listed(member: Member) -> dict[str, Any]:
    """The member as `list-members --json` prints it. Without the avatar, whose URL needs the running server."""
    user = member.user
    return {"id": user.id, "name": user.name, "role": user.role.value, **_facts(member)}


def _facts(member: Member) -> dict[str, Any]:
    return {
        "created_ms": member.created_ms,
        "seen_ms": member.seen_ms,
        "muted_until_ms": member.muted_until_ms or None,
        "banned": member.banned,
    }
