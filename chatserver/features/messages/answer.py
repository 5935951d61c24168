"""The fields of a request that changes a message, and the response to it."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Message
from chatserver.features.messages.encode import MessageEncoder
from chatserver.http import forms, responses
from chatserver.http.viewer import form_of, wants_html


def change_answer(request: web.Request, encoder: MessageEncoder, message: Message, status: int = 200) -> web.Response:
    """303 to the room for a browser's form, else the message as JSON."""
    if wants_html(request):
        return responses.see_other("/")
    return responses.encoded_json(encoder(message), status)


async def text_of(request: web.Request, name: str) -> str:
    """The field `name` of a form or a JSON object; "" if it is missing. Raises DomainError `bad_request`."""
    if request.content_type != "application/json" or not request.body_exists:
        return form_of(request).text(name)
    text = (await forms.read_json(request)).get(name)
    if not isinstance(text, str | None):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return text or ""
