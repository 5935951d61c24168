"""SQL for messages that several use cases share. A row that is not live is empty."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import (
    NOTHING_ADDED,
    REACTIONS,
    AddedFields,
    Kind,
    Message,
    Preset,
    Reaction,
    Role,
    State,
    StoredImage,
    User,
)
from chatserver.db import sequence
from chatserver.db.transaction import RetryOneByOne, Transaction, insert_rows
from chatserver.features.messages.withdraw import Withdrawn

# Each field that is read: its name, and the SQL that it comes from.
_FIELDS = {
    "id": "m.id",
    "seq": "m.seq",
    "state": "m.state",
    "kind": "m.kind",
    "text": "m.text",
    "image": "m.image",
    "thumb": "m.thumb",
    "width": "m.width",
    "height": "m.height",
    "created_ms": "m.created_ms",
    "recall_until_ms": "m.recall_until_ms",
    "reply_to": "m.reply_to",
    "client_id": "m.client_id",
    "preset": "m.preset",
    "closes_ms": "m.closes_ms",
    "window_id": "m.window_id",
    "album": "m.album",
    "reactions": "(SELECT json_group_array(json_array(r.emoji, w.name)) FROM reactions r"
    " JOIN users w ON w.id = r.user_id WHERE r.message_id = m.id)",
    "extra": "m.extra",
    "ended_by": "coalesce((SELECT e.name FROM users e WHERE e.id = m.ended_by), '')",
    "author_id": "m.user_id",
    "author_name": "u.name",
    "author_role": "u.role",
    "author_avatar": "u.avatar",
}
_ADDED = tuple(f"m.{name}" for name in AddedFields._fields)
_SELECTED = f"{', '.join((*_FIELDS.values(), *_ADDED))} FROM messages m JOIN users u ON u.id = m.user_id"

# The columns that a recall or a deletion empties. The row keeps who and when, keys that reveal nothing of its content,
# and in `extra` the data that messages of its kind keep.
EMPTY = ", ".join([
    "text = '', image = '', thumb = '', width = 0, height = 0, client_id = '', album = NULL",
    *(f"{name} = NULL" for name in AddedFields._fields),
])  # fmt: skip


class NewMessage(NamedTuple):
    author: User
    kind: Kind
    text: str
    created_ms: int
    recall_until_ms: int
    picture: StoredImage | None = None
    reply_to: int | None = None
    client_id: str = ""
    client_key: bytes | None = None
    preset: Preset | None = None
    closes_ms: int | None = None
    window_id: int | None = None
    album: str | None = None
    extra: str = ""


def insert(tx: Transaction, new: NewMessage) -> Message | None:
    """Store a new message; None if its author has already posted a message with this `client_key`."""
    seq = sequence.seq(tx) + 1
    picture = new.picture or StoredImage("", "", 0, 0)
    columns: dict[str, Any] = {
        "seq": seq,
        "posted_seq": seq,
        "kind": new.kind.value,
        "preset": new.preset and new.preset.value,
        "user_id": new.author.id,
        "text": new.text,
        "image": picture.image,
        "thumb": picture.thumb,
        "width": picture.width,
        "height": picture.height,
        "media_key": media_key(picture.image) if picture.image else "",
        "closes_ms": new.closes_ms,
        "window_id": new.window_id,
        "album": new.album,
        "reply_to": new.reply_to,
        "client_id": new.client_id,
        "client_key": new.client_key,
        "extra": new.extra,
        "created_ms": new.created_ms,
        "recall_until_ms": new.recall_until_ms,
    }
    message_id = insert_rows(tx, "messages", tuple(columns), [[*columns.values()]], _UNLESS_POSTED_BEFORE)
    if not message_id:
        return None
    return Message(
        message_id, sequence.next_seq(tx), State.LIVE, new.kind, new.author, new.text, picture.image, picture.thumb,
        picture.width, picture.height, new.created_ms, new.recall_until_ms, new.reply_to, new.client_id, new.preset,
        new.closes_ms, new.window_id, new.album, extra=new.extra,
    )  # fmt: skip


def insert_many(tx: Transaction, new_messages: Sequence[NewMessage]) -> list[Message]:
    """Store new messages that have no picture and are no preset, in their order, in few statements.

    Raises RetryOneByOne when a `client_key` has been used by its author before.
    """
    if not new_messages:
        return []
    seq = first_seq = sequence.next_seq(tx, len(new_messages))
    rows: list[tuple[Any, ...]] = []
    for new in new_messages:
        rows.append((
            seq, seq, str(new.kind), new.author.id, new.text, new.window_id, new.reply_to, new.client_id,
            new.client_key, new.extra, new.created_ms, new.recall_until_ms,
        ))  # fmt: skip
        seq += 1
    last_id = insert_rows(tx, "messages", _COLUMNS_OF_MANY, rows, _UNLESS_POSTED_BEFORE)
    if not last_id:
        raise RetryOneByOne
    message_id = last_id - len(rows) + 1
    messages: list[Message] = []
    for seq, new in enumerate(new_messages, first_seq):
        messages.append(Message(
            message_id, seq, State.LIVE, new.kind, new.author, new.text, "", "", 0, 0, new.created_ms,
            new.recall_until_ms, new.reply_to, new.client_id, None, None, new.window_id, None, (), "", new.extra,
        ))  # fmt: skip
        message_id += 1
    return messages


_COLUMNS_OF_MANY = (
    "seq", "posted_seq", "kind", "user_id", "text", "window_id", "reply_to", "client_id", "client_key", "extra",
    "created_ms", "recall_until_ms",
)  # fmt: skip
_UNLESS_POSTED_BEFORE = "ON CONFLICT (user_id, client_key) WHERE client_key IS NOT NULL DO NOTHING"


def get(tx: Transaction, message_id: int) -> Message | None:
    row = tx.one(f"SELECT {_SELECTED} WHERE m.id = ?", (message_id,))
    return _message(row) if row else None


def posted_before(tx: Transaction, user_id: int, client_key: bytes) -> tuple[Message, int] | None:
    """The message that this member has posted with this client key, and the `seq` with which it was posted."""
    row = tx.one(f"SELECT m.posted_seq, {_SELECTED} WHERE m.user_id = ? AND m.client_key = ?", (user_id, client_key))
    return (_message(row[1:]), row[0]) if row else None


def newest(tx: Transaction, limit: int) -> list[Message]:
    """The last `limit` messages, oldest first, without deleted ones."""
    rows = tx.all(f"SELECT {_SELECTED} WHERE m.state <> 'deleted' ORDER BY m.id DESC LIMIT ?", (limit,))
    return [_message(row) for row in reversed(rows)]


def newest_deleted(tx: Transaction, limit: int) -> list[Message]:
    """The `limit` messages that were deleted last, in the order of their deletions. Reads all rows."""
    rows = tx.all(f"SELECT {_SELECTED} WHERE m.state = 'deleted' ORDER BY m.seq DESC LIMIT ?", (limit,))
    return [_message(row) for row in reversed(rows)]


def last_change(tx: Transaction, up_to_id: int, before_seq: int) -> int:
    """The `seq` of the last change to a message with an id up to `up_to_id`, or of the last deletion before
    `before_seq`; 0 if there is none. Reads all rows."""
    (seq,) = tx.one(
        "SELECT max(seq) FROM messages WHERE CASE state WHEN 'deleted' THEN seq < ? ELSE id <= ? END",
        (before_seq, up_to_id),
    )
    return seq or 0


def before(tx: Transaction, message_id: int, limit: int) -> list[Message]:
    """The `limit` messages just before `message_id`, oldest first, without deleted ones."""
    rows = tx.all(
        f"SELECT {_SELECTED} WHERE m.id < ? AND m.state <> 'deleted' ORDER BY m.id DESC LIMIT ?", (message_id, limit)
    )
    return [_message(row) for row in reversed(rows)]


def live_below(tx: Transaction, message_id: int, limit: int) -> list[Message]:
    """The `limit` live messages just below `message_id`, newest first. Uses the index without deleted messages."""
    rows = tx.all(
        f"SELECT {_SELECTED} WHERE m.id < ? AND m.state = 'live' AND m.state <> 'deleted' ORDER BY m.id DESC LIMIT ?",
        (message_id, limit),
    )
    return [_message(row) for row in rows]


def first_since(tx: Transaction, from_ms: int, to_ms: int) -> list[Message]:
    """The first live message posted from `from_ms` until before `to_ms`, as a list of one message or none."""
    rows = tx.all(
        f"SELECT {_SELECTED} WHERE m.created_ms >= ? AND m.created_ms < ? AND m.state = 'live' ORDER BY m.id LIMIT 1",
        (from_ms, to_ms),
    )
    return [_message(row) for row in rows]


def files_of(tx: Transaction, message_id: int) -> tuple[str, ...]:
    row = tx.one("SELECT image, thumb FROM messages WHERE id = ?", (message_id,))
    return file_names([row]) if row else ()


def all_files(tx: Transaction) -> list[str]:
    return list(file_names(tx.all("SELECT image, thumb FROM messages WHERE image <> ''")))


def file_names(rows: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """From rows of (image, thumb): the names that are not empty."""
    return tuple(name for row in rows for name in row if name)


def media_key(image: str) -> str:
    """The part of a picture's name that its thumbnail shares: `abc` of `images/abc.webp`."""
    return image.rpartition("/")[2].partition(".")[0]


