"""Who asks, and how they want to be answered: login, language, layout, theme."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from aiohttp import web

from chatserver.core.model import Session, User
from chatserver.http import csrf
from chatserver.i18n import LANGUAGES, choose, translator

LAYOUTS = ("desktop", "mobile")
THEMES = ("auto", "light", "dark")

_NOTHING_ASKED: Mapping[str, str] = MappingProxyType({})
_PHONE = re.compile(r"iPhone|iPod|Android.+Mobile|Mobile.+Firefox|MicroMessenger|Windows Phone|HarmonyOS.+Mobile")


class Viewer:
    """The asker of one request. `visitor` binds their CSRF token; `session` is None for guests, and until looked up.

    Language, layout and theme are looked for when an answer needs them: most answers of the API do not.
    """

    __slots__ = ("_cookies", "_fallback", "_headers", "_query", "session", "visitor", "visitor_is_new")

    def __init__(self, request: web.Request, cookies: Mapping[str, str], fallback: str, visitor: str | None) -> None:
        """`fallback` is the room's language; `visitor` what the visitor's cookie says, if it is one of ours."""
        # Not the request itself, which holds this: memory would wait for the garbage collector.
        self._cookies = cookies
        self._headers = request.headers
        self._query = request.query if request.query_string else _NOTHING_ASKED
        self._fallback = fallback
        self.visitor = visitor or csrf.new_visitor()
        self.visitor_is_new = not visitor
        self.session: Session | None = None

    @property
    def user(self) -> User | None:
        return self.session.user if self.session else None

    @property
    def language(self) -> str:
        """`?lang=`, then the cookie, then what the browser prefers, then the room's."""
        chosen = self._chosen("lang", LANGUAGES)
        return chosen or _preferred(self._headers.get("Accept-Language", "")[:1000], self._fallback)

    @property
    def t(self) -> Callable[..., str]:
        return translator(self.language)

    @property
    def ui(self) -> str:
        """`?ui=`, then the cookie, then whether the browser is a phone's."""
        if chosen := self._chosen("ui", LAYOUTS):
            return chosen
        says_mobile = self._headers.get("Sec-CH-UA-Mobile") == "?1"
        return "mobile" if says_mobile or _is_phone(self._headers.get("User-Agent", "")[:500]) else "desktop"

    @property
    def theme(self) -> str:
        chosen = self._cookies.get("theme", "")
        return chosen if chosen in THEMES else "auto"

    def new_choices(self) -> Iterator[tuple[str, str]]:
        """What `?ui=` and `?lang=` chose just now, as the names and values of the cookies that keep it."""
        if self._query:
            for name, allowed in (("ui", LAYOUTS), ("lang", LANGUAGES)):
                chosen = self._query.get(name)
                if chosen in allowed and self._cookies.get(name) != chosen:
                    yield name, chosen

    def _chosen(self, name: str, allowed: Collection[str]) -> str | None:
        return next((choice for choice in (self._query.get(name), self._cookies.get(name)) if choice in allowed), None)


# A room's readers have a few dozen browsers between them, and each asks again and again.


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
    """A browser's User-Agent in a few words: `Chrome · Android`."""
    browsers = (("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"),
                ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
    systems = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
               ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
    words = [next((name for mark, name in kind if mark in agent), "") for kind in (browsers, systems)]
    return " · ".join(word for word in words if word) or agent[:40]
