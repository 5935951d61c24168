"""Post a message of kind `preset`, for the features that have presets."""

from __future__ import annotations

from chatserver.core.model import Kind, Message, Preset, StoredImage, User
from chatserver.db.transaction import Transaction
from chatserver.features.messages import store
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.post import MessagePosted


def post_preset(
    tx: Transaction,
    encoder: MessageEncoder,
    author: User,
    preset: Preset,
    now_ms: int,
    recall_ms: int,
    *,
    text: str = "",
    picture: StoredImage | None = None,
    closes_ms: int | None = None,
    window_id: int | None = None,
    extra: str = "",
) -> Message:
    """Store the message and announce it. `recall_ms`: the length of its recall window; `extra`: a JSON object with
    the additional fields of this preset."""
    message = store.insert(
        tx,
        store.NewMessage(
            author=author,
            kind=Kind.PRESET,
            text=text,
            created_ms=now_ms,
            recall_until_ms=now_ms + recall_ms,
            picture=picture,
            preset=preset,
            closes_ms=closes_ms,
            window_id=window_id,
            extra=extra,
        ),
    )
    assert message is not None  # it has no client key that could have been used before
    tx.announce(MessagePosted(message, encoder))
    return message
