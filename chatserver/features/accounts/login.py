"""Log in with name and password, and log out."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, store
from chatserver.features.accounts.login_failures import LoginFailures
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.accounts.session_cookie import SessionCookie
from chatserver.features.accounts.store import Person
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.attempts import log_attempt
from chatserver.http.encode import user_json
from chatserver.http.route import Route
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER, form_of, wants_json

_PATH_MAX = 500


class Login:
    def __init__(
        self, database: Database, hasher: PasswordHasher, failures: LoginFailures, session_cookie: SessionCookie
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._failures = failures
        self._session_cookie = session_cookie

    async def load(self) -> None:
        """Make every check of a password cost as much as the most expensive stored hash.

        Hashes from before `bcrypt_rounds` was lowered are slower, and the time would tell which names exist.
        """
        self._hasher.expect(await self._database.run(_highest_cost))

    async def authenticate(self, name: str, password: str, address: str) -> Person:
        """The account of this name and password. Its hash is the `proof` with which a session can be started.

        Raises DomainError: `login_failed`, for an unknown name and for a wrong password alike and after the same
        time; `banned`; `login_throttled` after too many failures (LoginFailures.count).
        """
        key = names.lookup_key(name)
        self._failures.count(key, address)
        account = await self._database.run(lambda tx: store.person_named(tx, key))
        if not await self._hasher.verify(password, account.password if account else None) or account is None:
            raise DomainError(ErrorCode.LOGIN_FAILED)
        self._failures.clear(key, address)
        if account.banned:
            raise DomainError(ErrorCode.BANNED)
        return account

    async def get_page(self, request: web.Request) -> web.Response:
        """The login page. `?next=` is the path to go to after the login."""
        target = _own_path(request.query.get("next", ""))
        if request[VIEWER].user:
            return responses.see_other(target)
        return responses.page(request, "login.html", {"error": None, "values": {}, "next": target})

    async def on_form(self, request: web.Request) -> web.Response:
        """Fields: `username`, `password` and `next`.

        Answers `{"user": {…}}`, or a browser's form with 303 to `next`.
        """
        form, address = form_of(request), request.app[SITE].origin.address(request)
        target = _own_path(form.text("next") or request.query.get("next", ""))
        name = form.text("username")
        try:
            account = await self.authenticate(name, form.text("password"), address)
        except DomainError as error:
            if error.code in (ErrorCode.LOGIN_FAILED, ErrorCode.LOGIN_THROTTLED):
                log_attempt(request, error.code)
            values = {"values": {"username": name}, "next": target}
            return responses.refused_form(request, error, "login.html", values)
        await self._session_cookie.begin(request, account.user, account.password)
        if wants_json(request):
            return responses.as_json({"user": user_json(account.user)})
        return responses.see_other(target)

    async def get_logout(self, request: web.Request) -> web.Response:
        """Show a button. GET never logs out, because members can post links to this address."""
        return responses.page(request, "logout.html", {})

    async def on_logout(self, request: web.Request) -> web.Response:
        await self._session_cookie.end(request)
        return responses.as_json({"ok": True}) if wants_json(request) else responses.see_other("/login/")

    ROUTES = (
        Route("GET", "/login/", get_page, Access.ANYONE),
        Route("POST", "/login/", on_form, Access.ANYONE),
        Route("GET", "/logout/", get_logout, Access.ANYONE),
        Route("POST", "/logout/", on_logout, Access.ANYONE),
    )


def _own_path(typed: str) -> str:
    """`typed` if it is a path of this server, else `/`, so that a login never redirects to another site."""
    is_own = typed.startswith("/") and not typed.startswith("//") and "\\" not in typed and typed.isprintable()
    return typed if is_own and len(typed) < _PATH_MAX else "/"


def _highest_cost(tx: Transaction) -> int:
    """The highest cost of the stored hashes (for example 12 for `$2b$12$…`); 0 if there is no member."""
    row = tx.one("SELECT max(CAST(substr(password, 5, 2) AS INTEGER)) FROM users")
    return row[0] or 0
