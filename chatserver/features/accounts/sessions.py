"""Logins: a token in the browser, its hash in the database, and what they are worth right now."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import Event, MemberChanged, SessionsEnded
from chatserver.core.model import Session, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import session_rows

LIFE_MS = 90 * 86_400_000
# How often a login's "last seen" is written: more would make every page view a write.
TOUCH_MS = 3_600_000
KNOWN_MAX = 20_000


class Logins:
    """Finds the login behind a token. Those found stay known by it, so that a page costs neither query nor hash."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[str, Session] = OrderedDict()
        self._event_count = 0

    async def start(self, user_id: int, agent: str, address: str, proof: str | None = None) -> str:
        """Begin a login; returns its token, which is kept nowhere.

        `proof` is the hash of the password that was given. Refuses with `login_failed` when it is
        not the member's any more, or when they have just been banned: checking a password takes a
        while, and what was ended meanwhile must not begin again.
        """
        token = secrets.token_urlsafe(32)
        now_ms = self._clock.now_ms()
        begun = await self._database.run(
            lambda tx: session_rows.insert(
                tx, _hash(token), user_id, now_ms, now_ms + LIFE_MS, agent[:200], address, proof
            )
        )
        if not begun:
            raise DomainError(ErrorCode.LOGIN_FAILED)
        return token

    async def find(self, token: str) -> Session | None:
        """The login of this token; None when there is none, or it was ended, or it is too old."""
        now_ms = self._clock.now_ms()
        session = self._known.get(token) or await self._look_up(token, now_ms)
        if session is None or session.expires_ms <= now_ms:
            return None
        if now_ms - session.seen_ms >= TOUCH_MS:
            session_id, expires_ms = session.id, now_ms + LIFE_MS
            await self._database.run(lambda tx: session_rows.touch(tx, session_id, now_ms, expires_ms))
            return await self._look_up(token, now_ms)
        return session

    async def of_user(self, user: User) -> list[Session]:
        """The member's logins, the one seen last first."""
        return await self._database.run(lambda tx: session_rows.of_user(tx, user.id, self._clock.now_ms()))

    async def end(self, user: User, session_id: int) -> None:
        """End one login of this member. Ending one that is not theirs, or is over, does nothing."""
        await self._database.run(lambda tx: _end(tx, user, session_id))

    async def expire(self) -> None:
        """End the logins that are too old."""
        await self._database.run(lambda tx: _expire(tx, self._clock.now_ms()))

    async def next_expiry(self) -> int | None:
        return await self._database.run(session_rows.next_expiry)

    def on_event(self, event: Event) -> None:
        """Forget what an event has made untrue."""
        if isinstance(event, SessionsEnded):
            self._event_count += 1
            ended = set(event.session_ids)
            self._forget(lambda session: session.id in ended)
        elif isinstance(event, MemberChanged):
            self._event_count += 1
            self._forget(lambda session: session.user.id == event.user.id)

    async def _look_up(self, token: str, now_ms: int) -> Session | None:
        """Read the login and know it from now on.

        One that was ended later in the same batch was read as alive, and its ending published before
        this caller resumes: so what was read while any event came to be heeded is read again.
        """
        token_hash = _hash(token)
        while True:
            event_count = self._event_count
            session = await self._database.run(lambda tx: session_rows.find(tx, token_hash, now_ms))
            if event_count == self._event_count:
                break
        if session is None:
            self._known.pop(token, None)
        else:
            self._know(token, session)
        return session

    def _know(self, token: str, session: Session) -> None:
        self._known[token] = session
        self._known.move_to_end(token)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    def _forget(self, is_over: Callable[[Session], bool]) -> None:
        for token in [token for token, session in self._known.items() if is_over(session)]:
            del self._known[token]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _end(tx: Transaction, user: User, session_id: int) -> None:
    if session_rows.delete(tx, session_id, user.id):
        tx.announce(SessionsEnded((session_id,)))


def _expire(tx: Transaction, now_ms: int) -> None:
    ended = session_rows.delete_expired(tx, now_ms)
    if ended:
        tx.announce(SessionsEnded(ended))
