"""The minimum time between two messages of one member, over all sockets and forms. An album counts as one message."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.core.rate_limit import AttemptLimit, MinInterval
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions

# Maximum number of pictures in one album. A page allows the same number at once.
ALBUM_PICTURES_MAX = 9
# The time in which the pictures of an album must arrive: enough for nine photographs over a slow line.
ALBUM_SECONDS = 600.0
# A bot may post as many messages as its rate says in this time, so it can answer several members at once.
BOT_SECONDS = 10.0
# Albums that are remembered. The next picture of a forgotten album counts as a separate message.
ALBUMS_MAX = 10_000


@dataclass(slots=True)
class _Album:
    """An album of one member. `pictures`: how many pictures were admitted and not given back."""

    key: tuple[int, str]
    number: int
    began: float
    pictures: int = 0

    @property
    def public_id(self) -> str:
        """The id that readers see. It depends on the author's id too, so no member can post into another's album."""
        author_id, name = self.key
        return hashlib.sha256(f"{author_id}\0{name}\0{self.number}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Admission:
    """A message that may be posted. It has begun the interval, unless an earlier picture of its album has.

    `album` is None for a message outside an album.
    """

    undo: Callable[[], None] | None
    album: _Album | None

    @property
    def album_id(self) -> str | None:
        return self.album.public_id if self.album else None


class SendInterval:
    """All methods run in the database's thread, where posts come one after the other."""

    def __init__(self, settings: CurrentConfig, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._interval = MinInterval(clock)
        self._bots = AttemptLimit(clock, 0, BOT_SECONDS)
        self._albums: BoundedDict[tuple[int, str], _Album] = BoundedDict(ALBUMS_MAX)

    def begin(self, tx: Transaction, author: User) -> Callable[[], None]:
        """Check that this member may post now, and begin the interval. Returns a function that undoes this.

        Raises DomainError: `too_fast`; `login_required` for a bot whose token ended. Administrators never wait.
        """
        if author.role is Role.BOT:
            return self._begin_of_bot(tx, author)
        seconds, member_id = self._settings.now.send_interval, author.id
        if seconds and author.role is not Role.ADMINISTRATOR:
            if wait_ms := self._interval.wait_ms(member_id, seconds):
                raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        return partial(self._interval.restore, member_id, self._interval.record(member_id))

    def admit(self, tx: Transaction, author: User, album_name: str) -> Admission:
        """Check and begin the interval before the message is stored, for a picture, which takes time to process.

        `album_name` is the client's own name for the album, "" for none. Up to ALBUM_PICTURES_MAX pictures of one
        name within ALBUM_SECONDS count once; the next picture begins another album. Raises DomainError: `too_fast`.
        """
        admission = self._album_admission(tx, author, album_name) if album_name else self._admission(tx, author)
        tx.on_rollback(lambda: self.give_back(admission))
        return admission

    def give_back(self, admission: Admission) -> None:
        """Undo the admission of a message that is not stored. The interval stays if its album has other pictures."""
        album = admission.album
        if album is not None:
            album.pictures -= 1
            if album.pictures:
                return
            if self._albums.get(album.key) is album:
                del self._albums[album.key]
        if admission.undo is not None:
            admission.undo()

    def _admission(self, tx: Transaction, author: User) -> Admission:
        return Admission(self.begin(tx, author), None)

    def _album_admission(self, tx: Transaction, author: User, album_name: str) -> Admission:
        album = self._albums.get((author.id, album_name))
        is_open = (
            album is not None
            and album.pictures < ALBUM_PICTURES_MAX
            and self._clock.monotonic() - album.began < ALBUM_SECONDS
        )
        undo = None
        if album is None or not is_open:
            undo = self.begin(tx, author)
            album = _Album((author.id, album_name), album.number + 1 if album else 0, self._clock.monotonic())
            self._albums[album.key] = album
        album.pictures += 1
        return Admission(undo, album)

    def _begin_of_bot(self, tx: Transaction, bot: User) -> Callable[[], None]:
        self._bots.limit = permissions.bot_rate(tx, bot)
        key = str(bot.id)
        if wait_ms := self._bots.wait_ms(key):
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        self._bots.record(key)
        return partial(self._bots.undo, key)
