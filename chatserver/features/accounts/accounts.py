"""Members: registering, logging in, their passwords and faces; and the first administrator."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import ContentErased, MemberChanged, SessionsEnded
from chatserver.core.model import Role, User
from chatserver.core.rate_limit import AttemptLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, passwords, permissions, session_rows, store
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.accounts.store import Account, Member
from chatserver.features.invites import invites
from chatserver.features.invites.invites import Invites
from chatserver.features.settings.settings import Overrides, Settings, checked

THROTTLE_SECONDS = 15 * 60
FAILURES_OF_ACCOUNT = 5
FAILURES_OF_ADDRESS = 20


class Accounts:
    def __init__(
        self, database: Database, settings: Settings, clock: Clock, hasher: PasswordHasher, invites: Invites
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._hasher = hasher
        self._invites = invites
        self._failures = AttemptLimit(clock, FAILURES_OF_ACCOUNT, THROTTLE_SECONDS)
        self._address_failures = AttemptLimit(clock, FAILURES_OF_ADDRESS, THROTTLE_SECONDS)
        self._registrations = AttemptLimit(clock, settings.now.registrations_per_hour, 3600)
        self._setup_token = ""

    async def prepare(self) -> str:
        """The one-time token of the setup page, or "" when there is an administrator already."""
        self._hasher.expect(await self._database.run(store.highest_cost))
        if not await self._database.run(store.administrator_exists):
            self._setup_token = secrets.token_urlsafe(24)
        return self._setup_token

    async def check_registration(self, name: str, password: str, invite: str, address: str) -> None:
        """Refuse what can be refused before any work is done: the policy, the limits, name and password.

        Codes: `registration_closed`, `invite_invalid`, `name_invalid`, `password_weak`,
        `name_taken`, `too_fast`.
        """
        policy = self._settings.now.registration
        if policy == "closed":
            raise DomainError(ErrorCode.REGISTRATION_CLOSED)
        if policy == "invite":
            await self._invites.check(invite)
        names.check(name)
        passwords.check_strength(password, name)
        key = _skeleton(name)
        if await self._database.run(lambda tx: store.account_named(tx, key)):
            raise DomainError(ErrorCode.NAME_TAKEN)
        # Last, so that nothing is awaited between this and the note that `register` takes.
        self._registrations.most = self._settings.now.registrations_per_hour
        wait_ms = self._registrations.wait_ms(address)
        if wait_ms:
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)

    def note_registration(self, address: str) -> None:
        """Count a try that came to nothing but made us work: guests send pictures with it."""
        self._registrations.note(address)

    async def register(self, name: str, password: str, invite: str, address: str, avatar: str = "") -> User:
        """A new member. `avatar` names a file that is stored already.

        Where registration is by invitation, one use of `invite` goes with the member's row, or with
        neither; elsewhere it is left alone. Refuses as `check_registration` does, and with
        `name_taken` for a name that looks like another's.
        """
        await self.check_registration(name, password, invite, address)
        name = names.normalise(name)
        # Noted before the hash is computed, so that those made at the same time are counted too.
        self._registrations.note(address)
        try:
            hashed = await self._hasher.hash(password)
            return await self._database.run(lambda tx: self._register(tx, name, hashed, invite, avatar))
        except DomainError:
            self._registrations.roll_back(address)
            raise

    async def log_in(self, name: str, password: str, address: str) -> User:
        """The member with this name and password. Refuses as `proved` does."""
        return (await self.proved(name, password, address)).user

    async def proved(self, name: str, password: str, address: str) -> Account:
        """The account that this password opens. Its hash is the proof: a login begins only while it holds.

        Refuses with `login_failed`, the same for an unknown name as for a wrong password and after
        the same time; with `banned`; and with `login_throttled` after too many failures.
        """
        key = _skeleton(name)
        self._check_throttle(key, address)
        # Noted before the hash is computed, so that guesses made at the same time are counted too.
        self._failures.note(key)
        self._address_failures.note(address)
        account = await self._database.run(lambda tx: store.account_named(tx, key))
        if not await self._hasher.verify(password, account.password if account else None) or account is None:
            raise DomainError(ErrorCode.LOGIN_FAILED)
        self._failures.clear(key)
        self._address_failures.roll_back(address)
        if account.banned:
            raise DomainError(ErrorCode.BANNED)
        return account

    async def change_password(self, user: User, old: str, new: str, session_id: int) -> None:
        """Set a new password and end every other login.

        Refuses with `password_weak`, and with `login_failed` when `old` is not the password, or is
        it no longer by the time that the new one is ready.
        """
        passwords.check_strength(new, user.name)
        key = _skeleton(user.name)
        wait_ms = self._failures.wait_ms(key)
        if wait_ms:
            raise DomainError(ErrorCode.LOGIN_THROTTLED, retry_after_ms=wait_ms)
        self._failures.note(key)
        account = await self._database.run(lambda tx: store.account(tx, user.id))
        if account is None or not await self._hasher.verify(old, account.password):
            raise DomainError(ErrorCode.LOGIN_FAILED)
        self._failures.clear(key)
        before, hashed = account.password, await self._hasher.hash(new)
        await self._database.run(lambda tx: _change_password(tx, user.id, before, hashed, session_id))

    async def change_avatar(self, user: User, avatar: str) -> User:
        """Show another face; the old one's file goes."""
        return await self._database.run(lambda tx: _set_avatar(tx, user, avatar))

    async def set_up(self, token: str, name: str, password: str, words: Overrides | None = None) -> User:
        """Make the first administrator, and in the same act set the room up with their `words` for its settings.

        The token works once, and only while there is no administrator. Refuses with `forbidden` for
        another token, `name_invalid`, `name_taken`, `password_weak`, `bad_request` (a setting).
        """
        words = words or {}
        if not self.is_setup_token(token):
            raise DomainError(ErrorCode.FORBIDDEN)
        names.check(name, privileged=True)
        passwords.check_strength(password, name)
        checked(words)
        hashed = await self._hasher.hash(password)
        user = await self._database.run(lambda tx: self._set_up(tx, names.normalise(name), hashed, words))
        self._setup_token = ""
        return user

    @property
    def needs_set_up(self) -> bool:
        return bool(self._setup_token)

    def is_setup_token(self, token: str) -> bool:
        return self.needs_set_up and hmac.compare_digest(token.encode("utf-8", "replace"), self._setup_token.encode())

    async def make_administrator(self, name: str, password: str | None) -> tuple[User, bool]:
        """The operator's word: a member of that name becomes administrator, or a new one is made.

        Returns the member and whether they are new. A new one needs a password (`password_weak`).
        """
        names.check(name, privileged=True)
        name = names.normalise(name)
        if password is not None:
            passwords.check_strength(password, name)
        hashed = await self._hasher.hash(password) if password is not None else None
        user, is_new = await self._database.run(lambda tx: self._make_administrator(tx, name, hashed))
        self._setup_token = ""
        return user, is_new

    async def reset_password(self, name: str, password: str) -> tuple[User, int]:
        """The operator's word: a member gets this password, and every login of theirs ends.

        Returns the member and how many logins that were. Refuses with `not_found`, `password_weak`.
        """
        key = _skeleton(name)
        passwords.check_strength(password, name)
        hashed = await self._hasher.hash(password)
        user, ended = await self._database.run(lambda tx: _reset_password(tx, key, hashed))
        self._failures.clear(key)
        return user, ended

    async def members(self, after: int, limit: int) -> list[Member]:
        """The next `limit` members after this id, in the order of their coming."""
        return await self._database.run(lambda tx: store.members(tx, after, limit))

    def _register(self, tx: Transaction, name: str, hashed: str, invite: str, avatar: str) -> User:
        # Asked again: the policy may have changed since, and the last use of the invitation be gone.
        policy, now_ms = self._settings.now.registration, self._clock.now_ms()
        if policy == "closed":
            raise DomainError(ErrorCode.REGISTRATION_CLOSED)
        if policy == "invite":
            invites.use(tx, invite, now_ms)
        return _insert(tx, name, hashed, Role.MEMBER, avatar, now_ms)

    def _check_throttle(self, key: str, address: str) -> None:
        wait_ms = max(self._failures.wait_ms(key), self._address_failures.wait_ms(address))
        if wait_ms:
            raise DomainError(ErrorCode.LOGIN_THROTTLED, retry_after_ms=wait_ms)

    def _set_up(self, tx: Transaction, name: str, hashed: str, words: Overrides) -> User:
        if store.administrator_exists(tx):
            raise DomainError(ErrorCode.FORBIDDEN)
        user = _insert(tx, name, hashed, Role.ADMINISTRATOR, "", self._clock.now_ms())
        self._settings.change(tx, user, words, self._clock.now_ms())
        return user

    def _make_administrator(self, tx: Transaction, name: str, hashed: str | None) -> tuple[User, bool]:
        account = store.account_named(tx, names.skeleton(name))
        if account is None:
            if hashed is None:
                raise DomainError(ErrorCode.PASSWORD_WEAK)
            return _insert(tx, name, hashed, Role.ADMINISTRATOR, "", self._clock.now_ms()), True
        if account.user.name != name:
            raise DomainError(ErrorCode.NAME_TAKEN, name=account.user.name)
        user = User(account.user.id, name, Role.ADMINISTRATOR, account.user.avatar)
        store.make_administrator(tx, user.id)
        tx.announce(MemberChanged(user))
        if hashed is not None:
            _set_password(tx, user.id, hashed)
        return user, False


