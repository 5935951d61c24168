"""The function by which recall and delete ask the feature that a message belongs to, for example ordering."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from chatserver.core.model import Message, User
from chatserver.db.transaction import Transaction


class Withdrawn(NamedTuple):
    """`message`: the emptied message, with the data that it keeps in `extra`. `is_new`: False for a repeated call."""

    message: Message
    is_new: bool


class Withdraw(Protocol):
    """The rule of the feature that owns a message, called in the transaction that empties it. Raises DomainError.

    `asked_ms`: when the server read the request. Returns None if the message does not belong to the feature. Else the
    actor may empty it at any time, and the returned message is the answer if it has expired from the history.
    """

    def __call__(
        self, tx: Transaction, actor: User, message_id: int, reason: str, asked_ms: int
    ) -> Withdrawn | None: ...
