"""The ledgers, for all readers of the room: the list of windows, one window with its orders and sums, its journal.

While a window is open, many readers request the same ledger again and again, so its encoded form is cached until the
next change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from chatserver.core import json
from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.clock import Clock
from chatserver.core.json import encode_text, encode_value
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts.events import MemberChanged
from chatserver.features.ledger import marks, readings
from chatserver.features.ledger.marks import MarksChanged
from chatserver.features.ledger.readings import ReadingConfirmed
from chatserver.features.ordering import amounts, journal, store
from chatserver.features.ordering.events import LedgerErased, OrdersCounted, WindowChanged
from chatserver.features.ordering.model import Order, OrderingWindow
from chatserver.features.ordering.sums import Sums
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.page_context import local_time
from chatserver.http.route import ID, Route, path_id
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER, wants_json

# Cached ledgers: usually those of the open window and of the window before. Each takes 250 bytes per order.
KEPT_MAX = 4

_ORDER = (
    '{"no":%d,"id":%d,"user":%s,"user_id":%d,"lines":%s,"note":%s,"total":%s,"state":"%s","created_ms":%d'
    ',"changed_ms":%d%s}'
)


# A window, and the total of its standing orders in cents.
ListedWindow = tuple[OrderingWindow, int | None]


class Ledger:
    def __init__(self, database: Database, clock: Clock, planned: Callable[[], dict[str, Any]]) -> None:
        """`planned` returns an object with the field `planned`, as in `hello`."""
        self._database = database
        self._clock = clock
        self._planned = planned
        # (window's id, whether it is for administrators) -> the window, and the rest of the answer as JSON.
        self._kept: BoundedDict[tuple[int, bool], tuple[OrderingWindow, bytes]] = BoundedDict(KEPT_MAX)
        # Window's id -> its total. A window of 10,000 orders is summed again only after one of its orders changed.
        self._totals: dict[int, int | None] = {}
        # The number of changes so far. Data is cached only if this number has not changed since the data was read.
        self._version = 0

    async def windows(self) -> list[ListedWindow]:
        """All windows that are kept, newest first."""
        version, known = self._version, self._totals
        listed = await self._database.run(lambda tx: _listed(tx, known))
        if version == self._version:
            self._totals = {window.id: total for window, total in listed}
        return listed

    async def get_windows(self, _: web.Request) -> web.StreamResponse:
        """Answer all windows, each as in the frame `window`, with its `total` (null if no order has a price)."""
        listed, now_ms = await self.windows(), self._clock.now_ms()
        shown = [{**window.as_json(now_ms), "total": amounts.optional_money(total)} for window, total in listed]
        return responses.as_json({"windows": shown})

    async def get_window(self, request: web.Request) -> web.StreamResponse:
        window_id, is_full = path_id(request), _is_administrator(request)
        kept = self._kept.get((window_id, is_full))
        if kept is None:
            version = self._version
            kept = await self._database.run(lambda tx: _read(tx, window_id, is_full))
            if version == self._version:
                self._kept[window_id, is_full] = kept
        window, rest = kept
        head = json.dumps({"window": window.as_json(self._clock.now_ms())})
        return responses.prebuilt_json(head[:-1] + b"," + rest[1:])

    async def get_journal(self, request: web.Request) -> web.Response:
        """Answer the journal, which is the proof (see ordering/journal.py). `digest` is the head of the last entry."""
        window_id = path_id(request)
        entries = await self._database.run(lambda tx: _journal(tx, window_id))
        digest = entries[-1].head if entries else journal.FIRST_HEAD
        return responses.as_json({"entries": [entry.as_json() for entry in entries], "digest": digest.hex()})

    async def get_windows_page(self, request: web.Request) -> web.StreamResponse:
        if wants_json(request):
            return await self.get_windows(request)
        listed, planned = await self.windows(), self._planned()["planned"]
        values = {
            "planned": planned,
            "planned_at": local_time(request, planned["opens_ms"]) if planned else "",
            "windows": [
                (window, local_time(request, window.opened_ms), amounts.optional_money(total))
                for window, total in listed
            ],
            "is_open": any(window.is_open for window, _ in listed),
            "now_ms": self._clock.now_ms(),
            "zone": request.app[SITE].settings.now.timezone.key,
            "is_admin": _is_administrator(request),
        }
        return responses.page(request, "orders.html", values)

    def forget(self, _: object) -> None:
        self._version += 1
        self._kept.clear()

    def on_orders_changed(self, event: OrdersCounted | WindowChanged) -> None:
        self._totals = {window_id: total for window_id, total in self._totals.items() if window_id != event.window.id}
        self.forget(event)

    ROUTES = (
        Route("GET", "/api/windows/", get_windows, Access.READER),
        Route("GET", f"/api/windows/{ID}/", get_window, Access.READER),
        Route("GET", f"/api/windows/{ID}/journal", get_journal, Access.READER),
        Route("GET", "/orders/", get_windows_page, Access.READER),
    )
    LISTENERS = (
        (OrdersCounted, on_orders_changed),
        (WindowChanged, on_orders_changed),
        (LedgerErased, forget),
        (MarksChanged, forget),
        (ReadingConfirmed, forget),
        (MemberChanged, forget),
    )


def _is_administrator(request: web.Request) -> bool:
    user = request[VIEWER].user
    return user is not None and user.is_administrator


def _listed(tx: Transaction, totals: dict[int, int | None]) -> list[ListedWindow]:
    """`totals`: window's id -> total, for the totals that are already known."""
    return [
        (row.shown(store.items(tx, row.id)), totals[row.id] if row.id in totals else store.total(tx, row.id))
        for row in store.windows(tx)
    ]


def _read(tx: Transaction, window_id: int, is_full: bool) -> tuple[OrderingWindow, bytes]:
    """`is_full`: with the members' marks and the orders' readings, for administrators."""
    window = store.shown_window(tx, window_id)
    orders = store.orders(tx, window_id)
    sums = Sums(window.items, orders)
    members = sums.of_members()
    if is_full:
        marked = marks.of_window(tx, window_id)
        for member in members:
            member["marks"] = marked.get(member["user_id"], {"paid": False, "collected": False})
    rest = {"items": sums.of_items(), "members": members, "total": amounts.optional_money(sums.total)}
    read = readings.of_window(tx, window_id) if is_full else None
    encoded = f'{{"orders":[{",".join(_order_json(order, read) for order in orders)}],{encode_value(rest)[1:]}'
    return window, json.escape_html(encoded)


def _order_json(order: Order, read: dict[int, str] | None) -> str:
    """`read`: order's id -> its confirmed lines; None for readers who do not get readings."""
    return _ORDER % (
        order.no,
        order.id,
        encode_text(order.user),
        order.user_id,
        order.lines,
        encode_text(order.note),
        "null" if order.total is None else f'"{amounts.money(order.total)}"',
        "accepted" if order.is_standing else "withdrawn",
        order.created_ms,
        order.changed_ms,
        "" if read is None else f',"reading":{read.get(order.id, "null")}',
    )


def _journal(tx: Transaction, window_id: int) -> list[journal.Entry]:
    if store.window(tx, window_id) is None:
        raise store.missing(tx, window_id)
    return journal.entries(tx, window_id)
