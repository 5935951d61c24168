"""The presets that start, stop and show an ordering window."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Preset
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.ordering import answers, offer
from chatserver.features.ordering.offer import Offer
from chatserver.features.ordering.window import TEXTS, OrderingWindows
from chatserver.http import forms, responses
from chatserver.http.access import Access
from chatserver.http.route import Route
from chatserver.http.viewer import form_of, member_of, wants_html

# A command is the name of its preset or the text of its message.
_COMMANDS = {preset.value: preset for preset in TEXTS} | {text: preset for preset, text in TEXTS.items()}


class Presets:
    def __init__(self, windows: OrderingWindows, encoder: MessageEncoder) -> None:
        self._windows = windows
        self._encoder = encoder

    async def on_form(self, request: web.Request) -> web.Response:
        """`command`: start, stop or countdown, or its Chinese name.

        A start takes `seconds`, and `title`, `note` and `items`, or the id of a `template`. If a window is open, a
        start moves its end; a start with an offer, or with `may_move` false, is refused with `window_open` instead.
        As JSON or as a form. Answers 201 with the message's fields and the `window`, or 303 to the room for a
        browser's form.
        """
        preset, start = await _asked(request)
        actor = member_of(request)
        if preset is Preset.START:
            posted = await self._windows.start(actor, **start)
        elif preset is Preset.STOP:
            posted = await self._windows.stop(actor)
        else:
            posted = await self._windows.countdown(actor)
        if wants_html(request):
            return responses.see_other("/")
        answer = {**self._encoder.as_dict(posted.message), "window": self._windows.as_json(posted.window)}
        return responses.as_json(answer, 201)

    ROUTES = (Route("POST", "/send_preset/", on_form, Access.ADMINISTRATOR, bots=True),)


async def _asked(request: web.Request) -> tuple[Preset, dict[str, Any]]:
    """Read the preset and the arguments of a start from a form or a JSON object. Raises DomainError `bad_request`."""
    fields: dict[str, Any]
    if request.content_type == "application/json":
        fields = await forms.read_json(request)
    else:
        form = form_of(request)
        fields = {"command": form.text("command"), "seconds": form.number("seconds")}
    command, may_move = fields.get("command"), fields.get("may_move", True)
    preset = _COMMANDS.get(command) if isinstance(command, str) else None
    if preset is None or type(may_move) is not bool:
        raise DomainError(ErrorCode.BAD_REQUEST)
    offered = offer.read(fields)
    return preset, {
        "seconds": offered.seconds,
        "may_move": may_move,
        "offered": offered if offered._replace(seconds=None) != Offer() else None,
        "template_id": answers.optional_id(fields, "template"),
    }
