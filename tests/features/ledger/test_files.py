"""The files of a ledger, read as spreadsheets read them: no text becomes a formula, a number or another text."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.client import Browser, House

HOSTILE = [
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "_x0041_", "#REF!", "{=1+1}", "00123", "1E5",
    "_x005F_x0041_", "a_x0041_x00e9_x0042_b", "<r>草莓</r>", "<r><t>_x0041_</t></r>", "<r></r>",
    "<r>_x0041_x0042_ & </r>", "123456789012345678",
    "＝1+1", "＋1", "－1", "＠A1",
    "TRUE", "2026-11-27", "a\tb", "<b>&amp;</b>", "‮toxic", "😀", "\ufffe", '"quoted", too', "'",
]  # fmt: skip
ITEMS = [{"name": "=SUM(A1:A9)", "unit": "盒", "price": "25.00"}, {"name": "草莓", "unit": "斤", "price": "0.1"}]


async def ordered(house: House, notes: list[str]) -> Browser:
    admin = await house.administrator()
    members = [await house.member(f"成员{n}") for n in range(1 + len(notes) // 20)]
    await admin.preset("start", title='周五/水果: "好" <b>', items=ITEMS, seconds=600)
    for n, note in enumerate(notes):
        lines = [{"item": 1, "quantity": "1.5"}, {"item": 2, "quantity": "3"}]
        answer = await members[n // 20].post_json("/order/", {"lines": lines, "text": note})
        assert answer.status == 201, (note, answer.body)
    return admin


async def test_a_workbook_holds_every_cell_as_it_is(house: House) -> None:
    admin = await ordered(house, HOSTILE)
    answer = await admin.get("/orders/1/export?format=xlsx")
    assert answer.status == 200
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.body))
    assert book.sheet_names == ["订单", "汇总", "成员合计"]
    heading, *rows = book.get_sheet_by_name("订单").to_python()
    assert heading[2] == "=SUM(A1:A9) (盒)"
    notes = [row[heading.index("备注")] for row in rows]
    assert notes == [note.replace("\ufffe", "\ufffd") for note in HOSTILE]
    for number, row in enumerate(rows, 1):
        assert row[0] == number and row[2] == 1.5 and row[3] == 3
        assert row[heading.index("金额")] == 37.8
        ordered_at = row[heading.index("下单时间")]
        assert isinstance(ordered_at, datetime) and ordered_at.tzinfo is None
    sums: list[list[Any]] = book.get_sheet_by_name("汇总").to_python()
    assert sums[1][0] == "=SUM(A1:A9)" and sums[1][3] == 1.5 * len(HOSTILE)


async def test_an_administrators_workbook_has_the_sums_of_confirmed_readings(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    await admin.preset("start", seconds=600)
    for text in ("蓝莓八盒", "苹果半斤", "老样子", "苹果一斤", "谢谢", "撤回的"):
        order = await ming.post_json("/order/", {"text": text})
    await ming.recall(order.json["id"])

    async def sheets(reader: Browser) -> CalamineWorkbook:
        answer = await reader.get("/orders/1/export?format=xlsx")
        return CalamineWorkbook.from_filelike(io.BytesIO(answer.body))

    assert (await sheets(admin)).sheet_names == ["订单", "成员合计"]
    for no, name, quantity, unit in ((1, "=蓝莓", "8", "盒"), (2, "Apple", "0.5", "KG"), (4, "apple", "0.07", "kg")):
        line = {"name": name, "quantity": quantity, "unit": unit}
        assert (await admin.post_json("/orders/1/readings", {"no": no, "lines": [line]})).status == 200
    assert (await admin.post_json("/orders/1/readings", {"no": 5, "lines": [], "none": True})).status == 200
    assert (await sheets(admin)).get_sheet_by_name("确认的数量").to_python() == [
        ["品名", "单位", "数量"], ["=蓝莓", "盒", 8], ["Apple", "KG", 0.57],
        ["计入的订单", "", 4], ["未计入的订单", "", 1],
    ]  # fmt: skip
    assert (await sheets(ming)).sheet_names == ["订单", "成员合计"]


async def test_a_csv_has_a_mark_and_no_formula(house: House) -> None:
    admin = await ordered(house, HOSTILE)
    answer = await admin.get("/orders/1/export?format=csv")
    assert answer.body.startswith(b"\xef\xbb\xbf")
    heading, *rows = csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline=""))
    notes = [row[heading.index("备注")] for row in rows]
    assert [note.lstrip("\t") for note in notes] == HOSTILE
    assert not [cell for row in [heading, *rows] for cell in row if cell.startswith(tuple("=+-@＝＋－＠"))]


async def test_the_text_is_what_one_pastes_into_a_group(house: House) -> None:
    admin = await ordered(house, ["要软的\n两袋", "第二个"])
    text = (await admin.get("/orders/1/export?format=text")).body.decode()
    assert text.splitlines() == [
        "#接龙",
        '周五/水果: "好" <b>',
        "1. 成员0 =SUM(A1:A9) 1.5盒，草莓 3斤；备注：要软的 两袋",
        "2. 成员0 =SUM(A1:A9) 1.5盒，草莓 3斤；备注：第二个",
    ]


@pytest.mark.parametrize(("kind", "suffix"), [("csv", ".csv"), ("xlsx", ".xlsx"), ("text", ".txt")])
async def test_the_name_of_the_file_is_safe(house: House, kind: str, suffix: str) -> None:
    admin = await ordered(house, ["一"])
    disposition = (await admin.get(f"/orders/1/export?format={kind}")).headers["Content-Disposition"]
    assert disposition.startswith("attachment; ") and disposition.endswith(suffix)
    encoded = disposition.partition("filename*=UTF-8''")[2]
    assert encoded.isascii() and not set('/\\":<>|?* ') & set(encoded)


async def test_an_unknown_format_is_refused(house: House) -> None:
    admin = await ordered(house, ["一"])
    for query in ("", "?format=pdf", "?format="):
        assert (await admin.get(f"/orders/1/export{query}")).code == "bad_request"
    assert (await admin.get("/orders/9/export?format=csv")).code == "not_found"
