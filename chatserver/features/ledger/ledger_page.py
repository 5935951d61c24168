"""The page of one ledger. Its tables are filled in by a script; the rest is rendered once for each kind of reader."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web

from chatserver.core.bounded_dict import BoundedDict
from chatserver.db.database import Database
from chatserver.features.accounts.events import MemberChanged
from chatserver.features.ledger.ledger import Ledger
from chatserver.features.ordering import store
from chatserver.features.ordering.events import LedgerErased, OrdersCounted, WindowChanged
from chatserver.http import page_context, responses
from chatserver.http.access import Access
from chatserver.http.page_context import local_time
from chatserver.http.route import ID, Route, path_id
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER, wants_json

# The placeholder in the rendered page for each reader's token. It is random, so that no other text contains it.
_TOKEN = f"@{secrets.token_hex(12)}@"
KEPT_MAX = 200


class LedgerPage:
    """A cache of rendered pages, until an order, a window or a member changes.

    Reading the window and rendering the template take ten times as long as the rest of a response, and many readers
    open the same page while a window is open.
    """

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger
        self._kept: BoundedDict[tuple[Any, ...], bytes] = BoundedDict(KEPT_MAX)
        # The number of changes so far. A page is cached only if this number has not changed since the page was read.
        self._version = 0

    async def get(self, request: web.Request) -> web.StreamResponse:
        if wants_json(request):
            return await self._ledger.get_window(request)
        viewer, config = request[VIEWER], request.app[SITE].settings.now
        kind = (viewer.ui, viewer.language, viewer.theme, viewer.user, config.room_name, config.timezone)
        key = (path_id(request), *kind)
        page = self._kept.get(key)
        if page is None:
            version = self._version
            page = await self._rendered(request)
            if version == self._version:
                self._kept[key] = page
        token = request.app[SITE].tokens.for_visitor(viewer.visitor)
        return responses.prebuilt_page(request, [page.replace(_TOKEN.encode(), token.encode())])

    async def _rendered(self, request: web.Request) -> bytes:
        window_id, user = path_id(request), request[VIEWER].user
        window = await self._database.run(lambda tx: store.shown_window(tx, window_id))
        values = {
            **page_context.shared(request),
            "csrf_token": _TOKEN,
            "window": window,
            "ends": local_time(request, window.closes_ms),
            "zone": request.app[SITE].settings.now.timezone.key,
            "is_admin": user is not None and user.is_administrator,
        }
        return responses.rendered(request, "ledger.html", values)

    def forget(self, _: object) -> None:
        self._version += 1
        self._kept.clear()

    ROUTES = (Route("GET", f"/orders/{ID}/", get, Access.READER),)
    LISTENERS = ((OrdersCounted, forget), (WindowChanged, forget), (LedgerErased, forget), (MemberChanged, forget))
