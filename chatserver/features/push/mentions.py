"""Find the members whom a text mentions, by the same rule as the page (static/js/elements/dom.js, `mentionsOf`)."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

from chatserver.core.folding import fold
from chatserver.core.model import Role
from chatserver.db.transaction import Transaction
from chatserver.features.accounts.names import NAME_MAX, skeleton

_SIGNS = "@＠﹫"
# Further mentions of a text are ignored. A text has at most 10,000 characters.
MENTIONS_MAX = 50
# After a sign, each of these words means all members if an administrator writes it.
_EVERYBODY = ("所有人", "all")


def may_mention(text: str) -> bool:
    return any(sign in text for sign in _SIGNS)


def mentioned(tx: Transaction, text: str) -> set[int]:
    """The ids of the members in the first MENTIONS_MAX mentions of the text.

    If several names match, the longest name counts, so @小明明 mentions the member 小明明 and not 小明.
    """
    starts = [text[at + 1 : at + 1 + NAME_MAX + 1] for at in _mentions(text)]
    begun = {begin for start in starts for begin in _beginnings(start)}
    if not begun:
        return set()
    sql = "SELECT id, name FROM users WHERE skeleton IN (SELECT value FROM json_each(?))"
    rows = tx.all(sql, (json.dumps([*{skeleton(begin) for begin in begun}]),))
    by_name = {fold(name): member_id for member_id, name in rows}
    found = set()
    for start in starts:
        names = [name for begin in _beginnings(start) if (name := fold(begin)) in by_name]
        if names:
            found.add(by_name[names[-1]])
    return found


def mentions_everybody(text: str, role: Role) -> bool:
    """True if an administrator mentions @所有人 or @all."""
    if role is not Role.ADMINISTRATOR:
        return False
    starts = [text[at + 1 :][:NAME_MAX] for at in _mentions(text)]
    return any(fold(begin) in _EVERYBODY for start in starts for begin in _beginnings(start))


def _mentions(text: str) -> Iterator[int]:
    """The positions of the signs that begin a mention. A sign after a letter is part of an e-mail address."""
    found = 0
    for at, character in enumerate(text):
        if character in _SIGNS and not (at and _is_of_a_word(text[at - 1])):
            yield at
            found += 1
            if found == MENTIONS_MAX:
                return


def _beginnings(start: str) -> Iterator[str]:
    """The prefixes of this text that may be a name, shortest first.

    A name in Latin or Cyrillic letters must end at a word boundary.
    """
    for end in range(1, min(len(start), NAME_MAX) + 1):
        last, after = start[end - 1], start[end : end + 1]
        if after and unicodedata.category(after).startswith("M"):
            continue
        if not (after and _is_of_a_word(last) and _is_of_a_word(after)):
            yield start[:end]


def _is_of_a_word(character: str) -> bool:
    """True for a Latin or Cyrillic letter, a digit or an underscore, also in full width."""
    for plain in fold(character)[:1]:
        if plain == "_" or plain.isdecimal():
            return True
        return unicodedata.name(plain, "").split(" ")[0] in ("LATIN", "CYRILLIC")
    return False
