"""Asks for confirmation before a browser's form is carried out. The page works without scripts.

A program is not asked: it sends `Accept: application/json`, or no Accept header of a browser.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from chatserver.http import responses
from chatserver.http.viewer import form_of, wants_html

# The field that marks a form as sent again by the page of `ask`.
FIELD = "confirmed"


def is_needed(request: web.Request) -> bool:
    """True for a browser's form that has not been confirmed yet."""
    return wants_html(request) and request.content_type != "application/json" and FIELD not in form_of(request).fields


def ask(request: web.Request, question: str, facts: Sequence[str], submit: str, back: str) -> web.Response:
    """A page with the question, the consequences (`facts`), a button `submit` that sends the same form again, and a
    link `back`."""
    fields = {name: value for name, value in form_of(request).fields.items() if name != "csrf_token"}
    values = {
        "question": question,
        "facts": facts,
        "submit": submit,
        "back": back,
        "action": request.path,
        "fields": {**fields, FIELD: "1"},
    }
    return responses.page(request, "confirm.html", values)
