"""The content of a requested order: read from a frame or a form, and matched with the items of the window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.json import encode_text
from chatserver.core.numbers import ID_MAX, whole_number
from chatserver.features.messages.text import cleaned
from chatserver.features.ordering import amounts
from chatserver.features.ordering.model import Item, Line, OrderContent, PricedLines

LINES_MAX = 50
NOTE_MAX = 200
REASON_MAX = 200
# A form's field for one item is `item-` and the item's id.
_ITEM_FIELD = "item-"


class OrderInput(NamedTuple):
    """Item's id and hundredths of each line, and the note."""

    lines: tuple[tuple[int, int], ...]
    note: str

    def words(self, items: Mapping[int, Item]) -> OrderContent:
        """Match the lines with the items of a window. Raises DomainError: `bad_request`, `empty`."""
        if not self.lines and not self.note:
            raise DomainError(ErrorCode.EMPTY)
        unknown = [item for item, _ in self.lines if item not in items]
        if unknown:
            raise DomainError(ErrorCode.BAD_REQUEST, field="lines", item=unknown[0])
        lines = tuple(Line(items[item], hundredths) for item, hundredths in self.lines)
        return OrderContent(PricedLines.of(lines), self.note, encode_text(self.note))


def read(lines: Any, text: Any) -> OrderInput:
    """Read the fields `lines` and `text` of JSON. Raises DomainError: `bad_request` (`field`), `too_long`."""
    return OrderInput(_lines(lines), note(text, "text", NOTE_MAX))


def note(text: Any, field: str, most: int) -> str:
    """Clean a text of a member or an administrator; "" for None. Raises DomainError: `bad_request`, `too_long`."""
    if text is None:
        return ""
    stored = cleaned(text) if isinstance(text, str) else None
    if stored is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field=field)
    if len(stored) > most:
        raise DomainError(ErrorCode.TOO_LONG, field=field, limit=most, length=len(stored))
    return stored


def reason(text: Any) -> str:
    """Clean an administrator's reason for a correction: at most REASON_MAX characters. Raises `bad_request`."""
    try:
        return note(text, "reason", REASON_MAX)
    except DomainError:
        raise DomainError(ErrorCode.BAD_REQUEST, field="reason", limit=REASON_MAX) from None


def form_lines(fields: Mapping[str, str]) -> Any:
    """The lines of a form: the field `lines` as JSON text, or the `item-ID` fields that are not empty or 0."""
    if typed := fields.get("lines"):
        try:
            return json.loads(typed)
        except (ValueError, RecursionError):
            raise DomainError(ErrorCode.BAD_REQUEST, field="lines") from None
    found = []
    for name, value in fields.items():
        if name.startswith(_ITEM_FIELD) and value.strip() not in ("", "0"):
            item = whole_number(name.removeprefix(_ITEM_FIELD), 1)
            found.append({"item": item, "quantity": value.strip()})
    return found


def _lines(given: Any) -> tuple[tuple[int, int], ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > LINES_MAX:
        raise DomainError(ErrorCode.BAD_REQUEST, field="lines", limit=LINES_MAX)
    lines: dict[int, int] = {}
    for line in given:
        item = line.get("item") if isinstance(line, dict) else None
        if type(item) is not int or not 0 < item <= ID_MAX or item in lines:
            raise DomainError(ErrorCode.BAD_REQUEST, field="lines")
        hundredths = amounts.parse(line.get("quantity"))
        if hundredths is None:
            raise DomainError(ErrorCode.BAD_REQUEST, field="lines", item=item, reason="amount")
        lines[item] = hundredths
    return tuple(lines.items())
