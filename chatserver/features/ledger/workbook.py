"""Tables as an XLSX workbook. Every text is written as a text, so that none is read as a formula or a number."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from chatserver.features.ledger.table import Cell, Number, Table

# XML 1.0, section 2.2, does not allow these two characters.
_NOT_XML = re.compile("[\ufffe\uffff]")
# ECMA-376, part 1, 22.4.2.4: "_x0041_" in a cell means "A". XlsxWriter 3.3 escapes it, except if two of them share an
# underscore.
_SHARED_UNDERSCORE = re.compile("_x[0-9A-Fa-f]{4}_x[0-9A-Fa-f]{4}_")
# Splits a text in the middle of each escape, so that no part contains an escape.
_INSIDE_ESCAPE = re.compile("(?<=_x)(?=[0-9A-Fa-f]{4}_)")


def write(tables: Sequence[Table]) -> bytes:
    """The file's bytes. Each row takes 2 KB of memory; XlsxWriter's `constant_memory` would write rows to a file."""
    file = io.BytesIO()
    # In memory, so that no file outside the data directory contains text of a ledger.
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        formats = {
            "heading": book.add_format({"bold": True, "num_format": "@", "text_wrap": True, "valign": "top"}),
            "text": book.add_format({"num_format": "@", "valign": "top"}),
            "money": book.add_format({"num_format": "0.00", "valign": "top"}),
            "quantity": book.add_format({"num_format": "0.##", "valign": "top"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "valign": "top"}),
            "part": book.add_format(),
        }
        for each in tables:
            _write_table(book.add_worksheet(each.name), each, formats)
    return file.getvalue()


def _write_table(sheet: Worksheet, table: Table, formats: dict[str, Format]) -> None:
    for column, width in enumerate(table.widths):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.set_paper(9)  # A4
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for column, heading in enumerate(table.headings):
        _write_text(sheet, 0, column, heading, formats["heading"], formats["part"])
    for number, row in enumerate(table.rows, 1):
        for column, cell in enumerate(row):
            _write_cell(sheet, number, column, cell, formats)


def _write_cell(sheet: Worksheet, row: int, column: int, cell: Cell, formats: dict[str, Format]) -> None:
    match cell:
        case Number(hundredths, is_money):
            # Exact, because a double has 15 digits, and the largest amount has fewer.
            sheet.write_number(row, column, hundredths / 100, formats["money" if is_money else "quantity"])
        case int():
            sheet.write_number(row, column, cell)
        case datetime():
            sheet.write_datetime(row, column, cell, formats["time"])
        case str() if cell:
            _write_text(sheet, row, column, cell, formats["text"], formats["part"])


def _write_text(sheet: Worksheet, row: int, column: int, text: str, cell: Format, part: Format) -> None:
    """Write `text` unchanged. A text that XlsxWriter would read as markup or leave as an escape is written in parts."""
    text = _NOT_XML.sub("\ufffd", text)
    is_like_markup = text.startswith("<r>") and text.endswith("</r>")
    if not is_like_markup and not _SHARED_UNDERSCORE.search(text):
        sheet.write_string(row, column, text, cell)
        return
    first, *others = _INSIDE_ESCAPE.split(text) if _INSIDE_ESCAPE.search(text) else (text[0], text[1:])
    sheet.write_rich_string(row, column, first, *(piece for other in others for piece in (part, other)), cell)
