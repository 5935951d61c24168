"""The presets that start, stop and show an ordering window."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Preset
from chatserver.features.messages.encode import MessageEncoder
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
        """`command`: start, stop or countdown, or its Chinese name. `seconds`: the length of a started window.
        `may_move` false: a `start` does not move the end of a window that is open, but is refused with `window_open`.

        As JSON or as a form. Answers 201 with the message's fields and the `window`, or a browser's form with
        303 to the room.
        """
        preset, seconds, may_move = await _asked(request)
        actor = member_of(request)
        if preset is Preset.START:
            posted = await self._windows.start(actor, seconds, may_move=may_move)
        elif preset is Preset.STOP:
            posted = await self._windows.stop(actor)
        else:
            posted = await self._windows.countdown(actor)
        if wants_html(request):
            return responses.see_other("/")
        answer = {**self._encoder.as_dict(posted.message), "window": self._windows.as_json(posted.window)}
        return responses.as_json(answer, 201)

    ROUTES = (Route("POST", "/send_preset/", on_form, Access.ADMINISTRATOR),)


async def _asked(request: web.Request) -> tuple[Preset, int | None, bool]:
    """The fields `command`, `seconds` and `may_move` of a form or a JSON object. Raises DomainError `bad_request`."""
    command: Any
    seconds: Any
    may_move: Any = True
    if request.content_type == "application/json":
        fields = await forms.read_json(request)
        command, seconds, may_move = fields.get("command"), fields.get("seconds"), fields.get("may_move", True)
    else:
        form = form_of(request)
        command, seconds = form.text("command"), form.number("seconds")
    preset = _COMMANDS.get(command) if isinstance(command, str) else None
    if preset is None or (seconds is not None and type(seconds) is not int) or type(may_move) is not bool:
        raise DomainError(ErrorCode.BAD_REQUEST)
    return preset, seconds, may_move
