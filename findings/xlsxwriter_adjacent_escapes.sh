#!/usr/bin/env bash
# XlsxWriter 3.3.1, read with python-calamine 0.9.1.
#
# In an XLSX cell "_x0041_" stands for "A" (ECMA-376, part 1, 22.4.2.4), and "_x005F_" for the underscore that keeps such
# a text as it is. XlsxWriter's write_string() escapes each "_xHHHH_", but not one that shares its first underscore with
# the one before: "_x0041_x0042_" is written as "_x005F_x0041_x0042_". A reader that follows the standard shows
# "_x0041B".
#
# Seen: '_x0041_' -> '_x0041_', '_x0041_x0042_' -> '_x0041B'. With write_rich_string() and the text cut inside each escape
# ("_x", "0041_x", "0042_") it comes back as it was.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet xlsxwriter==3.3.1 python-calamine==0.9.1
cat > "$folder/try.py" <<'PYTHON'
import io

import python_calamine
import xlsxwriter


def read_back(write):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        write(book, book.add_worksheet())
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue()))
    [[cell]] = book.get_sheet_by_index(0).to_python()
    return cell


def in_parts(book, sheet):
    part = book.add_format()
    sheet.write_rich_string(0, 0, "_x", part, "0041_x", part, "0042_", part)


for text, expected in (("_x0041_", "_x0041_"), ("_x0041_x0042_", "_x0041B")):
    found = read_back(lambda book, sheet: sheet.write_string(0, 0, text))
    print(repr(text), "->", repr(found))
    assert found == expected
found = read_back(in_parts)
print("in parts ->", repr(found))
assert found == "_x0041_x0042_"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
