"""Sessions: the browser has a token, the database has its hash, and the session identifies a member."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.clock import Clock
from chatserver.core.deadline_timer import Timer
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, Session, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts.events import MemberChanged, SessionsEnded

LIFE_MS = 90 * 86_400_000
# The interval at which a session's `seen_ms` is written, so that not every page view causes a write.
TOUCH_MS = 3_600_000
CACHED_MAX = 20_000
LISTED_MAX = 100
# The most sessions of a member: more devices than a person has. One more login ends the oldest session.
SESSIONS_OF_MEMBER_MAX = 20
AGENT_MAX = 200

_COLUMNS = (
    "s.id, u.id, u.name, u.role, u.avatar, s.created_ms, s.seen_ms, s.expires_ms, s.agent, s.address"
    " FROM sessions s JOIN users u ON u.id = s.user_id"
)


class Sessions:
    """Finds the session of a token. Sessions are cached by token, so that a page needs neither a query nor a hash."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._cache: BoundedDict[str, Session] = BoundedDict(CACHED_MAX)
        self._event_count = 0

    async def start(self, user_id: int, agent: str, address: str, proof: str | None = None) -> str:
        """Begin a session; returns its token, of which only the hash is stored.

        `proof` is the hash with which the password was compared. Raises DomainError `login_failed` if the member has
        another hash now or has been banned; both can happen while a password is checked, because that is slow.
        """
        token = secrets.token_urlsafe(32)
        now_ms = self._clock.now_ms()
        if not await self._database.run(lambda tx: _insert(tx, token, user_id, now_ms, agent, address, proof)):
            raise DomainError(ErrorCode.LOGIN_FAILED)
        return token

    async def find(self, token: str) -> Session | None:
        """The session of this token; None if it does not exist, has ended or expired, or its member is banned."""
        now_ms = self._clock.now_ms()
        session = self._cache.get(token) or await self._look_up(token, now_ms)
        if session is None or session.expires_ms <= now_ms:
            return None
        if now_ms - session.seen_ms >= TOUCH_MS:
            session_id = session.id
            await self._database.run(lambda tx: _touch(tx, session_id, now_ms))
            return await self._look_up(token, now_ms)
        return session

    async def of_user(self, user: User) -> list[Session]:
        """The member's sessions, at most LISTED_MAX, the last used session first."""
        return await self._database.run(lambda tx: _of_user(tx, user.id, self._clock.now_ms()))

    async def end(self, user: User, session_id: int) -> None:
        """End one session of this member. Does nothing if it has ended already, or belongs to another member."""
        await self._database.run(lambda tx: _end(tx, user.id, session_id))

    async def expire(self) -> None:
        """End the sessions that are LIFE_MS old, counted from their last use."""
        await self._database.run(lambda tx: _expire(tx, self._clock.now_ms()))

    async def next_expiry(self) -> int | None:
        """When the next session expires, in Unix ms; None if there is no session."""
        return await self._database.run(_next_expiry)

    def on_sessions_ended(self, event: SessionsEnded) -> None:
        ended = set(event.session_ids)
        self._forget(lambda session: session.id in ended)

    def on_member_changed(self, event: MemberChanged) -> None:
        self._forget(lambda session: session.user.id == event.user.id)

    async def _look_up(self, token: str, now_ms: int) -> Session | None:
        """Read the session and cache it.

        If a session ends later in the same batch, it is still read as valid, and the event of its end is published
        before this caller resumes. So read again if an event arrived during the read.
        """
        token_hash = _hash(token)
        while True:
            event_count = self._event_count
            session = await self._database.run(lambda tx: _find(tx, token_hash, now_ms))
            if event_count == self._event_count:
                break
        if session is None:
            self._cache.pop(token, None)
        else:
            self._cache[token] = session
        return session

    def _forget(self, is_outdated: Callable[[Session], bool]) -> None:
        self._event_count += 1
        for token in [token for token, session in self._cache.items() if is_outdated(session)]:
            del self._cache[token]

    TIMERS = (Timer("sessions", next_expiry, expire),)
    LISTENERS = ((SessionsEnded, on_sessions_ended), (MemberChanged, on_member_changed))


def bot_session_id(user_id: int) -> int:
    """The session id of a bot's token. It is negative, so that it differs from all sessions of members."""
    return -user_id


