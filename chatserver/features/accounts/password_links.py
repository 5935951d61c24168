"""Password links: an administrator makes a one-time link with which a member sets a new password.

The room has no e-mail, so an administrator who knows the member gives the link to the member. The link's address has a
token, and the database has the token's hash. A link is valid for 24 hours and for one use. It ends earlier if the
member's password, role or ban changes, or if its maker is no longer an administrator (schema/0016_password_links.sql).
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.core.rate_limit import AttemptLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, passwords, permissions, sessions, store
from chatserver.features.accounts.login_failures import LoginFailures
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.accounts.session_cookie import SessionCookie
from chatserver.features.audit.record import AuditAct, record
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.page_context import local_time
from chatserver.http.qr_code import qr_code
from chatserver.http.route import ID, Route, path_id
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER, form_of, member_of, wants_json

log = logging.getLogger(__name__)

LIFE_MS = 24 * 3_600_000
# The most links that one administrator can make in an hour.
LINKS_MAX = 20
# The most requests with an invalid token, from one address in an hour.
WRONG_TOKENS_MAX = 20
_HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class PasswordLink:
    """A new link. `token` is not stored: it cannot be shown again."""

    token: str
    member: User
    expires_ms: int


class PasswordLinks:
    def __init__(
        self,
        database: Database,
        settings: CurrentConfig,
        clock: Clock,
        hasher: PasswordHasher,
        failures: LoginFailures,
        session_cookie: SessionCookie,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._hasher = hasher
        self._failures = failures
        self._session_cookie = session_cookie
        self._made = AttemptLimit(clock, LINKS_MAX, _HOUR_SECONDS)
        self._wrong_tokens = AttemptLimit(clock, WRONG_TOKENS_MAX, _HOUR_SECONDS)

    async def create(self, member_id: int, maker: User | None = None) -> PasswordLink:
        """Make a link for this member, which replaces an earlier link. `maker` is None for the operator.

        Raises DomainError: `not_found`; `banned` for a banned member; `forbidden`, also for a link for an
        administrator, which only the operator can make; `too_fast` after LINKS_MAX in an hour.
        """
        if maker and (wait_ms := self._made.wait_ms(str(maker.id))):
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        if maker:
            self._made.record(str(maker.id))
        token, now_ms = secrets.token_urlsafe(32), self._clock.now_ms()
        member = await self._database.run(lambda tx: _create(tx, member_id, token, now_ms, maker))
        log.info("%s: password link for %s (%d)", maker.name if maker else "operator", member.name, member.id)
        return PasswordLink(token, member, now_ms + LIFE_MS)

    async def member_of(self, token: str, address: str) -> User:
        """The member whose password this token sets. Raises DomainError: `gone`; `too_fast` after wrong tokens."""
        if wait_ms := self._wrong_tokens.wait_ms(address):
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        now_ms = self._clock.now_ms()
        user = await self._database.run(lambda tx: _find(tx, token, now_ms))
        if user is None:
            self._wrong_tokens.record(address)
            raise DomainError(ErrorCode.GONE, reason="password_link")
        return user

    async def use(self, token: str, password: str, address: str) -> User:
        """Set the password, and end the link and all sessions of the member.

        Raises DomainError as `member_of` does, and `password_weak`.
        """
        user = await self.member_of(token, address)
        passwords.check_strength(password, user.name)
        hashed = await self._hasher.hash(password)
        await self._database.run(lambda tx: _use(tx, token, hashed, self._clock.now_ms()))
        self._failures.clear(names.lookup_key(user.name))
        return user

    async def on_create(self, request: web.Request) -> web.Response:
        """Answers 201 with `{"link": {"address", "expires_ms", "message", "code": {"size", "path"}}}`, or a page.

        The address cannot be shown again. `code` is a QR code: `size` in modules, and `path`, the `d` attribute of the
        SVG path of its dark modules.
        """
        link = await self.create(path_id(request), member_of(request))
        told = request[VIEWER].t(
            "page.password_link.told", name=link.member.name, time=local_time(request, link.expires_ms)
        )
        address = f"{request.app[SITE].origin.origin(request)}/password/{link.token}/"
        code = qr_code(address)
        if wants_json(request):
            shown = {"address": address, "expires_ms": link.expires_ms, "message": told}
            drawn = {"size": code.size, "path": code.path}
            return responses.as_json({"link": {**shown, "code": drawn}}, 201)
        values = {"address": address, "code": code, "name": link.member.name, "told": told}
        return responses.page(request, "password_link.html", values, 201)

    async def on_operator(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Argument: `name`. Answers `name`, `token`, `expires_ms`, and the public `address`, "" if none is set."""
        key = names.lookup_key(arguments["name"])
        account = await self._database.run(lambda tx: store.account_named(tx, key))
        if account is None:
            raise DomainError(ErrorCode.NOT_FOUND)
        link = await self.create(account.user.id)
        facts = {"name": link.member.name, "token": link.token, "expires_ms": link.expires_ms}
        return {**facts, "address": self._settings.now.base_url}

    async def get_page(self, request: web.Request) -> web.Response:
        user = await self.member_of(request.match_info["token"], request.app[SITE].origin.address(request))
        return responses.page(request, "password.html", {"name": user.name, "error": None})

    async def on_form(self, request: web.Request) -> web.Response:
        """Field: `password`. The member is logged in.

        Answers `{"user": {…}}`, or a browser's form with 303 to the room.
        """
        token, address = request.match_info["token"], request.app[SITE].origin.address(request)
        user = await self.member_of(token, address)
        try:
            await self.use(token, form_of(request).text("password"), address)
        except DomainError as error:
            if error.code is ErrorCode.GONE:
                raise
            return responses.refused_form(request, error, "password.html", {"name": user.name})
        await self._session_cookie.begin(request, user)
        return responses.as_json({"user": user_json(user)}) if wants_json(request) else responses.see_other("/")

    ROUTES = (
        Route("POST", f"/members/{ID}/password-link", on_create, Access.ADMINISTRATOR),
        Route("GET", "/password/{token}/", get_page, Access.ANYONE),
        Route("POST", "/password/{token}/", on_form, Access.ANYONE),
    )
    OPERATIONS = {"password-link": on_operator}


