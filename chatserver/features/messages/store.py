"""The messages. What may be read of a row is decided here: one that is not live is empty."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from chatserver.core.model import REACTIONS, Kind, Message, Preset, Reaction, Role, State, StoredImage, User
from chatserver.db import sequence
from chatserver.db.transaction import RetryOneByOne, Transaction
from chatserver.features.messages import reaction_rows

_COLUMNS = (
    "m.id, m.seq, m.state, m.kind, m.preset, m.user_id, u.name, u.role, u.avatar, m.text, m.image, m.thumb, m.width,"
    " m.height, m.closes_ms, m.reply_to, m.client_id, m.created_ms, m.recall_until_ms,"
    " (SELECT json_group_array(json_array(r.emoji, w.name)) FROM reactions r JOIN users w ON w.id = r.user_id"
    " WHERE r.message_id = m.id), coalesce((SELECT e.name FROM users e WHERE e.id = m.ended_by), '')"
    " FROM messages m JOIN users u ON u.id = m.user_id"
)

# What a recall or a deletion leaves of a row: who and when, and keys that say nothing of what it held.
_EMPTY = "text = '', image = '', thumb = '', width = 0, height = 0, client_id = ''"

_ROWS_AT_ONCE = 64


@dataclass(slots=True)
class NewMessage:
    author: User
    kind: Kind
    text: str
    picture: StoredImage | None
    media_key: str
    reply_to: int | None
    client_id: str
    client_key: bytes | None
    created_ms: int
    recall_until_ms: int
    preset: Preset | None = None
    closes_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """What left: the ids, and the files that were theirs."""

    ids: tuple[int, ...]
    files: tuple[str, ...]


def insert(tx: Transaction, new: NewMessage) -> Message | None:
    """Store a new message; None when its author has posted one under this `client_key` before."""
    seq = sequence.seq(tx) + 1
    picture = new.picture or StoredImage("", "", 0, 0)
    inserted = tx.execute(
        "INSERT INTO messages (seq, posted_seq, kind, preset, user_id, text, image, thumb, width, height, media_key,"
        " closes_ms, reply_to, client_id, client_key, created_ms, recall_until_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (user_id, client_key) WHERE client_key IS NOT NULL DO NOTHING",
        (
            seq,
            seq,
            new.kind.value,
            new.preset and new.preset.value,
            new.author.id,
            new.text,
            picture.image,
            picture.thumb,
            picture.width,
            picture.height,
            new.media_key,
            new.closes_ms,
            new.reply_to,
            new.client_id,
            new.client_key,
            new.created_ms,
            new.recall_until_ms,
        ),
    )
    if not inserted.rowcount or inserted.lastrowid is None:
        return None
    return Message(
        id=inserted.lastrowid,
        seq=sequence.next_seq(tx),
        state=State.LIVE,
        kind=new.kind,
        author=new.author,
        text=new.text,
        image=picture.image,
        thumb=picture.thumb,
        width=picture.width,
        height=picture.height,
        created_ms=new.created_ms,
        recall_until_ms=new.recall_until_ms,
        reply_to=new.reply_to,
        client_id=new.client_id,
        preset=new.preset,
        closes_ms=new.closes_ms,
    )


def insert_texts(tx: Transaction, texts: Sequence[NewMessage]) -> list[Message]:
    """Store new messages of nothing but text, in their order. Rows of one statement cost half of what each costs alone.

    Raises RetryOneByOne when a `client_key` has been used by its author before.
    """
    first_seq = sequence.next_seq(tx, len(texts))
    stored: list[Message] = []
    for some in _in_powers_of_two(texts):
        values: list[Any] = []
        for seq, new in enumerate(some, first_seq + len(stored)):
            values += (seq, seq, new.author.id, new.text, new.reply_to, new.client_id, new.client_key,
                       new.created_ms, new.recall_until_ms)  # fmt: skip
        inserted = tx.execute(_insertion(len(some)), values)
        if inserted.rowcount != len(some) or inserted.lastrowid is None:
            raise RetryOneByOne
        first_id = inserted.lastrowid - len(some) + 1
        stored += [
            Message(
                first_id + number, first_seq + len(stored) + number, State.LIVE, Kind.TEXT, new.author, new.text,
                "", "", 0, 0, new.created_ms, new.recall_until_ms, new.reply_to, new.client_id,
            )
            for number, new in enumerate(some)
        ]  # fmt: skip
    return stored


def get(tx: Transaction, message_id: int) -> Message | None:
    row = tx.one(f"SELECT {_COLUMNS} WHERE m.id = ?", (message_id,))
    return _message(row) if row else None


def posted_before(tx: Transaction, user_id: int, client_key: bytes) -> tuple[Message, int] | None:
    """The message that this member has posted under this key, and the `seq` it was posted with."""
    row = tx.one(f"SELECT m.posted_seq, {_COLUMNS} WHERE m.user_id = ? AND m.client_key = ?", (user_id, client_key))
    return (_message(row[1:]), row[0]) if row else None


def newest(tx: Transaction, limit: int, *, deleted_too: bool = False) -> list[Message]:
    """The last `limit` messages, oldest first."""
    where = "" if deleted_too else "WHERE m.state <> 'deleted'"
    rows = tx.all(f"SELECT {_COLUMNS} {where} ORDER BY m.id DESC LIMIT ?", (limit,))
    return [_message(row) for row in reversed(rows)]


def before(tx: Transaction, message_id: int, limit: int) -> list[Message]:
    """The `limit` messages just before `message_id`, oldest first; deleted ones left out."""
    rows = tx.all(
        f"SELECT {_COLUMNS} WHERE m.id < ? AND m.state <> 'deleted' ORDER BY m.id DESC LIMIT ?", (message_id, limit)
    )
    return [_message(row) for row in reversed(rows)]


def newest_change_below(tx: Transaction, message_id: int) -> int:
    """The highest `seq` among the messages older than `message_id`; 0 where there are none."""
    seq: int = tx.one("SELECT coalesce(max(seq), 0) FROM messages WHERE id < ?", (message_id,))[0]
    return seq


def search(tx: Transaction, words: list[str], below_id: int, rows_read: int) -> tuple[list[Message], int | None]:
    """Live messages whose text holds every one of `words` (folded by the caller), newest first.

    Reads at most `rows_read` rows below `below_id`, so that no search holds up the queue; returns
    what it found and where to go on, None at the end of the history.
    """
    rows = tx.all(
        f"SELECT {_COLUMNS} WHERE m.id < ? AND m.state = 'live' ORDER BY m.id DESC LIMIT ?", (below_id, rows_read)
    )
    found = [_message(row) for row in rows if all(word in row[9].casefold() for word in words)]
    return found, rows[-1][0] if len(rows) == rows_read else None


def recall(tx: Transaction, message_id: int, actor: User, now_ms: int) -> Message | None:
    """Empty a live message, if this actor may: its author in time, or an administrator.

    Who and when is asked in the WHERE itself, so that nothing can change between asking and doing.
    None when no row was theirs to recall.
    """
    row = tx.one(
        f"UPDATE messages SET state = 'recalled', ended_by = ?, {_EMPTY}"  # nosec B608 # our own words
        " WHERE id = ? AND state = 'live' AND (? OR (user_id = ? AND recall_until_ms > ?)) RETURNING id",
        (actor.id, message_id, actor.is_administrator, actor.id, now_ms),
    )
    return _emptied(tx, message_id) if row else None


def delete(tx: Transaction, message_id: int, actor: User) -> Message | None:
    """Empty a message and take it out of the lists, if it is this actor's, or they are an administrator."""
    row = tx.one(
        f"UPDATE messages SET state = 'deleted', ended_by = ?, {_EMPTY}"  # nosec B608 # our own words
        " WHERE id = ? AND state <> 'deleted' AND (? OR user_id = ?) RETURNING id",
        (actor.id, message_id, actor.is_administrator, actor.id),
    )
    return _emptied(tx, message_id) if row else None


