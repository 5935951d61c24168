"""An offer: the title, note, items and length of a window. Read from the JSON of a request or of a template."""

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
    """If `seconds` is None, the setting is used. If there are no items, members order in free text."""

    title: str = ""
    note: str = ""
    items: tuple[Item, ...] = ()
    seconds: int | None = None

    def items_json(self) -> list[dict[str, Any]]:
        """The items as `read` takes them."""
        return [{name: value for name, value in item.as_offered().items() if name != "id"} for item in self.items]


def read(fields: Mapping[str, Any]) -> Offer:
    """Read the fields `title`, `note`, `items`, `seconds`.

    Raises DomainError `bad_request` with the `field`; for an item also with its `row`, counted from 1, and `part`.
    """
    return Offer(
        _text(fields.get("title"), TITLE_MAX, {"field": "title"}, is_one_line=True),
        _text(fields.get("note"), NOTE_MAX, {"field": "note"}),
        _items(fields.get("items")),
        seconds(fields.get("seconds")),
    )


def seconds(value: Any) -> int | None:
    """Raises DomainError `bad_request` if the value is not None and not a whole number from 1 to SECONDS_MAX."""
    if value is not None and (type(value) is not int or not 1 <= value <= SECONDS_MAX):
        raise DomainError(ErrorCode.BAD_REQUEST, field="seconds", reason="seconds")
    return value


def _items(given: Any) -> tuple[Item, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise DomainError(ErrorCode.BAD_REQUEST, field="items")
    if len(given) > ITEMS_MAX:
        raise DomainError(ErrorCode.BAD_REQUEST, field="items", reason="items", limit=ITEMS_MAX)
    items = tuple(_item(number, each) for number, each in enumerate(given, 1))
    names: set[str] = set()
    for item in items:
        if item.name in names:
            raise _wrong(item.id, "name", "same_name")
        names.add(item.name)
    return items


def _item(number: int, given: Any) -> Item:
    if not isinstance(given, dict):
        raise DomainError(ErrorCode.BAD_REQUEST, field="items", row=number)
    name = _text(given.get("name"), NAME_MAX, _place(number, "name"), is_one_line=True)
    if not name:
        raise _wrong(number, "name", "item_name")
    return Item(
        number,
        name,
        _text(given.get("unit"), UNIT_MAX, _place(number, "unit"), is_one_line=True),
        _number(given, number, "price", least=0),
        _number(given, number, "stock", least=1),
        _number(given, number, "limit", least=1),
    )


def _number(given: Mapping[str, Any], number: int, part: str, least: int) -> int | None:
    value = given.get(part)
    if value is None or value == "":
        return None
    found = amounts.parse(value, least)
    if found is None:
        raise _wrong(number, part, "price" if least == 0 else "amount")
    return found


def _text(given: Any, most: int, place: dict[str, Any], *, is_one_line: bool = False) -> str:
    """`place`: error details that name the field, used if the text is refused."""
    if given is None:
        return ""
    if not isinstance(given, str) or not is_storable(given):
        raise DomainError(ErrorCode.BAD_REQUEST, **place, reason="characters")
    if len(given) > 4 * most:
        raise DomainError(ErrorCode.BAD_REQUEST, **place, reason="long", limit=most)
    text = clean(given)
    if is_one_line:
        text = " ".join(text.split())
    if len(text) > most:
        raise DomainError(ErrorCode.BAD_REQUEST, **place, reason="long", limit=most)
    return text


def _place(number: int, part: str) -> dict[str, Any]:
    return {"field": "items", "row": number, "part": part}


def _wrong(number: int, part: str, reason: str) -> DomainError:
    return DomainError(ErrorCode.BAD_REQUEST, **_place(number, part), reason=reason)
