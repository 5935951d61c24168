"""The session cookie: aiohttp-session, with the token in the cookie and its hash in the database."""

from __future__ import annotations

import hmac

import aiohttp_session
from aiohttp import web
from aiohttp_session import AbstractStorage

from chatserver.core.model import Session, User
from chatserver.features.accounts.sessions import LIFE_MS, Sessions
from chatserver.http.cookies import COOKIES
from chatserver.http.origin import OriginPolicy
from chatserver.http.viewer import VIEWER

_USER, _PROOF = "user", "proof"
_NAME, _NAME_OVER_HTTPS = "session", "__Host-session"


class SessionCookie(AbstractStorage):
    """Storage of aiohttp-session. The content of a session is set when it begins and never changed.

    Browsers send a cookie to every port of a host. So each room has its own cookie name; with one name for all rooms, a
    login in one room would end the login in another. Call `name_after` before the first request.
    """

    def __init__(self, sessions: Sessions, origin: OriginPolicy, secure: bool) -> None:
        super().__init__(
            cookie_name=_NAME_OVER_HTTPS if secure else _NAME,
            max_age=LIFE_MS // 1000,
            secure=secure,
            httponly=True,
            samesite="Lax",
        )
        self._sessions = sessions
        self._origin = origin
        # The name that all rooms used in earlier versions. Sessions from that time are accepted until they end.
        self._shared_name = self._cookie_name

    def name_after(self, secret: bytes) -> None:
        """Derive the cookie's name from `secret`, the room's secret key. A backup keeps this key.

        The name reveals nothing about the key.
        """
        self._cookie_name = f"{self._shared_name}-{hmac.digest(secret, b'cookie name', 'sha256').hex()[:12]}"

    async def find(self, request: web.Request) -> Session | None:
        """The session of this request, in its present state; None if it has ended."""
        cookies = request[COOKIES]
        token = cookies.get(self.cookie_name) or cookies.get(self._shared_name)
        return await self._sessions.find(token) if token else None

    async def begin(self, request: web.Request, user: User, proof: str | None = None) -> None:
        """Log `user` in: the old session ends, and the response sets the token of a new one.

        `proof` is as in Sessions.start, whose errors are raised when the response is prepared.
        """
        await self.end(request)
        session = await aiohttp_session.new_session(request)
        session[_USER] = user.id
        session[_PROOF] = proof

    async def end(self, request: web.Request) -> None:
        """Log out: the session ends, and the response removes the cookie."""
        session = request[VIEWER].session
        if session is not None:
            await self._sessions.end(session.user, session.id)
        (await aiohttp_session.get_session(request)).invalidate()

    async def load_session(self, request: web.Request) -> aiohttp_session.Session:
        user = request[VIEWER].user
        if user is None:
            return await self.new_session()
        return aiohttp_session.Session(None, data={"session": {_USER: user.id}}, new=False)

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: aiohttp_session.Session
    ) -> None:
        if session.empty:
            self.save_cookie(response, "")
            return
        # A header may have bytes that are not UTF-8, and SQLite cannot store lone surrogates.
        agent = request.headers.get("User-Agent", "").encode("utf-8", "replace").decode()
        address = self._origin.address(request)
        token = await self._sessions.start(session[_USER], agent, address, session[_PROOF])
        self.save_cookie(response, token, max_age=self.max_age)