def oldest_to_keep(tx: Transaction, limit: int, since_ms: int) -> int:
    """The id below which everything is to go: beyond the newest `limit`, or older than `since_ms`.

    Deleted messages do not count. The id after the newest message when nothing is to stay.
    """
    within_count = tx.one(
        "SELECT id FROM messages WHERE state <> 'deleted' ORDER BY id DESC LIMIT 1 OFFSET ?", (limit - 1,)
    )
    # Ids grow with time, so the old ones are the first ones; a clock that was set back cannot change that.
    # `+`, or SQLite would look through all that is kept, from the newest back, for the first that is old.
    newest_old = tx.one("SELECT max(+id) FROM messages WHERE created_ms <= ?", (since_ms,))[0] or 0
    return max(within_count[0] if within_count else 0, newest_old + 1)


def files_of(tx: Transaction, message_id: int) -> tuple[str, ...]:
    row = tx.one("SELECT image, thumb FROM messages WHERE id = ?", (message_id,))
    return _files([row]) if row else ()


def erase_below(tx: Transaction, first_id: int) -> Expired:
    rows = tx.all("DELETE FROM messages WHERE id < ? RETURNING id, image, thumb", (first_id,))
    return Expired(tuple(sorted(row[0] for row in rows)), _files(row[1:] for row in rows))


