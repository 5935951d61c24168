"""What recall and delete ask the feature whose messages are more than their text."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from chatserver.core.model import Message, User
from chatserver.db.transaction import Transaction


class Withdrawn(NamedTuple):
    """`message` is what is left, with what it keeps in `extra`. `is_new`: False when it was withdrawn before."""

    message: Message
    is_new: bool


class Withdraw(Protocol):
    """The rule of the feature that owns a message, called in the transaction that is to empty it. Raises DomainError.

    `asked_ms`: when the server read the request. None: the message is no such one. Else the actor may empty it at
    any time, and what is returned is the answer where the message has expired from the history.
    """

    def __call__(
        self, tx: Transaction, actor: User, message_id: int, reason: str, asked_ms: int
    ) -> Withdrawn | None: ...
