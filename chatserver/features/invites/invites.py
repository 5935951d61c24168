"""Invitations, made by administrators and the operator. If registration is by invitation, each use adds a member.

The address of an invitation has a code, and the database has only the code's hash.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.invites import used
from chatserver.features.invites.used import NONE_JOINED, Joined, UsedInvite
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.page_context import local_time
from chatserver.http.qr_code import qr_code
from chatserver.http.route import Route
from chatserver.http.site import SITE
from chatserver.http.typed_fields import typed_fields
from chatserver.http.viewer import VIEWER, member_of, wants_json

USES_MAX = 10_000
HOURS_MAX = 8_784.0  # a year of 366 days

# The most invitations that a page shows; an administrator with more can withdraw some.
LISTED_MAX = 200
# The durations that the page offers, in hours: a day, three days, a week, thirty days.
SPANS = (24, 72, 168, 720)
HOURS = 168
_FIELDS = {"uses", "hours", "withdraw"}


@dataclass(frozen=True, slots=True)
class OpenInvite:
    """A valid invitation. `id` is the code's hash in hexadecimal; `made_by` is a name, or "" for the operator."""

    id: str
    uses_left: int
    created_ms: int
    expires_ms: int
    made_by: str
    joined: Joined = NONE_JOINED


@dataclass(frozen=True, slots=True)
class Invite:
    """A new invitation. `code` is not stored: it cannot be shown again."""

    code: str
    opened: OpenInvite


