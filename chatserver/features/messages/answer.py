"""The answer of a request that changed a message."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.model import Message
from chatserver.features.messages.encode import MessageEncoder
from chatserver.http import responses
from chatserver.http.viewer import wants_html


def change_answer(request: web.Request, encoder: MessageEncoder, message: Message, status: int = 200) -> web.Response:
    """303 to the room for a browser's form, else the message as JSON."""
    if wants_html(request):
        return responses.see_other("/")
    return responses.encoded_json(encoder(message), status)
