"""The log at its most detailed level contains no password, cookie, token, code or text of a user."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
from aiohttp import web

from chatserver.core import logs
from chatserver.http.aiohttp_compat import expect_header
from tests.bots import made, running
from tests.client import HTML, PASSWORD, PATIENCE, opened, picture
from tests.security.cast import assembled

pytestmark = pytest.mark.usefixtures("logging_as_before")

TEXT, SEARCH, OTHER = "meet me at the old mill", "needle in the haystack", "a new long secret"


async def test_nothing_that_was_typed_or_given_out_is_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.setup("debug", "json")
    async with opened(tmp_path) as house:
        setup_token, room = house.server.setup_token, house.server.room
        cast = await assembled(house)
        admin, member = cast.browsers["administrator"], cast.browsers["member"]
        invite = (await room.invites.create(5, 1)).code
        bot_token = (await made(admin, "小助手"))["token"]
        wrong_token = "a guessed token"
        for given in (bot_token, wrong_token):
            for method in ("GET", "POST"):
                await member.request(method, f"/bots/{given}/messages", json={"text": TEXT})
            for path in (f"/bots/{given}", f"//bots/{given}/messages", f"/bots//{given}/messages"):
                assert (await member.request("POST", path, json={"text": TEXT})).status == 404
        async with running(house, bot_token) as bot:
            await (await bot.socket()).say(TEXT, "c-1")
        socket = await member.socket()
        await socket.say(TEXT, "c-1")
        await member.say(TEXT + " by a form")
        await member.show(picture(), text=TEXT)
        await member.get(f"/api/messages/?q={SEARCH}")
        await member.page(f"/register/?invite={invite}")
        await (await house.guest()).log_in("小明", "a wrong password")
        await member.post("/profile/", {"old_password": PASSWORD, "new_password": OTHER})
        link = (await room.password_links.create(cast.ids["victim"])).token
        await member.page(f"/password/{link}/")
        await admin.post(f"/members/{cast.ids['victim']}/", {"act": "ban"})
        await admin.page(f"/setup/?token={setup_token}")
        await socket.ws.send_str('{"type": "post", "text": "' + TEXT)  # incomplete JSON

        async def fail(*_: object) -> None:
            raise RuntimeError("a fault of ours")

        room.post.post = fail  # type: ignore[method-assign,assignment]
        for headers in (HTML, {"Accept": "application/json"}):
            answer = await member.post(f"/post/?q={SEARCH}", {"text": TEXT}, headers=headers)
            assert answer.status == 500
        await house.server.room.database.between_batches(lambda raw: raw.execute("DROP TABLE reactions"))
        await member.post(f"/recall_message/{cast.messages['member']['id']}/")
        cookies = [cookie.value for browser in cast.browsers.values() for cookie in browser.session.cookie_jar]
        tokens = [await browser.token() for browser in cast.browsers.values()]
    secrets = {
        PASSWORD,
        OTHER,
        "a wrong password",
        TEXT,
        SEARCH,
        invite,
        link,
        setup_token,
        bot_token,
        wrong_token,
        *cookies,
        *tokens,
    }
    assert len(secrets) > 15 and all(secrets)
    told = capfd.readouterr().err
    assert "RuntimeError" in told and "no such table" in told and ": ban " in told, "it does say something"
    told += json.dumps([json.loads(line) for line in told.splitlines()], ensure_ascii=False)
    assert [secret for secret in secrets if secret in told] == []


async def test_a_fault_is_found_again_by_its_number(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The answer has only an id. The log has the same id, and not the query."""
    logs.setup("info", "json")
    async with opened(tmp_path) as house:
        house.server.room.post.post = None  # type: ignore[method-assign,assignment]
        answer = await (await house.member("小明")).post(f"/post/?q={quote(SEARCH)}", {"text": TEXT})
        assert answer.status == 500 and set(answer.json["error"]) == {"code", "message", "id"}
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    [fault] = [event for event in events if event["level"] == "error"]
    assert answer.json["error"]["id"] in fault["message"]
    assert "needle" not in str(events)


@pytest.mark.parametrize("pieces", [1, 2], ids=["at once", "late"])
async def test_a_body_that_is_not_what_its_encoding_says_is_a_line_and_no_fault(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], pieces: int
) -> None:
    """aiohttp decompresses it after the answer, when no code of the room can refuse it any more."""
    logs.setup("info", "json")
    async with opened(tmp_path) as house:
        here = urlsplit(house.address)
        for path, status in (("/", b"200"), ("/nowhere", b"404"), ("/login/", b"415")):
            reader, writer = await asyncio.open_connection(here.hostname, here.port)
            head = f"GET {path} HTTP/1.1" if status == b"200" else f"POST {path} HTTP/1.1"
            lines = [head, f"Host: {here.netloc}", "Content-Encoding: gzip", f"Content-Length: {len(TEXT)}", "", ""]
            sent = "\r\n".join(lines).encode() + TEXT.encode()
            at = len(sent) if pieces == 1 else len(sent) - len(TEXT)
            writer.write(sent[:at])
            async with asyncio.timeout(PATIENCE):
                answer = await reader.readuntil(b"\r\n\r\n") if pieces == 2 else b""
                writer.write(sent[at:])
                answer += await reader.read(-1)
            assert answer.startswith(b"HTTP/1.1 " + status), answer
            writer.close()
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert sum("does not match its Content-Encoding" in event["message"] for event in events) == 3
    assert not [event for event in events if "traceback" in event or event["level"] == "error" or TEXT in str(event)]


async def test_who_hangs_up_before_100_continue_is_no_fault(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.setup("info", "json")
    answer = expect_header._aiohttp_handler

    async def answer_to_nobody(request: web.Request) -> None:
        assert request.transport is not None
        request.transport.close()
        await answer(request)

    monkeypatch.setattr(expect_header, "_aiohttp_handler", answer_to_nobody)
    async with opened(tmp_path) as house:
        with pytest.raises(aiohttp.ClientError):
            await (await house.guest()).post("/login/", headers={"Expect": "100-continue"})
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert not [event for event in events if "traceback" in event or event["level"] == "error"]