class Invites:
    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def create(self, uses: int, hours: float, maker: User | None = None) -> Invite:
        """Make an invitation for `uses` members (1 to USES_MAX), valid for `hours` (more than 0, up to HOURS_MAX).

        `maker` is the administrator who makes it, or None for the operator. Raises DomainError: `bad_request`
        (`field`), `forbidden`, `banned`.
        """
        if not 1 <= uses <= USES_MAX:
            raise DomainError(ErrorCode.BAD_REQUEST, field="uses")
        if not 0 < hours <= HOURS_MAX:
            raise DomainError(ErrorCode.BAD_REQUEST, field="hours")
        code, now_ms = secrets.token_urlsafe(16), self._clock.now_ms()
        expires_ms = now_ms + int(hours * 3_600_000)
        opened = OpenInvite(_hash(code).hex(), uses, now_ms, expires_ms, maker.name if maker else "")
        await self._database.run(lambda tx: _create(tx, opened, maker))
        return Invite(code, opened)

    async def opened(self, actor: User) -> list[OpenInvite]:
        """The newest LISTED_MAX valid invitations. Raises DomainError: `forbidden`, `banned`."""
        return (await self._listed(actor))[0]

    async def used(self, actor: User) -> list[UsedInvite]:
        """The invitations that members used and that are no longer valid. Raises DomainError: `forbidden`, `banned`."""
        return (await self._listed(actor))[1]

    async def withdraw(self, actor: User, invite_id: str) -> None:
        """Delete an invitation. Raises DomainError: `forbidden`, `banned`, `not_found`."""
        await self._database.run(lambda tx: _withdraw(tx, actor, invite_id, self._clock.now_ms()))

    async def check(self, code: str) -> None:
        """Check a code before the registration, so that an invalid code is refused early. Raises DomainError
        `invite_invalid`."""
        now_ms = self._clock.now_ms()
        if not await self._database.run(lambda tx: _is_valid(tx, code, now_ms)):
            raise DomainError(ErrorCode.INVITE_INVALID)

    async def get_page(self, request: web.Request) -> web.Response:
        """The valid and the used invitations, with the members who used them; as JSON `{"invites": […], "used": […]}`.

        Codes are not shown, because they are not stored.
        """
        if wants_json(request):
            return await self._list(request)
        is_withdrawn = request.query.get("done") == "withdrawn"
        notice = request[VIEWER].t("page.invites.done_withdrawn") if is_withdrawn else None
        return responses.page(request, "invites.html", {**await self._page(request, {}), "notice": notice})

    async def on_form(self, request: web.Request) -> web.Response:
        """Make an invitation with `uses` (default 1) and `hours` (default 168), or withdraw an invitation.

        `withdraw` is the id of the invitation to withdraw. A new invitation is answered with 201 and its address,
        which is not shown again. Raises DomainError: `bad_request` (`field`), `not_found`.
        """
        typed: dict[str, Any] = {}
        try:
            typed = await typed_fields(request, _FIELDS)
            if typed.get("withdraw"):
                return await self._on_withdraw(request, str(typed["withdraw"]))
            return await self._on_create(request, typed)
        except DomainError as error:
            error = _explained(request, error)
            values = await self._page(request, typed)
            return responses.refused_form(
                request, error, "invites.html", {**values, "wrong": error.details.get("field", "")}
            )

    async def on_invite(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments: `uses` and `hours`. Answers `code`, `uses`, `expires_ms`, the `registration` policy, and the
        public `address`, "" if none is set."""
        invite = await self.create(arguments["uses"], arguments["hours"])
        now = self._settings.now
        return {
            "code": invite.code,
            "uses": invite.opened.uses_left,
            "expires_ms": invite.opened.expires_ms,
            "registration": now.registration,
            "address": now.base_url,
        }

    async def _on_create(self, request: web.Request, typed: dict[str, Any]) -> web.Response:
        uses, hours = _number(typed, "uses", 1), _number(typed, "hours", HOURS)
        if not uses.is_integer():
            raise DomainError(ErrorCode.BAD_REQUEST, field="uses")
        made = await self.create(int(uses), hours, member_of(request))
        address = f"{request.app[SITE].origin.origin(request)}/register/?invite={made.code}"
        if wants_json(request):
            return responses.as_json({"invite": {**_invite_json(made.opened), "address": address}}, 201)
        # Show the address in this response. It is not stored, so a page to redirect to could not show it.
        values = {
            **await self._page(request, {}),
            "made": _row(request, made.opened),
            "address": address,
            "code": qr_code(address),
        }
        return responses.page(request, "invites.html", values, 201)

    async def _on_withdraw(self, request: web.Request, invite_id: str) -> web.Response:
        await self.withdraw(member_of(request), invite_id)
        return await self._list(request) if wants_json(request) else responses.see_other("/invites/?done=withdrawn")

    async def _listed(self, actor: User) -> tuple[list[OpenInvite], list[UsedInvite]]:
        now_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: _listed(tx, actor, now_ms))

    async def _list(self, request: web.Request) -> web.Response:
        opened, closed = await self._listed(member_of(request))
        return responses.as_json(
            {"invites": [_invite_json(invite) for invite in opened], "used": [_used_json(invite) for invite in closed]}
        )

    async def _page(self, request: web.Request, typed: dict[str, Any]) -> dict[str, Any]:
        opened, closed = await self._listed(member_of(request))
        return {
            "error": None,
            "notice": None,
            "rows": [_row(request, invite) for invite in opened],
            "used": [_used_row(request, invite) for invite in closed],
            "values": {"uses": typed.get("uses", 1), "hours": str(typed.get("hours", HOURS))},
            "spans": SPANS,
            "wrong": "",
            "address": "",
            "code": None,
            "made": None,
            "registration": self._settings.now.registration,
        }

    ROUTES = (
        Route("GET", "/invites/", get_page, Access.ADMINISTRATOR, title="page.invites.title"),
        Route("POST", "/invites/", on_form, Access.ADMINISTRATOR),
    )
    OPERATIONS = {"invite": on_invite}


# An invitation by the operator is valid until it expires. An invitation by an administrator is valid only as long as
# its maker is an administrator who is not banned.
_MAKER_MAY_INVITE = (
    "(made_by IS NULL OR EXISTS"
    " (SELECT 1 FROM users a WHERE a.id = made_by AND a.role = 'administrator' AND a.banned = 0))"
)
_VALID = f"code_hash = ? AND expires_ms > ? AND {_MAKER_MAY_INVITE}"


def use(tx: Transaction, code: str, now_ms: int) -> int:
    """Take one use of an invitation; with the last use it is deleted.

    Returns the id for `used.assign`. Raises DomainError `invite_invalid`.
    """
    if not _is_valid(tx, code, now_ms):
        raise DomainError(ErrorCode.INVITE_INVALID)
    code_hash = _hash(code)
    used_invite_id = used.record(tx, code_hash)
    if not tx.execute("DELETE FROM invites WHERE code_hash = ? AND uses_left = 1", (code_hash,)).rowcount:
        tx.execute("UPDATE invites SET uses_left = uses_left - 1 WHERE code_hash = ?", (code_hash,))
    return used_invite_id


def _create(tx: Transaction, new: OpenInvite, maker: User | None) -> None:
    made_by = permissions.require_administrator(tx, maker).id if maker else None
    # Delete expired invitations. They are never valid again; this only keeps the table short.
    tx.execute("DELETE FROM invites WHERE expires_ms <= ?", (new.created_ms,))
    tx.execute(
        "INSERT INTO invites (code_hash, uses_left, created_ms, expires_ms, made_by) VALUES (?, ?, ?, ?, ?)",
        (bytes.fromhex(new.id), new.uses_left, new.created_ms, new.expires_ms, made_by),
    )
    record(tx, new.created_ms, AuditAct.INVITE_MAKE, maker, uses=new.uses_left, expires_ms=new.expires_ms)


def _listed(tx: Transaction, actor: User, now_ms: int) -> tuple[list[OpenInvite], list[UsedInvite]]:
    permissions.require_administrator(tx, actor)
    opened = _opened(tx, now_ms)
    ids = [invite.id for invite in opened]
    members = used.joined(tx, ids)
    return [replace(invite, joined=members.get(invite.id, NONE_JOINED)) for invite in opened], used.closed(tx, ids)


def _opened(tx: Transaction, now_ms: int) -> list[OpenInvite]:
    sql = (
        "SELECT lower(hex(i.code_hash)), i.uses_left, i.created_ms, i.expires_ms, coalesce(u.name, '')"  # nosec B608
        f" FROM invites i LEFT JOIN users u ON u.id = i.made_by WHERE i.expires_ms > ? AND {_MAKER_MAY_INVITE}"
        " ORDER BY i.created_ms DESC, i.code_hash LIMIT ?"
    )
    return [OpenInvite(*row) for row in tx.all(sql, (now_ms, LISTED_MAX))]


def _withdraw(tx: Transaction, actor: User, invite_id: str, now_ms: int) -> None:
    actor = permissions.require_administrator(tx, actor)
    sql = "DELETE FROM invites WHERE lower(hex(code_hash)) = ? RETURNING uses_left, expires_ms"
    rows = tx.all(sql, (invite_id,))
    if not rows:
        raise DomainError(ErrorCode.NOT_FOUND, reason="invite")
    uses_left, expires_ms = rows[0]
    record(tx, now_ms, AuditAct.INVITE_WITHDRAW, actor, uses=uses_left, expires_ms=expires_ms)


def _is_valid(tx: Transaction, code: str, now_ms: int) -> bool:
    sql = f"SELECT 1 FROM invites WHERE {_VALID}"  # nosec B608 # constants
    return tx.one(sql, (_hash(code), now_ms)) is not None


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).digest()


def _number(typed: dict[str, Any], name: str, default: float) -> float:
    value = typed.get(name, "")
    if value in ("", None):
        return float(default)
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        return float(value)
    except (ValueError, OverflowError):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name) from None


def _explained(request: web.Request, error: DomainError) -> DomainError:
    """Add the label and the range of the number to an error about `uses` or `hours`, for the message on the page."""
    name = error.details.get("field")
    if error.code is not ErrorCode.BAD_REQUEST or name not in ("uses", "hours"):
        return error
    label = request[VIEWER].t(f"page.invites.{name}")
    if name == "uses":
        return DomainError(error.code, field=name, label=label, reason="whole", least=1, most=USES_MAX)
    return DomainError(error.code, field=name, label=label, reason="number", least=0.01, most=int(HOURS_MAX))


def _invite_json(invite: OpenInvite) -> dict[str, Any]:
    return {
        "id": invite.id,
        "uses_left": invite.uses_left,
        "created_ms": invite.created_ms,
        "expires_ms": invite.expires_ms,
        "made_by": invite.made_by or None,
        "joined": list(invite.joined.names),
        "joined_count": invite.joined.count,
    }


def _used_json(invite: UsedInvite) -> dict[str, Any]:
    return {
        "id": invite.id,
        "created_ms": invite.created_ms,
        "made_by": invite.made_by or None,
        "joined": list(invite.joined.names),
        "joined_count": invite.joined.count,
    }


def _row(request: web.Request, invite: OpenInvite) -> dict[str, Any]:
    return {
        "id": invite.id,
        "uses": invite.uses_left,
        "by": invite.made_by,
        "created": local_time(request, invite.created_ms),
        "expires": local_time(request, invite.expires_ms),
        "joined": invite.joined,
    }


def _used_row(request: web.Request, invite: UsedInvite) -> dict[str, Any]:
    return {
        "id": invite.id,
        "by": invite.made_by,
        "created": local_time(request, invite.created_ms),
        "joined": invite.joined,
    }
