"""The checks before every handler: the token, the origin, the host, the proxy, and the cookies."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest

from tests.client import HTML, JSON, PASSWORD, Browser, House, multipart, opened, picture

BASE = "https://chat.example.org"


# The CSRF token


@pytest.mark.parametrize("token", [None, "", "guessed", "é"])
async def test_a_form_without_our_token_changes_nothing(house: House, token: str | None) -> None:
    browser = await house.member("小明")
    data = {"text": "forged"} | ({} if token is None else {"csrf_token": token})
    answer = await browser.request("POST", "/post/", data=data, headers=JSON)
    assert (answer.status, answer.code) == (403, "csrf")
    assert await browser.messages() == []


async def test_the_token_may_come_in_a_header(house: House) -> None:
    browser = await house.member("小明")
    headers = {**JSON, "X-CSRFToken": await browser.token()}
    assert (await browser.request("POST", "/post/", data={"text": "hello"}, headers=headers)).status == 201


async def test_a_wrong_header_is_not_saved_by_a_right_field(house: House) -> None:
    browser = await house.member("小明")
    data = {"text": "hello", "csrf_token": await browser.token()}
    answer = await browser.request("POST", "/post/", data=data, headers={**JSON, "X-CSRFToken": "guessed"})
    assert answer.code == "csrf"


async def test_somebody_elses_token_is_not_mine(house: House) -> None:
    xiaoming, mallory = await house.member("小明"), await house.member("mallory")
    data = {"text": "hello", "csrf_token": await mallory.token()}
    assert (await xiaoming.request("POST", "/post/", data=data, headers=JSON)).code == "csrf"


async def test_every_page_of_one_browser_shows_a_token_that_works(house: House) -> None:
    browser = await house.member("小明")
    for path in ("/", "/?ui=mobile", "/profile/", "/logout/", "/nowhere/"):
        found = re.search(r'<meta name="csrf-token" content="([^"]+)"', (await browser.page(path)).text)
        assert found, path
        data = {"text": path, "csrf_token": found[1]}
        assert (await browser.request("POST", "/post/", data=data, headers=JSON)).status == 201, path


async def test_a_multipart_form_may_hold_the_token_as_its_first_part(house: House) -> None:
    browser = await house.member("小明")
    form = multipart({"csrf_token": await browser.token(), "text": "hello"}, {"image": picture()})
    assert (await browser.request("POST", "/post/", data=form, headers=JSON)).status == 201


async def test_a_token_in_a_later_part_comes_too_late(house: House) -> None:
    browser = await house.member("小明")
    form = multipart({"text": "hello", "csrf_token": await browser.token()}, {"image": picture()})
    assert (await browser.request("POST", "/post/", data=form, headers=JSON)).code == "csrf"
    assert await browser.messages() == []


async def test_a_token_in_a_later_part_is_not_needed_beside_the_header(house: House) -> None:
    browser = await house.member("小明")
    form = multipart({"text": "hello"}, {"image": picture()})
    headers = {**JSON, "X-CSRFToken": await browser.token()}
    assert (await browser.request("POST", "/post/", data=form, headers=headers)).status == 201


async def test_an_empty_multipart_form_has_no_token(house: House) -> None:
    browser = await house.member("小明")
    headers = {**JSON, "Content-Type": "multipart/form-data; boundary=x"}
    answer = await browser.request("POST", "/post/", data=b"--x--\r\n", headers=headers)
    assert (answer.status, answer.code) == (403, "csrf")


@pytest.mark.parametrize(
    "path",
    ["/register/", "/login/", "/logout/", "/profile/", "/post/", "/send_preset/", "/send_preset_image/", "/setup/",
     "/upload_global_background", "/delete_message/1/", "/recall_message/1/"],
)  # fmt: skip
async def test_every_address_that_changes_something_asks_for_the_token(house: House, path: str) -> None:
    browser = await house.administrator()
    await browser.say("first")
    for options in ({"data": {}}, {"json": {"command": "start"}}, {"data": multipart({"text": "x"}, {})}):
        answer = await browser.request("POST", path, headers=JSON, **options)  # type: ignore[arg-type]
        assert (answer.status, answer.code) == (403, "csrf"), options
    assert [message["state"] for message in await browser.messages()] == ["live"]


async def test_a_forged_form_is_told_so_on_a_page(house: House) -> None:
    browser = await house.member("小明")
    answer = await browser.request("POST", "/post/", data={"text": "forged"}, headers=HTML)
    assert answer.status == 403
    assert answer.headers["Content-Type"].startswith("text/html")


# The origin


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_sites_page_changes_nothing_even_with_the_token(house: House, headers: dict[str, str]) -> None:
    browser = await house.member("小明")
    answer = await browser.post("/post/", {"text": "forged"}, headers={**JSON, **headers})
    assert (answer.status, answer.code) == (403, "csrf")
    assert await browser.messages() == []


async def test_our_own_page_and_a_program_may_post(house: House) -> None:
    browser = await house.member("小明")
    for headers in ({"Origin": house.address, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}):
        assert (await browser.post("/post/", {"text": "hello"}, headers={**JSON, **headers})).status == 201


async def test_another_port_is_another_origin(house: House) -> None:
    browser = await house.member("小明")
    headers = {**JSON, "Origin": "http://127.0.0.1:1"}
    assert (await browser.post("/post/", {"text": "forged"}, headers=headers)).code == "csrf"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1"])
async def test_another_sites_page_gets_no_socket(house: House, origin: str) -> None:
    browser = await house.member("小明")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.dial(origin=origin)
    assert refused.value.status == 403


async def test_a_socket_must_name_its_origin(house: House) -> None:
    guest = await house.guest()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await guest.session.ws_connect(house.address + "/ws/chat/")
    assert refused.value.status == 403


# The host, the base URL, cookies


def front(**more: str) -> dict[str, str]:
    return {"Host": "chat.example.org", **more}


@pytest.mark.settings(base_url=BASE)
async def test_with_a_base_url_other_hosts_are_misdirected(house: House) -> None:
    guest = await house.guest()
    for headers in (JSON, {**JSON, "Host": "evil.example"}, {**JSON, "Host": "chat.example.org:8443"}):
        answer = await guest.get("/api/recent_messages/", headers)
        assert (answer.status, answer.json["error"]["code"]) == (421, "wrong_host")
    assert (await guest.page("/")).status == 421
    for host in ("chat.example.org", "chat.example.org:443", "CHAT.example.ORG"):
        assert (await guest.get("/api/recent_messages/", {**JSON, "Host": host})).status == 200


async def test_without_a_base_url_every_host_is_ours(house: House) -> None:
    guest = await house.guest()
    assert (await guest.get("/api/recent_messages/", {**JSON, "Host": "192.168.1.5:8000"})).status == 200


@pytest.mark.settings(base_url=BASE)
async def test_probes_need_not_know_the_host(house: House) -> None:
    guest = await house.guest()
    assert (await guest.get("/healthz")).status == (await guest.get("/readyz")).status == 200


async def secure_login(guest: Browser, origin: str) -> aiohttp.ClientResponse:
    """Register without the client's cookie jar, as a browser on https would: the jar keeps no `Secure` cookies."""
    page = await guest.page("/login/", **front())
    visitor = page.cookies["__Host-visitor"].partition(";")[0]
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    assert token
    headers = front(Cookie=visitor, Origin=origin, **JSON)
    data = {"username": "小明", "password": PASSWORD, "csrf_token": token[1]}
    return await guest.session.post(guest.address + "/register/", data=data, headers=headers)


