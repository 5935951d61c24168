"""The room's page for every kind of reader, and the answer to an unknown address."""

from __future__ import annotations

import re

import pytest

from tests.client import HTML, JSON, Browser, House

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"
WECHAT = ANDROID + " MicroMessenger/8.0.50"
TABLET = "Mozilla/5.0 (Linux; Android 15; SM-X910) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"


def layout(page: str) -> str:
    """The kind of page, told by its style sheet."""
    found = re.findall(r"/css/(chatroom\w*)\.css", page)
    assert len(found) == 1, found
    return {"chatroom": "desktop", "chatroom_mobile": "mobile"}[found[0]]


async def language(browser: Browser, path: str, **headers: str) -> str:
    found = re.search(r'<html lang="(\w+)"', (await browser.page(path, **headers)).text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (IPHONE, "mobile"),
        (ANDROID, "mobile"),
        (WECHAT, "mobile"),
        (DESKTOP, "desktop"),
        (TABLET, "desktop"),
        ("curl", "desktop"),
    ],
)
async def test_phones_get_the_mobile_page(house: House, agent: str, expected: str) -> None:
    guest = await house.guest(User_Agent=agent)
    assert layout((await guest.page("/")).text) == expected


async def test_a_chosen_layout_is_remembered(house: House) -> None:
    phone = await house.guest(User_Agent=IPHONE)
    assert layout((await phone.page("/?ui=desktop")).text) == "desktop"
    assert layout((await phone.page("/")).text) == "desktop"
    assert layout((await phone.page("/?ui=mobile")).text) == "mobile"
    assert layout((await phone.page("/")).text) == "mobile"


async def test_a_layout_that_is_none_is_neither_shown_nor_remembered(house: House) -> None:
    phone = await house.guest(User_Agent=IPHONE)
    answer = await phone.page("/?ui=watch")
    assert layout(answer.text) == "mobile"
    assert "ui" not in answer.cookies


@pytest.mark.parametrize(
    ("accepts", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB", "en"),
        ("fr", "zh"),
        ("fr,en;q=0.5,zh;q=0.4", "en"),
        ("", "zh"),
        ("*", "zh"),
    ],
)
async def test_the_browser_chooses_the_language(house: House, accepts: str, expected: str) -> None:
    guest = await house.guest()
    assert await language(guest, "/", Accept_Language=accepts) == expected


async def test_a_chosen_language_is_remembered(house: House) -> None:
    guest = await house.guest()
    assert await language(guest, "/?lang=en", Accept_Language="zh") == "en"
    assert await language(guest, "/login/", Accept_Language="zh") == "en"
    assert await language(guest, "/login/?lang=zh", Accept_Language="en") == "zh"
    assert await language(guest, "/", Accept_Language="en") == "zh"
    assert await language(guest, "/?lang=xx", Accept_Language="en") == "zh"


@pytest.mark.settings(language="en", room_name="The <Kitchen>")
async def test_the_operator_chooses_the_language_of_those_who_ask_for_neither(house: House) -> None:
    guest = await house.guest()
    assert await language(guest, "/", Accept_Language="fr") == "en"
    assert "The &lt;Kitchen&gt;" in (await guest.page("/")).text
    assert "<Kitchen>" not in (await guest.page("/")).text


@pytest.mark.parametrize("ui", ["desktop", "mobile"])
async def test_both_pages_hold_what_tests_and_readers_aloud_rely_on(house: House, ui: str) -> None:
    admin = await house.administrator()
    page = (await admin.page(f"/?ui={ui}")).text
    assert re.search(r'<html lang="zh" data-theme="\w+"', page)
    assert re.search(r'id="messages"[^>]*role="log"|role="log"[^>]*id="messages"', page)
    composer = re.search(r'<form[^>]*id="composer".*?</form>', page, re.S)
    assert composer
    assert re.search(r'<textarea[^>]*name="text"', composer[0])
    assert re.search(r'<input[^>]*type="file"[^>]*name="image"|<input[^>]*name="image"[^>]*type="file"', composer[0])
    assert re.search(r'<button[^>]*type="submit"', composer[0])
    assert re.search(r'id="connection"[^>]*data-state="connecting"', page)
    assert 'id="countdown"' in page
    for command in ("start", "stop", "countdown"):
        assert f'data-preset="{command}"' in page


