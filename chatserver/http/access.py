"""Who may use a route. Every route in the list names one of these."""

from __future__ import annotations

from enum import Enum, auto

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User


class Access(Enum):
    OPEN = auto()
    """Probes: no cookie is read, no Host is checked."""
    FILE = auto()
    """The product's own files, the same for everybody: no cookie is read."""
    ANYONE = auto()
    READER = auto()
    """Whoever may read the room: members, and guests where the settings let them."""
    MEMBER = auto()
    ADMINISTRATOR = auto()

    def check(self, user: User | None, guests: str) -> None:
        """Refuses with `login_required` or `forbidden`. The rules ask the database again when they act."""
        if self in (Access.OPEN, Access.FILE, Access.ANYONE) or (self is Access.READER and guests == "read"):
            return
        if user is None:
            raise DomainError(ErrorCode.LOGIN_REQUIRED)
        if self is Access.ADMINISTRATOR and not user.is_administrator:
            raise DomainError(ErrorCode.FORBIDDEN)
