"""What the room announces after a COMMIT, in the order of the commits.

Every event is the same for every reader: none says "mine", none carries translated text. The
last group stays inside the server.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.core.config import Config
from chatserver.core.model import Message, OrderingWindow, User


@dataclass(frozen=True, slots=True)
class MessagePosted:
    message: Message


@dataclass(frozen=True, slots=True)
class MessageAcknowledged:
    """What `reader` sent as `client_id` is on disk. For that one connection only, after the message itself."""

    reader: object
    client_id: str
    id: int
    seq: int


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """The message is live and has other reactions than before."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageRecalled:
    """`message` is what is left of it: an empty row with a new `seq`."""

    message: Message
    by: str


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    message: Message
    by: str


@dataclass(frozen=True, slots=True)
class MessagesExpired:
    """`ids` are gone for good; so is everything below `first_id`."""

    ids: tuple[int, ...]
    first_id: int


@dataclass(frozen=True, slots=True)
class WindowChanged:
    """The ordering window was opened, moved or closed."""

    window: OrderingWindow


@dataclass(frozen=True, slots=True)
class AnnouncementChanged:
    """`image` is the new announcement picture, or ""."""

    image: str


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """A member has a new avatar or role."""

    user: User


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """`config` is in force from now on."""

    config: Config


@dataclass(frozen=True, slots=True)
class RecallSettled:
    """The recall window of a message has closed. For its author only."""

    id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """These logins are worth nothing from now on; their connections must go. `banned`: and why."""

    session_ids: tuple[int, ...]
    banned: bool = False


@dataclass(frozen=True, slots=True)
class ContentErased:
    """Content left the database: these files must go too, and the write-ahead log be emptied."""

    files: tuple[str, ...] = ()


Event = (
    MessagePosted
    | MessageAcknowledged
    | MessageChanged
    | MessageRecalled
    | MessageDeleted
    | MessagesExpired
    | WindowChanged
    | AnnouncementChanged
    | MemberChanged
    | SettingsChanged
    | RecallSettled
    | SessionsEnded
    | ContentErased
)
