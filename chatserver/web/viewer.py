"""Who asks, and how they want to be answered: login, language, layout, theme."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from aiohttp import web

from chatserver.i18n import LANGUAGES, choose, translator
from chatserver.model import Session, User

LAYOUTS = ("desktop", "mobile")
THEMES = ("auto", "light", "dark")
YEAR_SECONDS = 31_536_000

_PHONE = re.compile(r"iPhone|iPod|Android.+Mobile|Mobile.+Firefox|MicroMessenger|Windows Phone|HarmonyOS.+Mobile")


@dataclass(slots=True)
class Viewer:
    """The asker of one request. `visitor` binds their CSRF token; `session` is None for guests, and until looked up."""

    session: Session | None
    language: str
    ui: str
    theme: str
    address: str
    visitor: str
    visitor_is_new: bool

    @property
    def user(self) -> User | None:
        return self.session.user if self.session else None

    @property
    def t(self) -> Callable[..., str]:
        return translator(self.language)


def language_of(request: web.Request, cookies: Mapping[str, str], fallback: str) -> str:
    """`?lang=`, then the cookie, then what the browser prefers, then `fallback`."""
    chosen = _chosen(request, cookies, "lang", LANGUAGES)
    return chosen or _preferred(request.headers.get("Accept-Language", "")[:1000], fallback)


def ui_of(request: web.Request, cookies: Mapping[str, str]) -> str:
    """`?ui=`, then the cookie, then whether the browser is a phone's."""
    if chosen := _chosen(request, cookies, "ui", LAYOUTS):
        return chosen
    says_mobile = request.headers.get("Sec-CH-UA-Mobile") == "?1"
    return "mobile" if says_mobile or _is_phone(request.headers.get("User-Agent", "")[:500]) else "desktop"


def _chosen(request: web.Request, cookies: Mapping[str, str], name: str, allowed: Collection[str]) -> str | None:
    asked = request.query.get(name) if request.query_string else None
    return next((choice for choice in (asked, cookies.get(name)) if choice in allowed), None)


# A room's readers have a few dozen browsers between them, and each asks again and again.


@lru_cache(1024)
def _preferred(accept_language: str, fallback: str) -> str:
    return choose(accept_language, fallback)


@lru_cache(1024)
def _is_phone(agent: str) -> bool:
    return _PHONE.search(agent) is not None


def theme_of(cookies: Mapping[str, str]) -> str:
    chosen = cookies.get("theme", "")
    return chosen if chosen in THEMES else "auto"


def remember_choices(
    request: web.Request, cookies: Mapping[str, str], response: web.StreamResponse, secure: bool
) -> None:
    """Keep what `?ui=` and `?lang=` chose, for a year."""
    if not request.query_string:
        return
    for name, allowed in (("ui", LAYOUTS), ("lang", LANGUAGES)):
        chosen = request.query.get(name)
        if chosen in allowed and cookies.get(name) != chosen:
            response.set_cookie(name, chosen, max_age=YEAR_SECONDS, path="/", samesite="Lax", secure=secure)


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