def _insert(tx: Transaction, name: str, hashed: str, role: Role, avatar: str, now_ms: int) -> User:
    user = store.insert(tx, name, names.skeleton(name), hashed, role, avatar, now_ms)
    if user is None:
        raise DomainError(ErrorCode.NAME_TAKEN)
    return user


def _change_password(tx: Transaction, user_id: int, before: str, hashed: str, kept_session: int) -> None:
    if not store.replace_password(tx, user_id, before, hashed):
        raise DomainError(ErrorCode.LOGIN_FAILED)
    _end_others(tx, user_id, kept_session)


def _set_password(tx: Transaction, user_id: int, hashed: str) -> int:
    store.set_password(tx, user_id, hashed)
    return _end_others(tx, user_id, None)


def _end_others(tx: Transaction, user_id: int, kept_session: int | None) -> int:
    ended = session_rows.delete_others(tx, user_id, kept_session)
    if ended:
        tx.announce(SessionsEnded(ended))
    return len(ended)


def _reset_password(tx: Transaction, key: str, hashed: str) -> tuple[User, int]:
    account = store.account_named(tx, key)
    if account is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    return account.user, _set_password(tx, account.user.id, hashed)


def _set_avatar(tx: Transaction, user: User, avatar: str) -> User:
    before = permissions.member(tx, user)
    store.set_avatar(tx, user.id, avatar)
    changed = User(before.id, before.name, before.role, avatar)
    tx.announce(MemberChanged(changed))
    if before.avatar:
        tx.announce(ContentErased((before.avatar,)))
    return changed


def _skeleton(name: str) -> str:
    """The look-alike form of what somebody typed as their name; of anything at all, never a refusal.

    What is no name gets one that no member has, each its own: else they would all wait for one another's failures.
    """
    try:
        return names.skeleton(names.normalise(name))
    except DomainError:
        return "?" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
