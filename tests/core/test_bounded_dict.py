"""Which item is dropped when one more is set."""

from __future__ import annotations

from chatserver.core.bounded_dict import BoundedDict


def test_the_item_set_longest_ago_is_dropped() -> None:
    found: BoundedDict[str, int] = BoundedDict(3)
    for key in "abc":
        found[key] = 1
    found["a"] = 2
    found.get("b")  # reading an item does not protect it
    found["d"] = 1
    assert dict(found) == {"c": 1, "a": 2, "d": 1}
