"""The member card: a member's profile, the number of orders in the open window, and an administrator's acts.

The acts are those of moderate.py, each with its labels in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.core.rate_limit import RateLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import moderate, password_links, store
from chatserver.features.accounts.moderate import ASKED, SPANS, Act, Member
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.route import ID, Route, path_id
from chatserver.http.viewer import VIEWER, limit_key
from chatserver.realtime.hub import Hub

# Counts the orders of a member in the open window; None if no window is open.
CountOrders = Callable[[Transaction, int], int | None]
# True if at least one message of a member is stored.
HasPosted = Callable[[Transaction, int], bool]

# The rate limit of cards for the guests of one address.
_GUEST_BURST, _GUEST_PER_SECOND = 20, 1


@dataclass(frozen=True, slots=True)
class Card:
    """`acts`: what the reader may do, in display order. `sessions`: the number of the member's sessions."""

    member: Member
    orders: int | None
    acts: tuple[Act, ...]
    sessions: int


class MemberCard:
    def __init__(
        self, database: Database, clock: Clock, hub: Hub, count_orders: CountOrders, has_posted: HasPosted
    ) -> None:
        self._database = database
        self._clock = clock
        self._hub = hub
        self._count_orders = count_orders
        self._has_posted = has_posted
        self._guests = RateLimit(clock)

    async def read(self, reader: User | None, member_id: int) -> Card:
        """The card as `reader` may see it. Raises DomainError `not_found`.

        A guest (None) sees only cards of members who are online or have a stored message. Ids are consecutive numbers,
        so without this rule guests could read the list of all members, which is not for guests.
        """
        is_shown = reader is not None or self._hub.is_online(member_id)
        return await self._database.run(lambda tx: self._read(tx, reader, member_id, is_shown))

    async def get(self, request: web.Request) -> web.Response:
        """`{"member": {…, "created_ms", "old_name"}, "orders"}`.

        For an administrator, a card of another member also has `muted_until_ms` (null: not muted), `banned`, `acts` and
        `spans`. An act is `{"act", "label", "done"}`, with a `question` if it must be confirmed. `password_link` is the
        label of the button that makes a password link, if the member may have one. Raises DomainError: `not_found`, for
        guests `too_fast`.
        """
        reader = request[VIEWER].user
        if reader is None and (wait_ms := self._guests.take(limit_key(request), _GUEST_BURST, _GUEST_PER_SECOND)):
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        card = await self.read(reader, path_id(request))
        member = card.member
        shown = {**user_json(member.user), "created_ms": member.created_ms, "old_name": member.old_name}
        answer: dict[str, Any] = {"member": shown, "orders": card.orders}
        if card.acts:
            answer["muted_until_ms"] = card.member.muted_until_ms if self._is_muted(card.member) else None
            answer["banned"] = card.member.banned
            answer["acts"] = [_act_json(request, card, act) for act in card.acts]
            answer["spans"] = [
                {"seconds": span, "label": request[VIEWER].t(f"page.members.span_{span}")} for span in SPANS
            ]
            if password_links.may_have_link(card.member.user, card.member.banned):
                answer["password_link"] = request[VIEWER].t("page.password_link.make")
        return responses.as_json(answer)

    def _read(self, tx: Transaction, reader: User | None, member_id: int, is_shown: bool) -> Card:
        member = moderate.find_member(tx, member_id)
        if member is None or not (is_shown or self._has_posted(tx, member_id)):
            raise DomainError(ErrorCode.NOT_FOUND, reason="member")
        acts = self._acts(member) if reader and _may_act(tx, reader, member_id) else ()
        return Card(member, self._count_orders(tx, member_id), acts, moderate.session_count(tx, member_id))

    def _acts(self, member: Member) -> tuple[Act, ...]:
        wanted = {
            Act.MUTE: not member.banned,
            Act.UNMUTE: self._is_muted(member) and not member.banned,
            Act.PROMOTE: member.user.role is Role.MEMBER and not member.banned,
            Act.DEMOTE: member.user.is_administrator and not member.banned,
            Act.TAKE_AVATAR: member.user.avatar != "",
            Act.TAKE_NAME: True,
            Act.BAN: not member.banned,
            Act.UNBAN: member.banned,
        }
        return tuple(act for act, is_wanted in wanted.items() if is_wanted)

    def _is_muted(self, member: Member) -> bool:
        return member.muted_until_ms > self._clock.now_ms()

    ROUTES = (Route("GET", f"/api/members/{ID}/", get, Access.READER),)


def _may_act(tx: Transaction, reader: User, member_id: int) -> bool:
    account = store.account(tx, reader.id)
    return account is not None and account.user.is_administrator and not account.banned and reader.id != member_id


def _act_json(request: web.Request, card: Card, act: Act) -> dict[str, str]:
    t, name = request[VIEWER].t, card.member.user.name
    words = {"act": act.value, "label": t(f"page.members.act_{act}"), "done": t(f"page.members.done_{act}")}
    if act in ASKED:
        follows = t(f"page.members.follows_{act}", count=card.sessions)
        words["question"] = t("page.members.asked", question=t(f"page.members.ask_{act}", name=name), follows=follows)
    return words
