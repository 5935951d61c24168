"""A page on another site cannot act for a reader, read the reader's data, frame a page, or redirect to another site."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chatserver.http.access import Access
from chatserver.http.headers import CONTENT_SECURITY_POLICY
from chatserver.http.site import SITE
from tests.client import HTML, JSON, PASSWORD, PATIENCE, Answer, House, picture
from tests.declared import ROUTES
from tests.security.cast import Cast

BASE = "https://chat.example.org"
FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "OURS"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "OURS.evil.example"},
    {"Origin": "OURS/"},
]
BINDING = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

# A client that knows this address has the token; a cookie has no effect there.
OF_BOTS = "/bots/{bot_token}/messages"


def routes(method: str) -> list[str]:
    return [route.path for route in ROUTES if route.method == method]


def address_of(cast: Cast, path: str, image: str = "/media/images/none.webp") -> str:
    """A real address for this route."""
    at = {
        "/static/{version}/{name:.+}": cast.house.server.app[SITE].static.url("css/base.css"),
        "/media/{folder}/{name}": image,
        OF_BOTS: "/bots/wrong/messages",
        "/password/{token}/": "/password/guessed/",
        r"/api/recent_messages_apiint/{count:\d+}": "/api/recent_messages_apiint/5",
    }
    number = cast.ids["victim"] if path.startswith("/members/{") else cast.messages["administrator"]["id"]
    return at.get(path) or re.sub(r"\{id:.+?\}(?=/)", str(number), path)


# Acting for a reader


async def test_a_cookie_is_worth_nothing_at_the_address_of_a_bot(cast: Cast) -> None:
    admin, before = cast.browsers["administrator"], await cast.everything()
    for foreign in ({}, *FOREIGN):
        headers = {**JSON, **{name: value.replace("OURS", cast.house.address) for name, value in foreign.items()}}
        answer = await admin.request("POST", address_of(cast, OF_BOTS), data={"text": "x"}, headers=headers)
        assert (answer.status, answer.code) == (401, "login_required"), foreign
    assert await cast.everything() == before


@pytest.mark.parametrize("path", [path for path in routes("POST") if path != OF_BOTS])
async def test_no_other_sites_page_acts_for_a_reader(cast: Cast, path: str) -> None:
    """The strongest case: an administrator's cookies, and also the administrator's token."""
    admin, address = cast.browsers["administrator"], address_of(cast, path)
    token, before = await admin.token(), await cast.everything()
    fields = {"text": "x", "act": "ban", "command": "start", "username": "eve", "password": PASSWORD, "text_max": "77"}
    for foreign in FOREIGN:
        headers = {name: value.replace("OURS", cast.house.address) for name, value in foreign.items()}
        for data in (fields, {**fields, "csrf_token": token}):
            answer = await admin.request("POST", address, data=data, headers={**JSON, **headers})
            assert (answer.status, answer.code) == (403, "csrf"), foreign
    answer = await admin.request("POST", address, data=fields, headers={**JSON, "Origin": cast.house.address})
    assert (answer.status, answer.code) == (403, "csrf"), "our origin is not enough"
    assert await cast.everything() == before
    assert (await admin.get("/profile/")).status == 200, "and the login goes on"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_no_get_changes_anything(cast: Cast, method: str) -> None:
    admin, before = cast.browsers["administrator"], await cast.everything()
    query = "?act=ban&command=start&text=x&text_max=77&reset=text_max&seconds=60&end_session=1&image=x"
    for path in routes("GET"):
        if path != "/ws/chat/":
            for headers in (JSON, HTML, {**HTML, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}):
                answer = await admin.request(method, address_of(cast, path) + query, headers=headers)
                assert answer.status < 500, path
    assert await cast.everything() == before
    assert (await admin.get("/profile/")).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Purpose": "prefetch"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"},  # a link that a member has posted
    ],
)
async def test_only_a_post_logs_out(cast: Cast, headers: dict[str, str]) -> None:
    member = cast.browsers["member"]
    page = await member.get("/logout/", {**HTML, **headers})
    assert page.status == 200
    assert re.search(r'<form[^>]*action="/logout/"', page.text) and "<button" in page.text
    assert (await member.get("/profile/")).status == 200
    assert (await member.request("HEAD", "/logout/", headers={**HTML, **headers})).status == 200
    assert (await member.get("/profile/")).status == 200
    assert (await member.post("/logout/")).status == 200
    assert (await member.get("/profile/")).status == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_do_nothing(cast: Cast, method: str) -> None:
    admin, before = cast.browsers["administrator"], await cast.everything()
    for path in {route.path for route in ROUTES}:
        answer = await admin.request(method, address_of(cast, path), headers=JSON)
        assert answer.status == 405 and answer.headers["Allow"], path
    assert await cast.everything() == before


# Reading a reader's data


async def everything_that_is_answered(cast: Cast) -> dict[str, Answer]:
    """Every route, as an administrator and as a guest, as a page and as JSON; and the errors."""
    found: dict[str, Answer] = {}
    image = (await cast.browsers["administrator"].show(picture()))["image"]
    for role in ("administrator", "guest"):
        browser = cast.browsers[role]
        for path in routes("GET"):
            for headers in (HTML, JSON):
                address = address_of(cast, path, image)
                found[f"{role} {headers['Accept'][:10]} {address}"] = await browser.get(address, headers)
        found[f"{role} a missing file"] = await browser.get("/static/x/missing.js", HTML)
        found[f"{role} a missing picture"] = await browser.get("/media/images/none.webp", HTML)
        found[f"{role} a missing page"] = await browser.get("/nowhere/", HTML)
        found[f"{role} a wrong method"] = await browser.request("PUT", "/", headers=HTML)
        found[f"{role} a forged form"] = await browser.request("POST", "/post/", data={"text": "x"}, headers=HTML)
        found[f"{role} a form"] = await browser.post("/login/", {"username": "x", "password": "y"}, headers=HTML)
        found[f"{role} part of a picture"] = await browser.get(image, {"Range": "bytes=0-3"})
    recalled = await cast.browsers["administrator"].show(picture())
    await cast.browsers["administrator"].recall(recalled["id"])
    found["a recalled picture"] = await cast.browsers["guest"].get(recalled["image"], HTML)
    cast.house.server.room.post.post = None  # type: ignore[assignment,method-assign]
    found["a fault"] = await cast.browsers["administrator"].post("/post/", {"text": "x"}, headers=HTML)
    assert {answer.status for answer in found.values()} >= {200, 206, 301, 303, 401, 403, 404, 405, 410, 500}
    return found


async def test_every_answer_binds_the_browser(cast: Cast) -> None:
    for what, answer in (await everything_that_is_answered(cast)).items():
        for name, value in BINDING.items():
            assert answer.headers.get(name) == value, (what, name)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy, what
        if "/media/" in what and answer.status in (200, 206):
            assert "sandbox" in policy.split("; "), what
        assert "Strict-Transport-Security" not in answer.headers, what
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")], what
        assert "aiohttp" not in answer.headers.get("Server", "") and "Python" not in answer.headers.get("Server", "")


def test_the_policy_allows_nothing_inline_and_no_string_to_become_markup() -> None:
    policy = dict(part.strip().partition(" ")[::2] for part in CONTENT_SECURITY_POLICY.split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert not re.search(r"unsafe|https?:|\*", CONTENT_SECURITY_POLICY)


async def test_no_page_of_ours_needs_anything_inline(cast: Cast) -> None:
    for path in ("/", "/?ui=mobile", "/login/", "/register/", "/profile/", "/settings/", "/members/", "/status/",
                 "/upload_global_background", "/logout/", "/nowhere/"):  # fmt: skip
        for role in ("administrator", "guest"):
            text = (await cast.browsers[role].page(path)).text
            scripts = re.findall(r"<script\b[^>]*>", text)
            assert all("src=" in script or 'type="application/json"' in script for script in scripts), path
            assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text), path


@pytest.mark.settings(base_url=BASE)
async def test_over_https_the_browser_is_told_to_stay_there(house: House) -> None:
    guest, here = await house.guest(), {"Host": "chat.example.org"}
    for path in (
        "/",
        "/login/",
        "/nowhere/",
        "/healthz",
        "/sw.js",
        "/favicon.ico",
        "/profile/",
        "/media/images/x.webp",
    ):
        answer = await guest.get(path, {**HTML, **here})
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000", path
    assert (await guest.get("/", HTML)).headers["Strict-Transport-Security"], "also for a wrong host"


@pytest.mark.parametrize("raw", [
    b"GET / HTTP/1.1\r\nHost: x\r\nCookie: session=SECRET\0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nCookie : session=SECRET\r\n\r\n",
    b"GET /<script>SECRET HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nCookie: session=SECRET" + b"a" * 9000 + b"\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: x\r\nX: SECRET\r\n\r\n",
], ids=["NUL", "space", "version", "long", "star"])  # fmt: skip
async def test_what_is_no_http_is_answered_in_our_words_and_logged_in_none_of_its_own(
    cast: Cast, caplog: pytest.LogCaptureFixture, raw: bytes
) -> None:
    """aiohttp's own answer repeats the line, lacks the security headers, and its log contains the cookie."""
    here = urlsplit(cast.house.address)
    reader, writer = await asyncio.open_connection(here.hostname, here.port)
    writer.write(raw)
    async with asyncio.timeout(PATIENCE):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.0 400") and b"bad_request" in body
    assert b"nosniff" in head and b"default-src 'none'" in head
    assert b"SECRET" not in head + body and "SECRET" not in caplog.text


