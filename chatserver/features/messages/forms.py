"""Posting, recalling, deleting, presets: the forms and calls that change the room."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Message, User
from chatserver.features.messages.post import Draft, Posted
from chatserver.features.ordering.window import Ordered
from chatserver.http import forms, pictures, responses
from chatserver.http.keys import ENCODER, FORM, ROOM, VIEWER
from chatserver.http.viewer import wants_html, wants_json

_COMMANDS = {
    "开始下单": "start",
    "停止下单": "stop",
    "倒计时图": "countdown",
    "start": "start",
    "stop": "stop",
    "countdown": "countdown",
}


async def post(request: web.Request) -> web.Response:
    """Post a message. One that this member has posted under the same `client_id` is answered, not stored."""
    form, author, posting = request[FORM], _member(request), request.app[ROOM].posting
    draft = Draft(form.text("text"), form.text("client_id"), form.number("reply_to"))
    posted = await (_post_picture(request, author, draft) if "image" in form.files else posting.post(author, draft))
    if not wants_json(request):
        return responses.see_other("/")
    return responses.json(request.app[ENCODER].message(posted.message), 201 if posted.is_new else 200)


async def _post_picture(request: web.Request, author: User, draft: Draft) -> Posted:
    posting = request.app[ROOM].posting
    # Before the picture is worked on: what is stored or would be refused anyway need not cost a second.
    before = await posting.posted_before(author, draft.client_id)
    if before is not None:
        return before
    await request.app[ROOM].moderation.check_speaker(author)
    posting.check_interval(author)
    picture = await pictures.take_picture(request)
    assert picture is not None
    async with pictures.kept_if_used(request, picture.image, picture.thumb):
        posted = await posting.post(author, draft._replace(picture=picture))
    if not posted.is_new:  # the same upload was sent twice at once, and the other came first
        await pictures.drop(request, picture)
    return posted


async def recall(request: web.Request) -> web.Response:
    message = await request.app[ROOM].recalling.recall(_member(request), _message_id(request))
    return _changed(request, message)


async def delete(request: web.Request) -> web.Response:
    message = await request.app[ROOM].recalling.delete(_member(request), _message_id(request))
    return _changed(request, message)


async def preset(request: web.Request) -> web.Response:
    """`{"command": "start" | "stop" | "countdown", "seconds": N}`, or the commands' Chinese names."""
    asked = await _asked(request)
    command = _COMMANDS.get(asked.get("command")) if isinstance(asked.get("command"), str) else None  # type: ignore[arg-type]
    seconds = asked.get("seconds")
    if command is None or (seconds is not None and type(seconds) is not int):
        raise DomainError(ErrorCode.BAD_REQUEST)
    ordering, actor = request.app[ROOM].ordering, _member(request)
    if command == "start":
        done = await ordering.start(actor, seconds)
    elif command == "stop":
        done = await ordering.stop(actor)
    else:
        done = await ordering.countdown(actor)
    return _ordered(request, done)


async def preset_picture(request: web.Request) -> web.Response:
    """Post the preset picture; with a file, that one, from now on."""
    showing, actor = request.app[ROOM].showing, _member(request)
    picture = await pictures.take_picture(request, "presets")
    if picture is not None:
        async with pictures.kept_if_used(request, picture.image, picture.thumb):
            await showing.replace_preset(actor, picture)
    message = await showing.post_preset(actor)
    return _changed(request, message, 201)


async def _asked(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        return await forms.read_json(request)
    form = request[FORM]
    return {"command": form.text("command"), "seconds": form.number("seconds")}


def _member(request: web.Request) -> User:
    user = request[VIEWER].user
    assert user is not None  # these routes are for members
    return user


def _message_id(request: web.Request) -> int:
    return int(request.match_info["id"])


def _changed(request: web.Request, message: Message, status: int = 200) -> web.Response:
    if wants_html(request):
        return responses.see_other("/")
    return responses.json(request.app[ENCODER].message(message), status)


def _ordered(request: web.Request, done: Ordered) -> web.Response:
    if wants_html(request):
        return responses.see_other("/")
    wire = request.app[ENCODER]
    return responses.json({**wire.message(done.message), "window": wire.window(done.window)}, 201)