async def test_only_administrators_are_shown_the_presets(house: House) -> None:
    for browser in (await house.guest(), await house.member("小明")):
        for ui in ("desktop", "mobile"):
            assert "data-preset=" not in (await browser.page(f"/?ui={ui}")).text


async def test_guests_are_shown_the_way_in_and_no_composer(house: House) -> None:
    page = (await (await house.guest()).page("/")).text
    assert 'id="composer"' not in page
    assert 'href="/login/' in page


async def test_what_a_member_wrote_cannot_become_markup(house: House) -> None:
    member = await house.member("小明")
    await member.say("</script><script>alert(1)</script><!--")
    page = (await member.page("/")).text
    assert "<script>alert(1)" not in page and "</script><script>" not in page
    assert "alert(1)" in page


async def test_one_readers_page_is_nobody_elses(house: House) -> None:
    xiaoming, xiaohong, guest = await house.member("小明"), await house.member("小红"), await house.guest()
    pages = [(await browser.page("/")).text for browser in (xiaoming, xiaohong, guest)]
    tokens = {re.search(r'name="csrf-token" content="([^"]+)"', page)[1] for page in pages}  # type: ignore[index]
    assert len(tokens) == 3
    assert '"name":"小明"' in pages[0] and '"name":"小明"' not in pages[1] + pages[2]


async def test_pages_are_not_kept_by_caches(house: House) -> None:
    guest = await house.guest()
    for path in ("/", "/login/", "/api/recent_messages/"):
        assert "no-store" in (await guest.page(path)).headers["Cache-Control"], path


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere/",
        "/recall_message/0/",
        "/delete_message/abc/",
        "/recall_message/-1/",
        "/api/recent_messages_apiint/-1",
        "/api/recent_messages_apiint/many",
        "/media/",
        "/media/secret/x.webp",
        "/media/images/../chat.db",
        "/static/x/nothing.js",
        "/%00",
        "/static/x/..%2f..%2frun.py",
        "/recall_message/99999999999999999999/",
    ],
)
async def test_an_address_that_is_none_is_not_found(house: House, path: str) -> None:
    admin = await house.administrator()
    answer = await admin.get(path)
    assert (answer.status, answer.code) == (404, "not_found")
    page = await admin.page(path)
    assert page.status == 404 and page.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/post/", "POST"),
        ("PUT", "/login/", "GET,HEAD,POST"),
        ("DELETE", "/", "GET,HEAD"),
        ("GET", "/send_preset/", "POST"),
        ("POST", "/api/recent_messages/", "GET,HEAD"),
        ("GET", "/recall_message/1/", "POST"),
        ("PATCH", "/healthz", "GET,HEAD"),
    ],
)
async def test_a_method_that_an_address_does_not_take_is_told_which_it_takes(
    house: House, method: str, path: str, allow: str
) -> None:
    answer = await (await house.member("小明")).request(method, path, headers=JSON)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allow


async def test_a_head_is_a_get_without_its_body(house: House) -> None:
    guest = await house.guest()
    for path in ("/", "/login/", "/api/recent_messages/", "/healthz", "/readyz"):
        answer = await guest.request("HEAD", path, headers=HTML)
        assert (answer.status, answer.body) == (200, b""), path


async def test_the_probes_say_ok(house: House) -> None:
    guest = await house.guest()
    for path in ("/healthz", "/readyz"):
        answer = await guest.get(path, {})
        assert (answer.status, answer.json) == (200, {"status": "ok"})


async def test_static_files_are_kept_for_ever_under_the_name_of_their_content(house: House) -> None:
    guest = await house.guest()
    found = re.search(r"/static/[0-9a-f]+/css/[\w/]+\.css", (await guest.page("/")).text)
    assert found
    answer = await guest.get(found[0])
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("text/css")
    old = await guest.get(re.sub(r"/static/\w+/", "/static/0ld/", found[0]))
    assert (old.status, old.body) == (200, answer.body)
    assert "immutable" not in old.headers["Cache-Control"]


async def test_every_file_that_the_room_names_is_there(house: House) -> None:
    admin = await house.administrator()
    for path in ("/?ui=desktop", "/?ui=mobile", "/profile/", "/upload_global_background"):
        names = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', (await admin.page(path)).text))
        assert names
        for name in names:
            assert (await admin.get(name)).status == 200, name