# A wrong host


@pytest.mark.settings(base_url=BASE)
@pytest.mark.parametrize("path", [*routes("GET"), "/nowhere/"])
async def test_only_probes_answer_under_another_host(house: House, path: str) -> None:
    address = address_of(Cast(house, ids={"victim": 1}, messages={"administrator": {"id": 1}}), path)
    answer = await (await house.guest()).get(address, {**JSON, "Host": "evil.example"})
    probes = {route.path for route in ROUTES if route.access is Access.OPEN}
    assert probes == {"/healthz", "/readyz", "/metrics"}
    assert (answer.status == 421) == (path not in probes)


# Redirects to another site


@pytest.mark.parametrize("path", ["/profile/", "/profile/?done=avatar&x=1", "/settings/?a=%26next%3Dx&b=",
                                  "/members/?q=%E5%B0%8F%20%23"])  # fmt: skip
async def test_who_must_log_in_first_comes_back_to_the_very_same_address(cast: Cast, path: str) -> None:
    asked = await cast.browsers["guest"].page(path)
    assert asked.status == 303
    there = urlsplit(asked.headers["Location"])
    assert (there.path, parse_qs(there.query, strict_parsing=True)) == ("/login/", {"next": [path]})
    answer = await cast.browsers["guest"].post(
        "/login/", {"username": "店长", "password": PASSWORD, "next": path}, headers=HTML
    )
    assert (answer.status, answer.headers["Location"]) == (303, path)


ELSEWHERE: list[Any] = [
    "https://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example", "/\t/evil.example",
    "/\n/evil.example", " //evil.example", "javascript:alert(1)", "evil.example", "/\x00/evil.example",
    "///evil.example", "/\u2028/evil.example", "data:text/html,x", "?x", "#x", "./x", "/" + "a" * 600,
]  # fmt: skip


@pytest.mark.parametrize("there", ELSEWHERE, ids=repr)
async def test_nobody_is_sent_to_another_site(cast: Cast, there: str) -> None:
    fields = {"username": "小明", "password": PASSWORD, "next": there}
    answer = await cast.browsers["guest"].post("/login/", fields, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    logged_in = await cast.browsers["guest"].request("GET", "/login/", params={"next": there}, headers=HTML)
    assert (logged_in.status, logged_in.headers["Location"]) == (303, "/")


async def test_a_redirect_cannot_be_given_a_header(cast: Cast) -> None:
    answer = await cast.browsers["guest"].page("/profile/?x=%0d%0aSet-Cookie:%20session=evil")
    assert not [name for name in answer.cookies if "session" in name]
    assert "\r" not in answer.headers["Location"]
