"""What an administrator offers in a window: title, note, items, length. Read from JSON, also that of a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.messages.text import clean, is_storable
from chatserver.features.ordering import amounts
from chatserver.features.ordering.model import Item

SECONDS_MAX = 86_400
TITLE_MAX = 60
NOTE_MAX = 500
ITEMS_MAX = 50
NAME_MAX = 40
UNIT_MAX = 8


class Offer(NamedTuple):
    """`seconds` None: the setting. An offer without items takes orders in the members' own words."""

    title: str = ""
    note: str = ""
    items: tuple[Item, ...] = ()
    seconds: int | None = None

    def items_json(self) -> list[dict[str, Any]]:
        """The items as `read` takes them."""
        return [{name: value for name, value in item.as_offered().items() if name != "id"} for item in self.items]


def read(fields: Mapping[str, Any]) -> Offer:
    """The fields `title`, `note`, `items`, `seconds`. Raises DomainError: `bad_request` (`field`), `too_long`."""
    return Offer(
        _text(fields.get("title"), "title", TITLE_MAX, is_one_line=True),
        _text(fields.get("note"), "note", NOTE_MAX),
        _items(fields.get("items")),
        seconds(fields.get("seconds")),
    )


def seconds(value: Any) -> int | None:
    """Raises DomainError `bad_request` for anything but None and a whole number from 1 to SECONDS_MAX."""
    if value is not None and (type(value) is not int or not 1 <= value <= SECONDS_MAX):
        raise DomainError(ErrorCode.BAD_REQUEST, field="seconds")
    return value


def _items(given: Any) -> tuple[Item, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > ITEMS_MAX:
        raise DomainError(ErrorCode.BAD_REQUEST, field="items", limit=ITEMS_MAX)
    items = tuple(_item(number, each) for number, each in enumerate(given, 1))
    if len({item.name for item in items}) < len(items):
        raise DomainError(ErrorCode.BAD_REQUEST, field="items", reason="same_name")
    return items


def _item(number: int, given: Any) -> Item:
    if not isinstance(given, dict):
        raise DomainError(ErrorCode.BAD_REQUEST, field="items")
    name = _text(given.get("name"), "items", NAME_MAX, is_one_line=True)
    if not name:
        raise DomainError(ErrorCode.BAD_REQUEST, field="items")
    return Item(
        number,
        name,
        _text(given.get("unit"), "items", UNIT_MAX, is_one_line=True),
        _number(given.get("price"), least=0),
        _number(given.get("stock"), least=1),
        _number(given.get("limit"), least=1),
    )


def _number(given: Any, least: int) -> int | None:
    if given is None or given == "":
        return None
    found = amounts.parse(given, least)
    if found is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field="items", reason="amount")
    return found


def _text(given: Any, field: str, most: int, *, is_one_line: bool = False) -> str:
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > 4 * most or not is_storable(given):
        raise DomainError(ErrorCode.BAD_REQUEST, field=field)
    text = clean(given)
    if is_one_line:
        text = " ".join(text.split())
    if len(text) > most:
        raise DomainError(ErrorCode.BAD_REQUEST, field=field, limit=most)
    return text