def end_bot(tx: Transaction, user_id: int, banned: bool = False) -> None:
    """Announce that a bot's connections must be closed, because its token is invalid now or the bot is banned."""
    tx.announce(SessionsEnded((bot_session_id(user_id),), banned))


def end_others(tx: Transaction, user_id: int, kept_id: int | None = None, banned: bool = False) -> int:
    """End all sessions of a member except `kept_id`, and announce it. Returns the number of ended sessions."""
    rows = tx.all("DELETE FROM sessions WHERE user_id = ? AND id IS NOT ? RETURNING id", (user_id, kept_id))
    if rows:
        tx.announce(SessionsEnded(tuple(row[0] for row in rows), banned))
    return len(rows)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _insert(
    tx: Transaction, token: str, user_id: int, now_ms: int, agent: str, address: str, proof: str | None
) -> bool:
    """Insert the session. False if the member is banned, or if `proof` is not the hash of the member's password."""
    done = tx.execute(
        "INSERT INTO sessions (token_hash, user_id, created_ms, seen_ms, expires_ms, agent, address)"
        " SELECT :token_hash, id, :now_ms, :now_ms, :expires_ms, :agent, :address FROM users"
        " WHERE id = :user_id AND banned = 0 AND (:proof IS NULL OR password = :proof)",
        {
            "token_hash": _hash(token),
            "user_id": user_id,
            "now_ms": now_ms,
            "expires_ms": now_ms + LIFE_MS,
            "agent": agent[:AGENT_MAX],
            "address": address,
            "proof": proof,
        },
    )
    if not done.rowcount:
        return False
    _end_beyond(tx, user_id, SESSIONS_OF_MEMBER_MAX)
    return True


def _end_beyond(tx: Transaction, user_id: int, most: int) -> None:
    """End the member's oldest sessions, so that at most `most` stay."""
    ended = tx.all(
        "DELETE FROM sessions WHERE id IN"
        " (SELECT id FROM sessions WHERE user_id = ? ORDER BY id DESC LIMIT -1 OFFSET ?) RETURNING id",
        (user_id, most),
    )
    if ended:
        tx.announce(SessionsEnded(tuple(row[0] for row in ended)))


def _find(tx: Transaction, token_hash: bytes, now_ms: int) -> Session | None:
    row = tx.one(
        f"SELECT {_COLUMNS} WHERE s.token_hash = ? AND s.expires_ms > ? AND u.banned = 0", (token_hash, now_ms)
    )
    return _session(row) if row else None


def _touch(tx: Transaction, session_id: int, now_ms: int) -> None:
    tx.execute("UPDATE sessions SET seen_ms = ?, expires_ms = ? WHERE id = ?", (now_ms, now_ms + LIFE_MS, session_id))


def _of_user(tx: Transaction, user_id: int, now_ms: int) -> list[Session]:
    rows = tx.all(
        f"SELECT {_COLUMNS} WHERE s.user_id = ? AND s.expires_ms > ? ORDER BY s.seen_ms DESC, s.id DESC LIMIT ?",
        (user_id, now_ms, LISTED_MAX),
    )
    return [_session(row) for row in rows]


def _end(tx: Transaction, user_id: int, session_id: int) -> None:
    if tx.execute("DELETE FROM sessions WHERE id = ? AND user_id = ?", (session_id, user_id)).rowcount:
        tx.announce(SessionsEnded((session_id,)))


def _expire(tx: Transaction, now_ms: int) -> None:
    rows = tx.all("DELETE FROM sessions WHERE expires_ms <= ? RETURNING id", (now_ms,))
    if rows:
        tx.announce(SessionsEnded(tuple(row[0] for row in rows)))


def _next_expiry(tx: Transaction) -> int | None:
    expires_ms: int | None = tx.one("SELECT min(expires_ms) FROM sessions")[0]
    return expires_ms


def _session(row: tuple[int, int, str, str, str, int, int, int, str, str]) -> Session:
    session_id, user_id, name, role, avatar, created_ms, seen_ms, expires_ms, agent, address = row
    return Session(session_id, User(user_id, name, Role(role), avatar), created_ms, seen_ms, expires_ms, agent, address)