@pytest.mark.settings(base_url=BASE)
async def test_over_https_cookies_are_secure_and_bound_to_the_host(house: House) -> None:
    guest = await house.guest()
    async with await secure_login(guest, BASE) as response:
        assert response.status == 201
        [session] = [line for line in response.headers.getall("Set-Cookie") if line.startswith("__Host-session-")]
    for line in (session, (await guest.page("/login/", **front())).cookies["__Host-visitor"]):
        attributes = {word.strip().lower() for word in line.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes
        assert not any(word.startswith("domain") for word in attributes)
    async with guest.session.get(
        house.address + "/profile/", headers=front(Cookie=session.partition(";")[0])
    ) as response:
        assert response.status == 200
    chosen = await guest.page("/login/?lang=en&ui=mobile", **front())
    assert "secure" in chosen.cookies["lang"].lower() and "secure" in chosen.cookies["ui"].lower()


@pytest.mark.settings(base_url=BASE)
async def test_over_https_the_socket_and_forms_come_from_the_base_url(house: House) -> None:
    guest = await house.guest()
    async with await secure_login(guest, "http://chat.example.org") as response:
        assert response.status == 403
    ws = await guest.session.ws_connect(house.address + "/ws/chat/", origin=BASE, headers=front())
    assert (await ws.receive_json())["type"] == "hello"
    await ws.close()
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await guest.session.ws_connect(house.address + "/ws/chat/", origin=house.address, headers=front())


async def test_over_http_cookies_are_plain_but_closed_to_scripts(house: House) -> None:
    guest = await house.guest()
    visitor = (await guest.page("/login/")).cookies["visitor"]
    session = (await guest.register("小明")).session_cookie
    for line in (visitor, session):
        attributes = {word.strip().lower() for word in line.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=lax"} <= attributes
        assert "secure" not in attributes


async def test_a_program_without_cookies_gets_none(house: House) -> None:
    answer = await (await house.guest()).get("/api/recent_messages/")
    assert answer.cookies == {}


# Trusted proxies


async def addresses(browser: Browser) -> str:
    return (await browser.page("/profile/")).text


@pytest.mark.settings(trusted_proxies="127.0.0.1")
@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [("203.0.113.7", "203.0.113.7"), ("6.6.6.6, 203.0.113.7", "203.0.113.7"), ("203.0.113.7, 127.0.0.1", "203.0.113.7"),
     ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("203.0.113.7:51234", "203.0.113.7"),
     ("[2001:db8:1:2:3::4]:443", "2001:db8:1:2::/64"), ('"[2001:db8:1:2:3::4]"', "2001:db8:1:2::/64")],
)  # fmt: skip
async def test_a_trusted_proxy_is_believed_about_the_address(house: House, forwarded: str, seen: str) -> None:
    browser = await house.member("小明", X_Forwarded_For=forwarded)
    profile = await addresses(browser)
    assert seen in profile
    assert "6.6.6.6" not in profile


@pytest.mark.parametrize("forwarded", ["nonsense", "unknown", "_hidden", "203.0.113.7, unknown", "127.0.0.1:x:y"])
async def test_a_hop_that_is_no_address_is_nobody_on_this_host(
    tmp_path: Path, forwarded: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, trusted_proxies="127.0.0.1") as house:
        browser = await house.member("小明", X_Forwarded_For=forwarded)
        assert "127.0.0.1" not in await addresses(browser)
        for _ in range(2):
            assert (await browser.get("/metrics")).status in (403, 404)
    assert caplog.text.count("which is no address") == 1


@pytest.mark.settings(trusted_proxies="10.0.0.0/8")
async def test_nobody_else_is_believed(house: House) -> None:
    browser = await house.member("小明", X_Forwarded_For="203.0.113.7", X_Forwarded_Proto="https")
    assert "203.0.113.7" not in await addresses(browser)
    headers = {**JSON, "Origin": house.address.replace("http:", "https:")}
    assert (await browser.post("/post/", {"text": "forged"}, headers=headers)).code == "csrf"


@pytest.mark.settings(trusted_proxies="127.0.0.1")
async def test_a_trusted_proxy_is_believed_about_https(house: House) -> None:
    browser = await house.member("小明", X_Forwarded_Proto="https")
    headers = {**JSON, "Origin": house.address.replace("http:", "https:")}
    assert (await browser.post("/post/", {"text": "hello"}, headers=headers)).status == 201
    assert (await browser.post("/post/", {"text": "hello"}, headers={**JSON, "Origin": house.address})).code == "csrf"


@pytest.mark.settings(trusted_proxies="127.0.0.1")
@pytest.mark.parametrize(("forwarded", "scheme"), [("wss", "https"), ("ws", "http"), ("WSS", "https")])
async def test_a_proxy_that_names_a_handshake_by_its_own_scheme_is_understood(
    house: House, forwarded: str, scheme: str
) -> None:
    guest = await house.guest(X_Forwarded_Proto=forwarded)
    await (await guest.dial(house.address.replace("http:", f"{scheme}:"))).close()
    other = {"http": "https", "https": "http"}[scheme]
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await guest.dial(house.address.replace("http:", f"{other}:"))


@pytest.mark.settings(trusted_proxies="127.0.0.1", registrations_per_hour=1)
async def test_limits_of_an_address_are_of_the_forwarded_one(house: House) -> None:
    await house.member("one", X_Forwarded_For="203.0.113.1")
    await house.member("two", X_Forwarded_For="203.0.113.2")
    assert (await (await house.guest(X_Forwarded_For="203.0.113.1")).register("three")).code == "too_fast"


# Which requests are local


LOCAL = {"Host": "localhost"}


async def test_a_program_on_this_host_reads_the_metrics_of_a_server_without_a_proxy(house: House) -> None:
    guest = await house.guest()
    for headers in ({}, LOCAL, {"Host": "127.0.0.1:8000"}):
        assert (await guest.get("/metrics", headers)).status == 200, headers
    for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Via": "1.1 proxy"}, {"Host": "chat.example.org"}):
        assert (await guest.get("/metrics", headers)).status == 403, headers


async def test_what_comes_with_http_1_0_is_a_proxys(house: House) -> None:
    host, port = house.address.removeprefix("http://").split(":")
    for version, status in (("1.0", b"403"), ("1.1", b"200")):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /metrics HTTP/{version}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        assert (await reader.read()).split(b" ", 2)[1] == status, version
        writer.close()


@pytest.mark.parametrize(
    "settings", [{"base_url": BASE}, {"trusted_proxies": "127.0.0.1"}, {"trusted_proxies": "10.0.0.1"}]
)
@pytest.mark.parametrize("headers", [{}, LOCAL, front(), {**LOCAL, "X-Forwarded-For": "127.0.0.1"}])
async def test_behind_a_proxy_only_the_token_opens_the_metrics(
    tmp_path: Path, settings: dict[str, str], headers: dict[str, str]
) -> None:
    async with opened(tmp_path, metrics_token="a-token-of-twenty-four", **settings) as house:
        guest = await house.guest()
        assert (await guest.get("/metrics", headers)).status == 403
        bearer = {**headers, "Authorization": "Bearer a-token-of-twenty-four"}
        assert (await guest.get("/metrics", bearer)).status == 200


# Guests


async def test_guests_read_but_do_not_write(house: House) -> None:
    await (await house.member("小明")).say("hello")
    guest = await house.guest()
    assert [message["text"] for message in await guest.messages()] == ["hello"]
    assert (await guest.page("/")).status == 200
    for path in ("/post/", "/recall_message/1/", "/delete_message/1/", "/send_preset/", "/upload_global_background"):
        answer = await guest.post(path, {"text": "hello"})
        assert (answer.status, answer.code) == (401, "login_required"), path


@pytest.mark.settings(guests="none")
async def test_where_guests_are_not_let_in_they_see_nothing(house: House) -> None:
    member, guest = await house.member("小明"), await house.guest()
    message = await member.show(picture())
    for path in (
        "/api/recent_messages/",
        "/api/recent_messages_apiint/5",
        "/api/messages/?limit=1",
        message["image"],
        "/",
    ):
        answer = await guest.get(path)
        assert (answer.status, answer.code) == (401, "login_required"), path
        assert (await member.get(path)).status == 200, path
    answer = await guest.page("/")
    assert (answer.status, answer.headers["Location"]) == (303, "/login/")
    assert (await guest.page("/login/")).status == (await guest.page("/register/")).status == 200
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await guest.dial()
    assert refused.value.status == 401
    assert (await member.socket()).hello["user"]["name"] == "小明"


@pytest.mark.parametrize("path", ["/send_preset/", "/send_preset_image/", "/upload_global_background"])
async def test_members_are_no_administrators(house: House, path: str) -> None:
    member = await house.member("小明")
    answer = await member.post(path, {"command": "start"})
    assert (answer.status, answer.code) == (403, "forbidden")
    page = await member.post(path, {"command": "start"}, headers=HTML)
    assert page.status == 403 and page.headers["Content-Type"].startswith("text/html")
    assert await member.messages() == []


async def test_the_announcements_page_is_the_administrators(house: House) -> None:
    assert (await (await house.member("小明")).page("/upload_global_background")).status == 403
    assert (await (await house.administrator()).page("/upload_global_background")).status == 200


async def test_every_answer_carries_the_headers_that_bind_the_browser(house: House) -> None:
    guest = await house.guest()
    for path in ("/", "/login/", "/api/recent_messages/", "/nowhere/", "/healthz"):
        headers = (await guest.page(path)).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path