def next_expiry(tx: Transaction) -> int | None:
    """When the oldest message was posted, in ms; None in an empty room."""
    created_ms: int | None = tx.one("SELECT min(created_ms) FROM messages")[0]
    return created_ms


def next_settling(tx: Transaction, after_ms: int) -> int | None:
    """When the next recall window closes that closes after `after_ms`."""
    until: int | None = tx.one(
        "SELECT min(recall_until_ms) FROM messages WHERE state = 'live' AND recall_until_ms > ?", (after_ms,)
    )[0]
    return until


def settled_between(tx: Transaction, after_ms: int, until_ms: int) -> list[tuple[int, int]]:
    """(id, author's id) of the live messages whose recall window closed in that span."""
    return tx.all(
        "SELECT id, user_id FROM messages WHERE state = 'live' AND recall_until_ms > ? AND recall_until_ms <= ?"
        " ORDER BY recall_until_ms, id",
        (after_ms, until_ms),
    )


def all_files(tx: Transaction) -> list[str]:
    return list(_files(tx.all("SELECT image, thumb FROM messages WHERE image <> ''")))


def state_of_media(tx: Transaction, media_key: str) -> State | None:
    """The state of the message that these files belong to; None where no message knows them."""
    # The second half is what the index asks for; SQLite does not conclude it from the first.
    row = tx.one("SELECT state FROM messages WHERE media_key = ? AND media_key <> ''", (media_key,))
    return State(row[0]) if row else None


def last_id(tx: Transaction) -> int:
    """The highest id ever given."""
    row = tx.one("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
    return row[0] if row else 0


def stamp(tx: Transaction, message_id: int) -> Message:
    """Number the change that was just made to this message, and read it back."""
    tx.execute("UPDATE messages SET seq = ? WHERE id = ?", (sequence.next_seq(tx), message_id))
    message = get(tx, message_id)
    assert message is not None
    return message


def _in_powers_of_two(texts: Sequence[NewMessage]) -> Iterator[Sequence[NewMessage]]:
    """All of them, in pieces of few sizes: each size is a statement, which SQLite keeps prepared."""
    begin = 0
    while left := len(texts) - begin:
        size = min(_ROWS_AT_ONCE, 1 << left.bit_length() - 1)
        yield texts[begin : begin + size]
        begin += size


@cache
def _insertion(rows: int) -> str:
    return (
        "INSERT INTO messages"  # nosec B608 # our own words, and places
        " (seq, posted_seq, kind, user_id, text, reply_to, client_id, client_key, created_ms, recall_until_ms) VALUES "
        + ", ".join(["(?, ?, 'text', ?, ?, ?, ?, ?, ?, ?)"] * rows)
        + " ON CONFLICT (user_id, client_key) WHERE client_key IS NOT NULL DO NOTHING"
    )


def _emptied(tx: Transaction, message_id: int) -> Message:
    reaction_rows.remove_all(tx, message_id)
    return stamp(tx, message_id)


def _files(rows: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(name for row in rows for name in row if name)


def _message(row: tuple[Any, ...]) -> Message:
    (message_id, seq, state_, kind, preset, user_id, name, role, avatar, text, image, thumb, width, height,
     closes_ms, reply_to, client_id, created_ms, recall_until_ms, reacted, ended_by) = row  # fmt: skip
    return Message(
        id=message_id,
        seq=seq,
        state=State(state_),
        kind=Kind(kind),
        author=User(user_id, name, Role(role), avatar),
        text=text,
        image=image,
        thumb=thumb,
        width=width,
        height=height,
        created_ms=created_ms,
        recall_until_ms=recall_until_ms,
        reply_to=reply_to,
        client_id=client_id,
        preset=Preset(preset) if preset else None,
        closes_ms=closes_ms,
        reactions=_reactions(reacted),
        ended_by=ended_by,
    )


def _reactions(reacted: str) -> tuple[Reaction, ...]:
    """From SQLite's JSON list of [emoji, name]; in the order of REACTIONS, names in theirs."""
    if reacted == "[]":
        return ()
    pairs = sorted(json.loads(reacted))
    by_emoji = ((emoji, tuple(name for given, name in pairs if given == emoji)) for emoji in REACTIONS)
    return tuple(Reaction(emoji, names) for emoji, names in by_emoji if names)
