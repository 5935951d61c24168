"""A request has one id: in its response, in each of its log lines, and on the page of a 500."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chatserver.core import logs
from tests.client import JSON, House

ID = re.compile(r"[0-9a-f]{12}")


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that returns the events that were logged so far, as the JSON lines of the operator."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    logs.setup("debug", "json")
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def broken(house: House) -> None:
    house.server.room.post.post = None  # type: ignore[method-assign,assignment]


async def test_every_answer_names_its_request_and_no_two_are_the_same(house: House) -> None:
    guest = await house.guest()
    paths = ("/", "/healthz", "/nowhere/", "/api/recent_messages/", "/static/x/css/base.css", "/profile/")
    ids = [(await guest.get(path)).headers["X-Request-ID"] for path in paths]
    assert all(ID.fullmatch(each) for each in ids) and len(set(ids)) == len(ids)


async def test_a_socket_has_an_id_too(house: House) -> None:
    ws = await (await house.guest()).dial()
    assert ID.fullmatch(ws._response.headers["X-Request-ID"])
    await ws.close()


async def test_an_id_from_outside_names_nothing(house: House) -> None:
    answer = await (await house.guest()).get("/healthz", {**JSON, "X-Request-ID": "forged"})
    assert ID.fullmatch(answer.headers["X-Request-ID"])


async def test_a_500_shows_the_id_that_the_log_has(house: House, logged: Any) -> None:
    member = await house.member("小明")
    broken(house)
    answer = await member.post("/post/", {"text": "x"})
    request_id = answer.headers["X-Request-ID"]
    assert (answer.status, answer.json["error"]["id"]) == (500, request_id)
    [line] = [line for line in logged() if line["level"] == "error"]
    assert line["request"] == request_id and request_id in line["message"] and "Traceback" in line["traceback"]
    page = await member.post("/post/", {"text": "x"}, headers={"Accept": "text/html"})
    assert f"<code>{page.headers['X-Request-ID']}</code>" in page.text


async def test_what_is_logged_on_the_way_carries_the_id_and_nothing_else_does(house: House, logged: Any) -> None:
    guest = await house.guest()
    answers = house.server.room.history._answers
    newest = answers.newest

    async def chatty(count: int) -> Any:
        logging.getLogger("chat.test").info("on the way")
        return await newest(count)

    answers.newest = chatty  # type: ignore[method-assign]
    house.server.room.recent.holds = lambda count: False  # type: ignore[method-assign]
    first = await guest.get("/api/recent_messages/")
    logging.getLogger("chat.test").info("between")
    second = await guest.get("/api/recent_messages/")
    lines = [line for line in logged() if line["logger"] == "chat.test"]
    assert [line.get("request") for line in lines] == [
        first.headers["X-Request-ID"], None, second.headers["X-Request-ID"]
    ]  # fmt: skip


async def test_the_access_log_names_the_path_and_never_a_query_a_cookie_or_a_body(house: House, logged: Any) -> None:
    member = await house.member("小明")
    await member.post("/post/?from=secret-query", {"text": "secret-body"})
    await member.get("/register/?invite=secret-invite")
    lines = [line for line in logged() if line["logger"] == "chatserver.http.request_id"]
    assert "POST /post/ 201" in [line["message"] for line in lines]
    assert all(line["level"] == "debug" and line["address"] == "127.0.0.1" and line["ms"] >= 0 for line in lines)
    everything = json.dumps(logged(), ensure_ascii=False)
    cookies = [cookie.value for cookie in member.session.cookie_jar]
    assert len(cookies) >= 2
    for secret in ("secret-query", "secret-body", "secret-invite", *cookies):
        assert secret not in everything


async def test_above_debug_requests_are_not_logged(house: House, logged: Any) -> None:
    logging.getLogger().setLevel(logging.INFO)
    await (await house.guest()).get("/healthz")
    assert [line for line in logged() if line["logger"] == "chatserver.http.request_id"] == []
