"""Tables as an XLSX workbook. Every text is written as a text, so that none is read as a formula or a number."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from chatserver.features.ordering.table import Cell, Number, Table

# XML 1.0, section 2.2, allows neither.
_NOT_XML = re.compile("[\ufffe\uffff]")


def write(tables: Sequence[Table]) -> bytes:
    """The file. Rows go out as they are written: memory does not grow with their number."""
    file = io.BytesIO()
    # Each row is written once, from the top: constant_memory. No file of this program holds a word of it: in_memory.
    with xlsxwriter.Workbook(file, {"constant_memory": True, "in_memory": True}) as book:
        formats = {
            "heading": book.add_format({"bold": True, "num_format": "@", "text_wrap": True, "valign": "top"}),
            "text": book.add_format({"num_format": "@", "valign": "top"}),
            "money": book.add_format({"num_format": "0.00", "valign": "top"}),
            "quantity": book.add_format({"num_format": "0.##", "valign": "top"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "valign": "top"}),
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
        sheet.write_string(0, column, _xml_text(heading), formats["heading"])
    for number, row in enumerate(table.rows, 1):
        for column, cell in enumerate(row):
            _write_cell(sheet, number, column, cell, formats)


def _write_cell(sheet: Worksheet, row: int, column: int, cell: Cell, formats: dict[str, Format]) -> None:
    match cell:
        case Number(hundredths, is_money):
            # Exact: a double has 15 digits, and the largest amount has fewer.
            sheet.write_number(row, column, hundredths / 100, formats["money" if is_money else "quantity"])
        case int():
            sheet.write_number(row, column, cell)
        case datetime():
            sheet.write_datetime(row, column, cell, formats["time"])
        case str() if cell:
            sheet.write_string(row, column, _xml_text(cell), formats["text"])


def _xml_text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
