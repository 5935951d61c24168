"""Subscribe and unsubscribe the browser of a session, and choose its notifications: the rule and its page."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Session
from chatserver.core.push_services import origin_of
from chatserver.core.rate_limit import RateLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.push import store
from chatserver.features.push.encrypt import AUTH_BYTES, PUBLIC_KEY_BYTES, is_point
from chatserver.features.push.store import Address, NotificationPreferences, PushKind, Subscription
from chatserver.features.push.vapid import IS_INSTALLED, VapidKeys
from chatserver.http import forms, responses
from chatserver.http.access import Access
from chatserver.http.route import Route
from chatserver.http.viewer import VIEWER, form_of, wants_json

# Rate limit for the changes of one member.
CHANGES_AT_ONCE, CHANGES_PER_SECOND = 10, 0.2
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,200}={0,2}")


class PushSubscriptions:
    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, keys: VapidKeys) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._keys = keys
        self._limit = RateLimit(clock)

    @property
    def state(self) -> str:
        """`on`, `off` (the setting), or `not_installed` (on, but without the extra `push`)."""
        if self._settings.now.push != "on":
            return "off"
        return "on" if IS_INSTALLED else "not_installed"

    async def subscribe(self, session: Session, address: Address, wishes: NotificationPreferences) -> None:
        """Store the push subscription of this session's browser, and delete its old subscription.

        Raises DomainError: `forbidden` (`reason`) unless the state is `on`; `bad_request` (`field`) if the endpoint is
        on no service of the list, or a key is invalid; `empty` if no kind is chosen; `too_fast`; `login_required`,
        `banned`.
        """
        if self.state != "on":
            raise DomainError(ErrorCode.FORBIDDEN, reason=f"push_{self.state}")
        if origin_of(address.endpoint, self._settings.now.push_services) is None:
            raise DomainError(ErrorCode.BAD_REQUEST, field="endpoint", reason="push_service")
        if len(address.auth) != AUTH_BYTES:
            raise DomainError(ErrorCode.BAD_REQUEST, field="auth")
        if len(address.public_key) != PUBLIC_KEY_BYTES or not await asyncio.to_thread(is_point, address.public_key):
            raise DomainError(ErrorCode.BAD_REQUEST, field="p256dh")
        if not (wishes.opened or wishes.closes or wishes.named):
            raise DomainError(ErrorCode.EMPTY, reason="push_kinds")
        if wait_ms := self._limit.take(str(session.user.id), CHANGES_AT_ONCE, CHANGES_PER_SECOND):
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        now_ms = self._clock.now_ms()
        await self._database.run(lambda tx: _subscribe(tx, session, address, wishes, now_ms))

    async def end(self, session: Session) -> None:
        """End the push subscription of this session. Does nothing if there is no subscription."""
        await self._database.run(lambda tx: store.end(tx, session.id))

    async def get_page(self, request: web.Request) -> web.Response:
        """The page; as JSON `{"push": {"state", "key", "subscription"}}`.

        `key` is the server's public key, "" unless the state is `on`; `subscription` the preferences of this session's
        browser, or null.
        """
        shown = await self._shown(_session_of(request))
        if wants_json(request):
            return responses.as_json({"push": shown})
        return responses.page(request, "push.html", {**shown, "values": shown["subscription"] or _DEFAULTS})

    async def on_post(self, request: web.Request) -> web.Response:
        """A form or a JSON object: `off`; or `endpoint`, `p256dh`, `auth` as a PushSubscription has them, `opened`,
        `closes`, `named`, `words`, and `quiet_from` and `quiet_to` (`HH:MM`, both or neither). Answers as GET does.
        """
        session, typed = _session_of(request), await _typed(request)
        if _is_on(typed, "off"):
            await self.end(session)
        else:
            await self.subscribe(session, _address(typed), _wishes(typed, request[VIEWER].language))
        return responses.as_json({"push": await self._shown(session)})

    async def _shown(self, session: Session) -> dict[str, Any]:
        found = await self._database.run(lambda tx: store.of_session(tx, session.id))
        return {
            "state": self.state,
            "key": await self._keys.public_key() if self.state == "on" else "",
            "subscription": _shown(found) if found else None,
        }

    ROUTES = (
        Route("GET", "/push/", get_page, Access.MEMBER),
        Route("POST", "/push/", on_post, Access.MEMBER),
    )


# What the page proposes to a browser that has no subscription.
_DEFAULTS = {"opened": True, "closes": True, "named": True, "words": False, "quiet_from": "", "quiet_to": ""}


def _session_of(request: web.Request) -> Session:
    session = request[VIEWER].session
    assert session is not None  # the routes are for members
    return session


def _subscribe(
    tx: Transaction, session: Session, address: Address, wishes: NotificationPreferences, now_ms: int
) -> None:
    member = permissions.require_member(tx, session.user)
    if tx.one("SELECT 1 FROM sessions WHERE id = ?", (session.id,)) is None:
        raise DomainError(ErrorCode.LOGIN_REQUIRED)
    store.put(tx, member.id, session.id, address, wishes, now_ms)


async def _typed(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        return await forms.read_json(request)
    return dict(form_of(request).fields)


def _address(typed: dict[str, Any]) -> Address:
    return Address(_text(typed, "endpoint"), _bytes(typed, "p256dh"), _bytes(typed, "auth"))


def _wishes(typed: dict[str, Any], language: str) -> NotificationPreferences:
    opened, closes, named, words = (_is_on(typed, name) for name in ("opened", "closes", "named", "words"))
    quiet_from, quiet_to = _minute(typed, "quiet_from"), _minute(typed, "quiet_to")
    if (quiet_from is None) != (quiet_to is None):
        raise DomainError(ErrorCode.BAD_REQUEST, field="quiet_to" if quiet_to is None else "quiet_from", reason="quiet")
    if quiet_from is not None and quiet_from == quiet_to:
        raise DomainError(ErrorCode.BAD_REQUEST, field="quiet_to", reason="quiet")
    return NotificationPreferences(language, opened, closes, named, words, quiet_from, quiet_to)


def _text(typed: dict[str, Any], name: str) -> str:
    text = typed.get(name)
    if not isinstance(text, str):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return text


def _bytes(typed: dict[str, Any], name: str) -> bytes:
    """Decode a base64url field, with or without padding. Raises DomainError `bad_request`."""
    text = _text(typed, name)
    try:
        if not _BASE64URL.fullmatch(text):
            raise binascii.Error
        bare = text.rstrip("=")
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name) from None


def _is_on(typed: dict[str, Any], name: str) -> bool:
    """True for JSON true or the "1" of a form's checkbox; False if the field is missing."""
    value = typed.get(name, False)
    if value not in (True, False, "1", ""):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return value in (True, "1")


def _minute(typed: dict[str, Any], name: str) -> int | None:
    """Minutes after midnight of `HH:MM`; None for an empty field."""
    value = typed.get(name) or ""
    if value == "":
        return None
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name, reason="quiet")
    return int(found[1]) * 60 + int(found[2])


def _shown(found: Subscription) -> dict[str, Any]:
    wishes = found.wishes
    return {
        **{kind.value: getattr(wishes, kind.value) for kind in PushKind},
        "words": wishes.words,
        "quiet_from": _clock(wishes.quiet_from),
        "quiet_to": _clock(wishes.quiet_to),
    }


def _clock(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"
