"""Items as lines of text are read as the same items, whatever characters a name contains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.core.errors import DomainError
from chatserver.features.ordering import item_lines

# As `offer.read` stores them: without white space at the ends, on one line.
words = st.text(st.sampled_from('蓝莓aé ，,"\u2028\u3000=+;'), min_size=1, max_size=12).map(str.strip).filter(bool)
amounts = st.sampled_from(("", "25.00", "0", "999999.99"))
items = st.fixed_dictionaries(
    {"name": words, "unit": st.one_of(st.just(""), words), "price": amounts, "stock": amounts, "limit": amounts}
)


@given(st.lists(items, max_size=5))
def test_lines_are_read_as_the_items_that_were_written(written: list[dict[str, str]]) -> None:
    read = item_lines.parse(item_lines.as_text(written))
    assert [{part: item.get(part, "") for part in item_lines.PARTS} for item in read] == written


@pytest.mark.parametrize(
    ("line", "name", "unit"),
    [
        ("蓝莓，盒", "蓝莓", "盒"),
        ('"蓝莓，大",盒', "蓝莓，大", "盒"),
        ("蓝莓 , 盒", "蓝莓", "盒"),
        ('"5"" 盘",个', '5" 盘', "个"),
    ],
)
def test_chinese_commas_separate_and_quotation_marks_keep(line: str, name: str, unit: str) -> None:
    assert item_lines.parse(line) == [{"name": name, "unit": unit}]


def test_a_line_of_too_many_parts_is_refused_with_its_row() -> None:
    with pytest.raises(DomainError) as caught:
        item_lines.parse("蓝莓\n\na,b,c,d,e,f")
    assert caught.value.details["row"] == 2
    assert item_lines.line_number("蓝莓\n\na,b,c,d,e,f", 2) == 3
