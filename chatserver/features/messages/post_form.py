"""`POST /post/` and `POST /bots/TOKEN/messages`: a text, or a picture, which is checked against every rule before it is
processed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.post import Admitted, Draft, Post, Posted
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.client_frame import JsonFields
from chatserver.http.forms import Form, read_json
from chatserver.http.route import Route
from chatserver.http.uploads import Uploads
from chatserver.http.viewer import VIEWER, form_of, member_of, wants_json

# For a request that waited for the same upload in another request, which ended without an answer.
RETRY_AFTER_MS = 1000


class PostForm:
    def __init__(self, post: Post, encoder: MessageEncoder, uploads: Uploads) -> None:
        self._post = post
        self._encoder = encoder
        self._uploads = uploads
        # (author's id, client_id) -> the picture's message, while it is being processed.
        self._under_way: dict[tuple[int, str], asyncio.Future[Posted]] = {}

    async def on_form(self, request: web.Request) -> web.Response:
        """Read a form, or a bot's text as JSON.

        Answers 201 with the message, or 200 if this member has already posted a message with the same `client_id`.
        """
        form, author = form_of(request), member_of(request)
        is_bot = request[VIEWER].is_bot
        is_json = is_bot and request.content_type == "application/json"
        draft = await _json_draft(request) if is_json else _draft(form)
        if "image" in form.files:
            album = form.text("album")
            posted = await self._once(author, draft.client_id, lambda: self._picture(request, author, draft, album))
        else:
            posted = await self._post.post(author, draft)
        if not wants_json(request) and not is_bot:
            return responses.see_other("/")
        return responses.encoded_json(self._encoder(posted.message), 201 if posted.is_new else 200)

    async def _once(self, author: User, client_id: str, work: Callable[[], Awaitable[Posted]]) -> Posted:
        """If a picture is sent again while it is processed, wait for its result instead of processing it twice."""
        key = (author.id, client_id)
        if not client_id:
            return await work()
        if key in self._under_way:
            return (await asyncio.shield(self._under_way[key]))._replace(is_new=False)
        result = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            posted = await work()
        except BaseException as error:
            again = DomainError(ErrorCode.BUSY, retry_after_ms=RETRY_AFTER_MS)
            result.set_exception(DomainError(error.code, **error.details) if isinstance(error, DomainError) else again)
            result.exception()  # marks the error as retrieved, because usually no second request waits
            raise
        finally:
            del self._under_way[key]
        result.set_result(posted)
        return posted

    async def _picture(self, request: web.Request, author: User, draft: Draft, album: str) -> Posted:
        admitted = await self._post.admit(author, draft, album)
        if isinstance(admitted, Posted):
            return admitted
        posted = None
        try:
            posted = await self._process(request, admitted)
        finally:
            if posted is None or not posted.is_new:
                self._post.give_back(admitted)
        return posted

    async def _process(self, request: web.Request, admitted: Admitted) -> Posted:
        picture = await self._uploads.take_picture(request)
        assert picture is not None
        async with self._uploads.kept_if_used(picture.image, picture.thumb):
            posted = await self._post.post_admitted(admitted, picture)
        if not posted.is_new:  # a socket posted a text with this `client_id` meanwhile
            await self._uploads.drop(picture)
        return posted

    ROUTES = (
        Route("POST", "/post/", on_form, Access.MEMBER, file="image", bots=True),
        Route("POST", "/bots/{bot_token}/messages", on_form, Access.MEMBER, file="image", bots=True),
    )


def _draft(form: Form) -> Draft:
    return Draft(form.text("text"), form.text("client_id"), form.number("reply_to"))


async def _json_draft(request: web.Request) -> Draft:
    """Read a draft from a JSON object. Each field is optional. Raises DomainError `bad_request` (`field`)."""
    fields = JsonFields(await read_json(request))
    return Draft(fields.text("text"), fields.text("client_id"), fields.optional_id("reply_to"))