def has_posted(tx: Transaction, user_id: int) -> bool:
    """True if a message of this member is kept and readers see it. Reads the whole table if there is no such
    message."""
    return tx.one("SELECT 1 FROM messages WHERE user_id = ? AND state <> 'deleted' LIMIT 1", (user_id,)) is not None


def last_id(tx: Transaction) -> int:
    """The highest message id that was ever used."""
    row = tx.one("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
    return row[0] if row else 0


def stamp(tx: Transaction, message_id: int) -> Message:
    """Number the change that was just made to this message, and read it back."""
    tx.execute("UPDATE messages SET seq = ? WHERE id = ?", (sequence.next_seq(tx), message_id))
    message = get(tx, message_id)
    assert message is not None
    return message


def change_content(tx: Transaction, message_id: int, text: str, extra: str) -> Message | None:
    """Replace the text and `extra` of a live message; None if there is no such message any more."""
    changed = tx.execute(
        "UPDATE messages SET text = ?, extra = ? WHERE id = ? AND state = 'live'", (text, extra, message_id)
    )
    return stamp(tx, message_id) if changed.rowcount else None


def stamp_emptied(tx: Transaction, message_id: int) -> Message:
    """Like `stamp`, for a message that was just recalled or deleted; deletes its reactions too."""
    tx.execute("DELETE FROM reactions WHERE message_id = ?", (message_id,))
    return stamp(tx, message_id)


def unchanged(tx: Transaction, actor: User, message_id: int, wanted: State, withdrawn: Withdrawn | None) -> Message:
    """Find out why a recall or a deletion changed no row. Returns the message if its state is already `wanted`.

    `withdrawn`: the result of the feature that the message belongs to, returned if the message has expired.
    Raises `not_found` (an id that was never used), `gone` (expired or deleted), `not_yours`, `recall_expired`.
    """
    message = get(tx, message_id)
    if message is None:
        if withdrawn is not None:
            return withdrawn.message
        raise missing(tx, message_id)
    if message.author.id != actor.id and not actor.is_administrator:
        raise DomainError(ErrorCode.NOT_YOURS)
    if message.state is wanted:
        return message
    raise DomainError(ErrorCode.GONE if message.state is State.DELETED else ErrorCode.RECALL_EXPIRED)


def missing(tx: Transaction, message_id: int) -> DomainError:
    """The error for an id without a row: `gone` (expired), or `not_found` (an id that was never used)."""
    is_expired = 0 < message_id < sequence.read(tx).first_id
    return DomainError(ErrorCode.GONE) if is_expired else DomainError(ErrorCode.NOT_FOUND, reason="message")


def _message(row: tuple[Any, ...]) -> Message:
    fields: dict[str, Any] = dict(zip(_FIELDS, row, strict=False))
    author = User(
        fields.pop("author_id"), fields.pop("author_name"), Role(fields.pop("author_role")), fields.pop("author_avatar")
    )
    fields["state"] = State(fields["state"])
    fields["kind"] = Kind(fields["kind"])
    fields["preset"] = Preset(fields["preset"]) if fields["preset"] else None
    fields["reactions"] = _reactions(fields["reactions"])
    added = row[len(_FIELDS) :]
    fields["added"] = NOTHING_ADDED if added == NOTHING_ADDED else AddedFields(*added)
    return Message(author=author, **fields)


def _reactions(encoded: str) -> tuple[Reaction, ...]:
    """Read SQLite's JSON list of [emoji, name]. Sorted as in REACTIONS, names in alphabetical order."""
    if encoded == "[]":
        return ()
    pairs = sorted(json.loads(encoded))
    by_emoji = ((emoji, tuple(name for given, name in pairs if given == emoji)) for emoji in REACTIONS)
    return tuple(Reaction(emoji, names) for emoji, names in by_emoji if names)
