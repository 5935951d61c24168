"""The profile: a member's avatar, name, password and sessions."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Session, User
from chatserver.core.rate_limit import AttemptLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, passwords, permissions, rename_store, sessions, store
from chatserver.features.accounts.events import MemberChanged
from chatserver.features.accounts.login_failures import LoginFailures
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.accounts.rename import Rename
from chatserver.features.accounts.sessions import Sessions
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.page_context import local_time
from chatserver.http.route import Route
from chatserver.http.uploads import Uploads
from chatserver.http.viewer import VIEWER, form_of, short_agent, wants_json

# The limit of avatar changes, because every reader is notified of a new avatar and loads it. A member may change it
# twice, to correct a first choice.
AVATARS_MAX, AVATARS_SECONDS = 2, 60.0

_NOTICES = ("avatar", "name", "password", "session")


class Profile:
    def __init__(
        self,
        database: Database,
        hasher: PasswordHasher,
        clock: Clock,
        uploads: Uploads,
        sessions: Sessions,
        rename: Rename,
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._clock = clock
        # Wrong old passwords have a counter of their own. Strangers can cause failed logins, and these must not keep a
        # logged-in member from changing the password.
        self._wrong_passwords = LoginFailures(clock)
        self._avatars = AttemptLimit(clock, AVATARS_MAX, AVATARS_SECONDS)
        self._uploads = uploads
        self._sessions = sessions
        self._rename = rename

    async def change_avatar(self, user: User, avatar: str) -> User:
        """Set the avatar. `avatar` is the name of a stored file; the old avatar's file is erased.

        Raises DomainError: `banned`, `muted`.
        """
        return await self._database.run(lambda tx: _set_avatar(tx, user, avatar, self._clock.now_ms()))

    async def change_password(self, user: User, old: str, new: str, session_id: int) -> None:
        """Set a new password and end all sessions except `session_id`.

        Raises DomainError: `password_weak`; `login_throttled`; `login_failed` if `old` is not the password, or if
        the password was changed while the new hash was computed.
        """
        passwords.check_strength(new, user.name)
        key = names.lookup_key(user.name)
        self._wrong_passwords.count(key)
        account = await self._database.run(lambda tx: store.person(tx, user.id))
        if account is None or not await self._hasher.verify(old, account.password):
            raise DomainError(ErrorCode.LOGIN_FAILED)
        self._wrong_passwords.clear(key)
        before, hashed = account.password, await self._hasher.hash(new)
        await self._database.run(lambda tx: _change_password(tx, user.id, before, hashed, session_id))

    async def get_page(self, request: web.Request) -> web.Response:
        return responses.page(request, "profile.html", await self._page(request))

    async def on_form(self, request: web.Request) -> web.Response:
        """Change the file `avatar`, the `username` or the password (`old_password`, `new_password`), or end a session.

        `end_session` is the session's id. Answers `{"user": {…}}`, or a browser's form with 303 to the page.
        """
        form, session = form_of(request), _session_of(request)
        user = session.user
        try:
            if "avatar" in form.files:
                notice, user = "avatar", await self._take_avatar(request, user)
            elif "username" in form.fields:
                notice, user = "name", await self._rename.rename(user, form.text("username"))
            elif form.text("new_password") or form.text("old_password"):
                await self.change_password(user, form.text("old_password"), form.text("new_password"), session.id)
                notice = "password"
            elif session_id := form.number("end_session"):
                await self._sessions.end(user, session_id)
                notice = "session"
            else:
                raise DomainError(ErrorCode.EMPTY)
        except DomainError as error:
            values = {**await self._page(request), "typed_name": form.text("username") or user.name}
            return responses.refused_form(request, error, "profile.html", values)
        if wants_json(request):
            return responses.as_json({"user": user_json(user)})
        return responses.see_other(f"/profile/?done={notice}")

    async def _take_avatar(self, request: web.Request, user: User) -> User:
        """Store and set the avatar.

        Before the picture is read, raises `muted`, `banned`, and `too_fast` after AVATARS_MAX changes.
        """
        await self._database.run(lambda tx: permissions.require_speaker(tx, user, self._clock.now_ms()))
        key = str(user.id)
        if wait_ms := self._avatars.wait_ms(key):
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        self._avatars.record(key)
        try:
            avatar = await self._uploads.take_avatar(request)
            async with self._uploads.kept_if_used(avatar):
                return await self.change_avatar(user, avatar)
        except DomainError:
            self._avatars.undo(key)
            raise

    async def _page(self, request: web.Request) -> dict[str, Any]:
        current, now_ms = _session_of(request), self._clock.now_ms()
        may_rename_ms, muted_until_ms = await self._database.run(lambda tx: _waits(tx, current.user.id, now_ms))
        rows = [
            {
                "id": session.id,
                "current": session.id == current.id,
                "agent": short_agent(session.agent),
                "address": session.address,
                "created": local_time(request, session.created_ms),
                "seen": local_time(request, session.seen_ms),
            }
            for session in await self._sessions.of_user(current.user)
        ]
        done = request.query.get("done", "")
        notice = request[VIEWER].t(f"page.profile.done_{done}") if done in _NOTICES else None
        return {
            "sessions": rows,
            "notice": notice,
            "error": None,
            "typed_name": current.user.name,
            "may_rename": local_time(request, may_rename_ms) if may_rename_ms > now_ms else "",
            "muted_until": local_time(request, muted_until_ms) if muted_until_ms > now_ms else "",
        }

    ROUTES = (
        Route("GET", "/profile/", get_page, Access.MEMBER),
        Route("POST", "/profile/", on_form, Access.MEMBER, file="avatar"),
    )


def _session_of(request: web.Request) -> Session:
    session = request[VIEWER].session
    assert session is not None  # the routes are for members
    return session


def _waits(tx: Transaction, user_id: int, now_ms: int) -> tuple[int, int]:
    """The time from which the member may change the name, and the end of the member's mute, in Unix ms."""
    account = store.account(tx, user_id)
    return now_ms + rename_store.wait_ms(tx, user_id, now_ms), account.muted_until_ms if account else 0


def _set_avatar(tx: Transaction, user: User, avatar: str, now_ms: int) -> User:
    before = permissions.require_speaker(tx, user, now_ms)
    tx.execute("UPDATE users SET avatar = ? WHERE id = ?", (avatar, user.id))
    changed = User(before.id, before.name, before.role, avatar)
    tx.announce(MemberChanged(changed))
    if before.avatar:
        tx.announce(ContentErased((before.avatar,)))
    return changed


def _change_password(tx: Transaction, user_id: int, before: str, hashed: str, kept_session: int) -> None:
    """Replace the hash `before`. Raises DomainError `login_failed` if it was replaced or the member was banned."""
    done = tx.execute(
        "UPDATE users SET password = ? WHERE id = ? AND password = ? AND banned = 0", (hashed, user_id, before)
    )
    if not done.rowcount:
        raise DomainError(ErrorCode.LOGIN_FAILED)
    sessions.end_others(tx, user_id, kept_session)
