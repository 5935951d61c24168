"""Registration: adds a member, with or without an avatar, if the room's policy allows it."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.core.rate_limit import AttemptLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, passwords, store
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.accounts.session_cookie import SessionCookie
from chatserver.features.invites import invites, used
from chatserver.features.invites.invites import Invites
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.route import Route
from chatserver.http.site import SITE
from chatserver.http.uploads import Uploads
from chatserver.http.viewer import VIEWER, form_of, wants_json

_HOUR_SECONDS = 3600


class Register:
    def __init__(
        self,
        database: Database,
        settings: CurrentConfig,
        clock: Clock,
        hasher: PasswordHasher,
        invites: Invites,
        uploads: Uploads,
        session_cookie: SessionCookie,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._hasher = hasher
        self._invites = invites
        self._uploads = uploads
        self._session_cookie = session_cookie
        self._attempts = AttemptLimit(clock, settings.now.registrations_per_hour, _HOUR_SECONDS)

    async def check(self, name: str, password: str, invite: str, address: str) -> None:
        """Check the policy, the limits, the name and the password before any expensive work.

        Raises DomainError: `registration_closed`, `invite_invalid`, `name_invalid`, `password_weak`,
        `name_taken`, `too_fast`.
        """
        policy = self._settings.now.registration
        if policy == "closed":
            raise DomainError(ErrorCode.REGISTRATION_CLOSED)
        if policy == "invite":
            await self._invites.check(invite)
        names.check(name)
        passwords.check_strength(password, name)
        key = names.lookup_key(name)
        now_ms = self._clock.now_ms()
        if not await self._database.run(lambda tx: store.is_free(tx, key, now_ms)):
            raise DomainError(ErrorCode.NAME_TAKEN)
        # Checked last, so that nothing is awaited between this check and `record` in `register`.
        self._attempts.limit = self._settings.now.registrations_per_hour
        wait_ms = self._attempts.wait_ms(address)
        if wait_ms:
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)

    async def register(self, name: str, password: str, invite: str, address: str, avatar: str = "") -> User:
        """Add a member. `avatar` is the name of a stored file, or "".

        If registration is by invitation, the transaction that adds the member also takes one use of `invite`; else
        `invite` is ignored. Raises DomainError as `check` does, and `name_taken`.
        """
        await self.check(name, password, invite, address)
        name = names.normalise(name)
        # Counted before the hash is computed, so that concurrent registrations are counted too.
        self._attempts.record(address)
        try:
            hashed = await self._hasher.hash(password)
            return await self._database.run(lambda tx: self._register(tx, name, hashed, invite, avatar))
        except DomainError:
            self._attempts.undo(address)
            raise

    async def get_page(self, request: web.Request) -> web.Response:
        if request[VIEWER].user:
            return responses.see_other("/")
        values = {"invite": request.query.get("invite", "")}
        return responses.page(request, "register.html", {"error": None, "values": values})

    async def on_form(self, request: web.Request) -> web.Response:
        """Fields: `username`, `password`, `invite` and the file `avatar`. The new member is logged in.

        Answers 201 with `{"user": {…}}`, or a browser's form with 303 to the room.
        """
        form, address = form_of(request), request.app[SITE].origin.address(request)
        name, password, invite = form.text("username"), form.text("password"), form.text("invite")
        try:
            await self.check(name, password, invite, address)
            avatar = await self._take_avatar(request, address)
            async with self._uploads.kept_if_used(avatar):
                user = await self.register(name, password, invite, address, avatar)
        except DomainError as error:
            values = {"username": name, "invite": invite}
            return responses.refused_form(request, error, "register.html", {"values": values})
        await self._session_cookie.begin(request, user)
        if wants_json(request):
            return responses.as_json({"user": user_json(user)}, 201)
        return responses.see_other("/")

    async def _take_avatar(self, request: web.Request, address: str) -> str:
        """Store the avatar. A refused picture counts as a registration, to limit how much guests use the workers."""
        try:
            return await self._uploads.take_avatar(request)
        except DomainError:
            self._attempts.record(address)
            raise

    def _register(self, tx: Transaction, name: str, hashed: str, invite: str, avatar: str) -> User:
        # Check again, because the policy may have changed, or the invitation's last use may have been taken.
        policy, now_ms = self._settings.now.registration, self._clock.now_ms()
        if policy == "closed":
            raise DomainError(ErrorCode.REGISTRATION_CLOSED)
        used_invite_id = invites.use(tx, invite, now_ms) if policy == "invite" else None
        user = store.add(tx, name, hashed, Role.MEMBER, avatar, now_ms)
        if used_invite_id is not None:
            used.assign(tx, user.id, used_invite_id)
        return user

    ROUTES = (
        Route("GET", "/register/", get_page, Access.ANYONE),
        Route("POST", "/register/", on_form, Access.ANYONE, file="avatar"),
    )
