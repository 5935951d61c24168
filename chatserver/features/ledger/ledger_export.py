"""A ledger as a file: CSV, XLSX, or text for a WeChat group. Written in a thread, from rows that were read before."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.ledger import table
from chatserver.features.ledger.reading_sums import reading_table
from chatserver.features.ledger.readings import of_window
from chatserver.features.ledger.table import Cell, Number
from chatserver.features.ordering import amounts, store
from chatserver.features.ordering.model import Order, OrderingWindow
from chatserver.http.access import Access
from chatserver.http.route import ID, Route, path_id
from chatserver.http.viewer import VIEWER

# Exports that run at once, and exports that run or wait. 10,000 orders take a second of one core.
AT_WORK_MAX, WAITING_MAX = 1, 8


class Contents(NamedTuple):
    """`readings`: order's id -> its confirmed lines as JSON; empty for readers who do not get readings."""

    window: OrderingWindow
    orders: Sequence[Order]
    readings: Mapping[int, str]


Write = Callable[[Contents, Callable[..., str], ZoneInfo], bytes]

# Characters that some system forbids in file names, and invisible characters.
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+')
# Some spreadsheets in East Asian languages read the full-width forms as formulas too.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


class LedgerExport:
    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._waiting = 0
        self._turn = asyncio.Semaphore(AT_WORK_MAX)

    async def get(self, request: web.Request) -> web.Response:
        """`?format=csv`, `xlsx` or `text`. Raises DomainError: `bad_request`, `not_found`, `gone`, `busy`."""
        found = _FORMATS.get(request.query.get("format", ""))
        if found is None:
            raise DomainError(ErrorCode.BAD_REQUEST, field="format")
        suffix, content_type, write = found
        window_id, user = path_id(request), request[VIEWER].user
        is_administrator = user is not None and user.is_administrator
        contents = await self._database.run(lambda tx: _read(tx, window_id, is_administrator))
        window, zone = contents.window, self._settings.now.timezone
        body = await self._in_turn(lambda: write(contents, request[VIEWER].t, zone))
        name = _file_name(window, datetime.fromtimestamp(window.opened_ms // 1000, zone), suffix)
        disposition = f"attachment; filename=\"orders-{window.id}.{suffix}\"; filename*=UTF-8''{quote(name, safe='')}"
        return web.Response(
            body=body,
            headers={"Content-Type": content_type, "Content-Disposition": disposition, "Cache-Control": "no-store"},
        )

    async def _in_turn(self, work: Callable[[], bytes]) -> bytes:
        if self._waiting >= WAITING_MAX:
            raise DomainError(ErrorCode.BUSY, retry_after_ms=2000)
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1

    ROUTES = (Route("GET", f"/orders/{ID}/export", get, Access.READER),)


def as_csv(contents: Contents, t: Callable[..., str], zone: ZoneInfo) -> bytes:
    """The orders in UTF-8, with a byte order mark by which spreadsheets recognise UTF-8."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    orders_table = table.tables(contents.window, contents.orders, t, zone)[0]
    writer.writerow(map(_csv_text, orders_table.headings))
    for row in orders_table.rows:
        writer.writerow(map(_csv_cell, row))
    return file.getvalue().encode("utf-8-sig")


def as_xlsx(contents: Contents, t: Callable[..., str], zone: ZoneInfo) -> bytes:
    # imported here, because it takes 60 ms, and most rooms never need it
    from chatserver.features.ledger import workbook

    window, orders, readings = contents
    found = table.tables(window, orders, t, zone)
    read = reading_table(orders, readings, t)
    return workbook.write([*found, read] if read else found)


def as_text(contents: Contents, _t: Callable[..., str], _zone: ZoneInfo) -> bytes:
    return table.as_text(contents.window, contents.orders).encode()


_FORMATS: dict[str, tuple[str, str, Write]] = {
    "csv": ("csv", "text/csv; charset=utf-8", as_csv),
    "xlsx": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
    "text": ("txt", "text/plain; charset=utf-8", as_text),
}


def _csv_cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Number(hundredths, is_money):
            return amounts.money(hundredths) if is_money else amounts.quantity(hundredths)
        case datetime():
            return cell.isoformat(sep=" ")
        case str():
            return _csv_text(cell)
    return str(cell)


def _csv_text(text: str) -> str:
    """Put a tab before a text that a spreadsheet would read as a formula."""
    return f"\t{text}" if text.startswith(_FORMULA) else text


def _file_name(window: OrderingWindow, opened: datetime, suffix: str) -> str:
    title = " ".join(_UNSAFE.sub(" ", window.title).split()).strip(". ")
    return f"{title or '下单'}-{window.id}-{opened:%Y-%m-%d}.{suffix}"


def _read(tx: Transaction, window_id: int, is_administrator: bool) -> Contents:
    readings = of_window(tx, window_id) if is_administrator else {}
    return Contents(store.shown_window(tx, window_id), store.orders(tx, window_id), readings)
