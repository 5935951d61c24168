"""An exported workbook, converted to CSV by LibreOffice: each cell has the value of the ledger."""

from __future__ import annotations

import asyncio
import csv
import shutil
from pathlib import Path

import pytest

from tests.client import House

PATIENCE_SECONDS = 120
# Separator, quote, UTF-8, first line, no column formats, language, quote texts, cells as shown, no formulas, no
# trimming, all sheets: help.libreoffice.org, "CSV Filter Parameters".
FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false,false,false,-1"
NOTES = [
    "=1+1", "+1+1", "-1", "@A1", "_x0041_", "_x000D_", "#REF!", "#N/A", "{=1+1}", "123456789012345678", "00123", "1E5",
    "1,5", "TRUE", "2026-11-27", "20:00", "12%", "¥5", "a\nb", "a\n\n=1+1", '"quoted", too', "'", "'00123", "; | \\",
    "<b>&amp;</b>", "😀🍓", "👨‍👩‍👧‍👦 五口人", "中文，标点；", "\u202etoxic", "=HYPERLINK(\"x\")", "  ·  ", "e\u0301",
    "_x005F_x0041_", "a_x0041_x00e9_x0042_b", "<r>草莓</r>", "<r>_x0041_x0042_ & </r>",
]  # fmt: skip
NAMES = ["🍓 草莓\n两种", "=SUM(A1:A9)", "00123", "1E5", "_x0041_", "#REF!"]


@pytest.fixture
def soffice() -> str:
    path = shutil.which("soffice")
    if path is None:
        pytest.skip("no LibreOffice here; `sudo apt install libreoffice-calc-nogui` gives one")
    return path


async def test_libreoffice_shows_each_cell_as_it_was_ordered(house: House, soffice: str, tmp_path: Path) -> None:
    admin, members = await house.administrator(), [await house.member(name) for name in ("00123", "1E5")]
    items = [{"name": name, "unit": "=1", "price": "0.10"} for name in NAMES]
    await admin.preset("start", title="=1+1", items=items, seconds=600)
    for number, note in enumerate(NOTES):
        lines = [{"item": 1, "quantity": "1.5"}, {"item": 2, "quantity": "100000"}]
        answer = await members[number // 20].post_json("/order/", {"lines": lines, "text": note})
        assert answer.status == 201, (note, answer.body)
    exported = await admin.get("/orders/1/export?format=xlsx")
    sheets = await read_back(soffice, exported.body, tmp_path)
    names = [" ".join(name.split()) for name in NAMES]
    heading, *rows = sheets["订单"]
    assert heading[:9] == ["编号", "成员", *(f"{name} (=1)" for name in names), "备注"]
    assert [row[:9] for row in rows] == [
        [str(no), "00123" if no <= 20 else "1E5", "1.5", "100000", "", "", "", "", note.strip()]
        for no, note in enumerate(NOTES, 1)
    ]
    assert {row[9] for row in rows} == {"10000.15"}
    sums = sheets["汇总"][1:-1]
    assert [row[:2] for row in sums] == [[name, "=1"] for name in names]
    assert [row[3] for row in sums] == [f"{1.5 * len(NOTES):g}", str(100_000 * len(NOTES)), "0", "0", "0", "0"]
    assert [row[0] for row in sheets["成员合计"][1:]] == ["00123", "1E5"]


async def read_back(soffice: str, workbook: bytes, folder: Path) -> dict[str, list[list[str]]]:
    """Name of each sheet -> its rows, as LibreOffice shows them."""
    file = folder / "ledger.xlsx"
    await asyncio.to_thread(file.write_bytes, workbook)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    process = await asyncio.create_subprocess_exec(
        soffice, "--headless", profile, "--convert-to", FILTER, "--outdir", str(folder), str(file),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0, said
    return await asyncio.to_thread(rows_of_sheets, folder)


def rows_of_sheets(folder: Path) -> dict[str, list[list[str]]]:
    found = {}
    for path in folder.glob("ledger-*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem.removeprefix("ledger-")] = list(csv.reader(file))
    return found
