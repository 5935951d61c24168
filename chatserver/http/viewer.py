"""The client of a request: session, language, layout, theme."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from aiohttp import web

from chatserver.core.model import Session, User
from chatserver.http import csrf
from chatserver.http.forms import Form
from chatserver.http.site import SITE
from chatserver.i18n import LANGUAGES, choose, translator

LAYOUTS = ("desktop", "mobile")
THEMES = ("auto", "light", "dark")

_EMPTY_QUERY: Mapping[str, str] = MappingProxyType({})
_PHONE = re.compile(r"iPhone|iPod|Android.+Mobile|Mobile.+Firefox|MicroMessenger|Windows Phone|HarmonyOS.+Mobile")


class Viewer:
    """The client of one request. `visitor` is the cookie to which the CSRF token belongs; `session` is None for
    guests, and until the middleware has read it.

    Language, layout and theme are computed on access, because most API responses do not use them.
    """

    __slots__ = ("_cookies", "_fallback", "_headers", "_query", "session", "visitor", "visitor_is_new")

    def __init__(self, request: web.Request, cookies: Mapping[str, str], fallback: str, visitor: str | None) -> None:
        """`fallback` is the setting `language`; `visitor` the visitor cookie, None if it is missing or invalid."""
        # No reference to the request: it refers to this object, and a cycle would wait for the garbage collector.
        self._cookies = cookies
        self._headers = request.headers
        self._query = request.query if request.query_string else _EMPTY_QUERY
        self._fallback = fallback
        self.visitor = visitor or csrf.new_visitor()
        self.visitor_is_new = not visitor
        self.session: Session | None = None

    @property
    def user(self) -> User | None:
        return self.session.user if self.session else None

    @property
    def is_bot(self) -> bool:
        """True for a request with a bot's token. Browsers never send it by themselves, so it needs no CSRF token."""
        user = self.user
        return user is not None and user.is_bot

    @property
    def language(self) -> str:
        """From `?lang=`, else the cookie, else Accept-Language, else the setting `language`."""
        chosen = self._chosen("lang", LANGUAGES)
        return chosen or _preferred(self._headers.get("Accept-Language", "")[:1000], self._fallback)

    @property
    def t(self) -> Callable[..., str]:
        return translator(self.language)

    @property
    def ui(self) -> str:
        """The layout, from `?ui=`, else the cookie, else "mobile" if the browser is on a phone."""
        if chosen := self._chosen("ui", LAYOUTS):
            return chosen
        says_mobile = self._headers.get("Sec-CH-UA-Mobile") == "?1"
        return "mobile" if says_mobile or _is_phone(self._headers.get("User-Agent", "")[:500]) else "desktop"

    @property
    def theme(self) -> str:
        chosen = self._cookies.get("theme", "")
        return chosen if chosen in THEMES else "auto"

    def new_choices(self) -> Iterator[tuple[str, str]]:
        """Names and values of the cookies to set, because `?ui=` or `?lang=` differs from the cookie."""
        if self._query:
            for name, allowed in (("ui", LAYOUTS), ("lang", LANGUAGES)):
                chosen = self._query.get(name)
                if chosen in allowed and self._cookies.get(name) != chosen:
                    yield name, chosen

    def _chosen(self, name: str, allowed: Collection[str]) -> str | None:
        return next((choice for choice in (self._query.get(name), self._cookies.get(name)) if choice in allowed), None)


VIEWER = web.RequestKey("viewer", Viewer)
FORM = web.RequestKey("form", Form)


def member_of(request: web.Request) -> User:
    """The member of a request, on a route with Access.MEMBER or Access.ADMINISTRATOR."""
    user = request[VIEWER].user
    assert user is not None
    return user


def limit_key(request: web.Request) -> str:
    """The key of the limits for this request: its address, or for a bot the bot's id, from any address."""
    viewer = request[VIEWER]
    return f"bot {viewer.user.id}" if viewer.user and viewer.is_bot else request.app[SITE].origin.address(request)


def form_of(request: web.Request) -> Form:
    """The form of a POST request. The middleware has checked its CSRF token."""
    return request[FORM]


# Cached, because clients send few different values of these headers, and the same values with every request.


@lru_cache(1024)
def _preferred(accept_language: str, fallback: str) -> str:
    return choose(accept_language, fallback)


@lru_cache(1024)
def _is_phone(agent: str) -> bool:
    return _PHONE.search(agent) is not None


def wants_json(request: web.Request) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def wants_html(request: web.Request) -> bool:
    return not wants_json(request) and "text/html" in request.headers.get("Accept", "")


def short_agent(agent: str) -> str:
    """The browser and the operating system of a User-Agent header: `Chrome · Android`; else its first 40 characters."""
    browsers = (("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"),
                ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
    systems = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
               ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
    names = [next((name for token, name in kind if token in agent), "") for kind in (browsers, systems)]
    return " · ".join(name for name in names if name) or agent[:40]