def may_have_link(member: User, is_banned: bool) -> bool:
    """True if an administrator may make a link for this member."""
    return member.role is Role.MEMBER and not is_banned


def _create(tx: Transaction, member_id: int, token: str, now_ms: int, maker: User | None) -> User:
    made_by = permissions.require_administrator(tx, maker).id if maker else None
    account = store.account(tx, member_id)
    if account is None:
        raise DomainError(ErrorCode.NOT_FOUND, reason="member")
    if account.banned:
        raise DomainError(ErrorCode.BANNED)
    if account.user.role is Role.BOT or (maker and not may_have_link(account.user, account.banned)):
        raise DomainError(ErrorCode.FORBIDDEN)
    tx.execute(
        "INSERT OR REPLACE INTO password_links (user_id, token_hash, created_ms, expires_ms, made_by)"
        " VALUES (?, ?, ?, ?, ?)",
        (member_id, _hash(token), now_ms, now_ms + LIFE_MS, made_by),
    )
    record(tx, now_ms, AuditAct.MEMBER_PASSWORD_LINK, maker, member_id, expires_ms=now_ms + LIFE_MS)
    # Delete expired links. They are never valid again; this only keeps the table short.
    tx.execute("DELETE FROM password_links WHERE expires_ms <= ?", (now_ms,))
    return account.user


def _find(tx: Transaction, token: str, now_ms: int) -> User | None:
    row = tx.one("SELECT user_id FROM password_links WHERE token_hash = ? AND expires_ms > ?", (_hash(token), now_ms))
    account = store.account(tx, row[0]) if row else None
    return account.user if account else None


def _use(tx: Transaction, token: str, hashed: str, now_ms: int) -> None:
    """Set the password; a trigger then deletes the link. Raises DomainError `gone` if another request was first."""
    user = _find(tx, token, now_ms)
    if user is None:
        raise DomainError(ErrorCode.GONE, reason="password_link")
    tx.execute("UPDATE users SET password = ? WHERE id = ?", (hashed, user.id))
    sessions.end_others(tx, user.id)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
