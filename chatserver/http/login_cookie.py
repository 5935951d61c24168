"""aiohttp-session over the room's logins: the cookie holds a token, the database its hash."""

from __future__ import annotations

from aiohttp import web
from aiohttp_session import AbstractStorage, Session, get_session, new_session

from chatserver.core.model import Session as Login
from chatserver.core.model import User
from chatserver.features.accounts.sessions import LIFE_MS, Logins
from chatserver.http.keys import COOKIES, VIEWER
from chatserver.http.origin import OriginPolicy

_USER, _PROOF = "user", "proof"


class LoginStorage(AbstractStorage):
    """Loads and saves logins. What a session holds is decided at login and never changed after."""

    def __init__(self, logins: Logins, gate: OriginPolicy, secure: bool) -> None:
        super().__init__(
            cookie_name="__Host-session" if secure else "session",
            max_age=LIFE_MS // 1000,
            secure=secure,
            httponly=True,
            samesite="Lax",
        )
        self._logins = logins
        self._gate = gate

    async def find(self, request: web.Request) -> Login | None:
        token = request[COOKIES].get(self.cookie_name)
        return await self._logins.find(token) if token else None

    async def load_session(self, request: web.Request) -> Session:
        user = request[VIEWER].user
        if user is None:
            return await self.new_session()
        return Session(None, data={"session": {_USER: user.id}}, new=False)

    async def save_session(self, request: web.Request, response: web.StreamResponse, session: Session) -> None:
        if session.empty:
            self.save_cookie(response, "")
            return
        # Headers may hold bytes that are no text; the database takes none of those.
        agent = request.headers.get("User-Agent", "").encode("utf-8", "replace").decode()
        token = await self._logins.start(session[_USER], agent, self._gate.address(request), session[_PROOF])
        self.save_cookie(response, token, max_age=self.max_age)


LOGINS = web.AppKey("logins", LoginStorage)


async def find(request: web.Request) -> Login | None:
    """The login that this request comes with, as it is at this moment; None when it has ended."""
    return await request.app[LOGINS].find(request)


async def begin(request: web.Request, logins: Logins, user: User, proof: str | None = None) -> None:
    """Log `user` in: a new token goes out with the response, the old one dies. `proof` as Logins.start has it."""
    await end(request, logins)
    session = await new_session(request)
    session[_USER] = user.id
    session[_PROOF] = proof


async def end(request: web.Request, logins: Logins) -> None:
    """Log out: the token is worth nothing from now on, and the cookie goes."""
    login = request[VIEWER].session
    if login is not None:
        await logins.end(login.user, login.id)
    (await get_session(request)).invalidate()
