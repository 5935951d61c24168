"""Sets up the room with a one-time token: adds the first administrator, and sets the room's first settings."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import administrators, names, passwords
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.accounts.session_cookie import SessionCookie
from chatserver.features.settings.page import choices, explained
from chatserver.features.settings.settings import Overrides, Settings, checked
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.route import Route
from chatserver.http.viewer import form_of, wants_json

# The settings that the setup page asks for; the others are on the settings page.
ASKED = ("room_name", "language", "registration", "guests")


class Setup:
    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        hasher: PasswordHasher,
        session_cookie: SessionCookie,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._hasher = hasher
        self._session_cookie = session_cookie
        self._token = ""

    async def prepare(self) -> str:
        """Make the one-time token of the setup page; "" if the room has an administrator."""
        has_administrator = await self._database.run(administrators.exists)
        self._token = "" if has_administrator else secrets.token_urlsafe(24)
        return self._token

    async def is_token(self, token: str) -> bool:
        """True for the right token, as long as the room has no administrator. (A command may have made one.)"""
        if not self._token or not hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            return False
        return not await self._database.run(administrators.exists)

    async def set_up(self, token: str, name: str, password: str, overrides: Overrides | None = None) -> User:
        """Add the first administrator and set the room's settings, in one transaction. The token works once.

        Raises DomainError: `forbidden` for another token, `name_invalid`, `name_taken`, `password_weak`,
        `bad_request` (`field`, a setting).
        """
        overrides = overrides or {}
        if not await self.is_token(token):
            raise DomainError(ErrorCode.FORBIDDEN)
        names.check(name, privileged=True)
        passwords.check_strength(password, name)
        checked(overrides)
        hashed = await self._hasher.hash(password)
        return await self._database.run(lambda tx: self._set_up(tx, names.normalise(name), hashed, overrides))

    async def get_page(self, request: web.Request) -> web.Response:
        """`?token=` the one-time token. Raises DomainError `not_found` for any other token."""
        token = request.query.get("token", "")
        if not await self.is_token(token):
            raise DomainError(ErrorCode.NOT_FOUND)
        return responses.page(request, "setup.html", {"error": None, **self._page(request, {"token": token})})

    async def on_form(self, request: web.Request) -> web.Response:
        """Fields: `token`, `username`, `password` and the settings ASKED. The administrator is logged in.

        Answers 201 with `{"user": {…}}`, or a browser's form with 303 to the room.
        """
        form = form_of(request)
        overrides = {name: form.fields[name] for name in ASKED if name in form.fields}
        try:
            user = await self.set_up(form.text("token"), form.text("username"), form.text("password"), overrides)
        except DomainError as error:
            error = explained(request, error)
            values = {**self._page(request, form.fields), "wrong": error.details.get("field", "")}
            return responses.refused_form(request, error, "setup.html", values)
        await self._session_cookie.begin(request, user)
        if wants_json(request):
            return responses.as_json({"user": user_json(user)}, 201)
        return responses.see_other("/")

    def _set_up(self, tx: Transaction, name: str, hashed: str, overrides: Overrides) -> User:
        now_ms = self._clock.now_ms()
        user = administrators.add_first(tx, name, hashed, now_ms)
        self._settings.change(tx, user, overrides, now_ms)
        return user

    def _page(self, request: web.Request, typed: Mapping[str, str]) -> dict[str, Any]:
        """The values of the form: the typed values, else the present settings."""
        now = self._settings.now
        values = {name: typed.get(name, "") for name in ("token", "username")}
        return {
            "values": values | {name: typed.get(name) or str(getattr(now, name)) for name in ASKED},
            "choices": choices(request),
            "wrong": "",
        }

    ROUTES = (
        Route("GET", "/setup/", get_page, Access.ANYONE),
        Route("POST", "/setup/", on_form, Access.ANYONE),
    )
