"""Access levels of routes. Each route has one level."""

from __future__ import annotations

from enum import Enum, auto

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User


class Access(Enum):
    OPEN = auto()
    """Health probes: the server reads no cookie and does not check the Host header."""
    FILE = auto()
    """Static files, which are the same for all clients: the server reads no cookie."""
    ANYONE = auto()
    READER = auto()
    """Members, and guests if the setting `guests` is "read"."""
    MEMBER = auto()
    ADMINISTRATOR = auto()

    def check(self, user: User | None, guests: str, takes_bots: bool = False) -> None:
        """Raises DomainError: `login_required`, `forbidden`. `guests` is the setting of that name.

        A bot may read what members may read, and use routes that have `takes_bots`.

        The features check permissions again in the transaction, because `user` may be out of date.
        """
        if user is not None and user.is_bot:
            if not takes_bots and self is not Access.READER:
                raise DomainError(ErrorCode.FORBIDDEN)
            return
        if self in (Access.OPEN, Access.FILE, Access.ANYONE) or (self is Access.READER and guests == "read"):
            return
        if user is None:
            raise DomainError(ErrorCode.LOGIN_REQUIRED)
        if self is Access.ADMINISTRATOR and not user.is_administrator:
            raise DomainError(ErrorCode.FORBIDDEN)
