"""Registration, login, logout and the profile, as a browser and a program use them."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.client import HTML, JSON, PASSWORD, Browser, House, opened, picture
from tests.support import eventually

OTHER_PASSWORD = "another long one"
HERE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}


async def may_post(browser: Browser) -> bool:
    return (await browser.post("/post/", {"text": "hello"})).status == 201


def session_ids(profile: str) -> set[int]:
    return {int(found) for found in re.findall(r'name="end_session"[^>]*value="(\d+)"', profile)}


# Registering


async def test_registering_makes_a_member_who_is_logged_in(house: House) -> None:
    xiaoming = await house.guest()
    answer = await xiaoming.register("小明")
    assert answer.status == 201
    user = answer.json["user"]
    assert type(user["id"]) is int
    assert (user["name"], user["role"], user["avatar"]) == ("小明", "member", "")
    assert await may_post(xiaoming)


async def test_a_browser_that_registers_is_sent_to_the_room(house: House) -> None:
    browser = await house.guest()
    answer = await browser.post("/register/", {"username": "小明", "password": PASSWORD}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert await may_post(browser)


async def test_an_avatar_at_registration_becomes_a_small_square_webp(house: House) -> None:
    browser = await house.guest()
    fields = {"username": "小明", "password": PASSWORD}
    answer = await browser.post("/register/", fields, {"avatar": picture(500, 300)})
    assert answer.status == 201
    avatar = answer.json["user"]["avatar"]
    assert avatar.startswith("/media/avatars/")
    stored = await browser.get(avatar)
    assert len(stored.body) <= 50 * 1024
    with Image.open(io.BytesIO(stored.body)) as image:
        assert (image.format, image.size) == ("WEBP", (256, 256))


async def test_an_avatar_field_left_empty_is_no_avatar(house: House) -> None:
    answer = await (await house.guest()).post("/register/", {"username": "小明", "password": PASSWORD}, {"avatar": b""})
    assert (answer.status, answer.json["user"]["avatar"]) == (201, "")


async def test_a_refused_avatar_makes_no_member_and_leaves_no_file(house: House) -> None:
    browser = await house.guest()
    fields = {"username": "小明", "password": PASSWORD}
    answer = await browser.post("/register/", fields, {"avatar": b"not a picture at all"})
    assert (answer.status, answer.code) == (415, "image_unsupported")
    assert (await browser.register("小明")).status == 201
    assert [path for path in (house.data_dir / "media").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["小明", " 小明 ", "XIAO ming", "xiao ming"])
async def test_a_name_is_taken_once(house: House, name: str) -> None:
    await house.member("小明")
    await house.member("Xiao Ming")
    answer = await (await house.guest()).register(name)
    assert (answer.status, answer.code) == (409, "name_taken")


async def test_of_many_who_want_one_name_at_once_one_gets_it(house: House) -> None:
    browsers = [await house.guest() for _ in range(5)]
    answers = await asyncio.gather(*(browser.register("小明") for browser in browsers))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize("name", ["", "管理员", "admin", "a" * 21, "two\nlines", "аdmin", "<b>"])
async def test_a_name_that_misleads_is_refused(house: House, name: str) -> None:
    answer = await (await house.guest()).register(name)
    assert (answer.status, answer.code) == (400, "name_invalid")


@pytest.mark.parametrize("password", ["", "short", "password", "12345678", "aaaaaaaa"])
async def test_a_weak_password_is_refused(house: House, password: str) -> None:
    answer = await (await house.guest()).register("小明", password)
    assert (answer.status, answer.code) == (400, "password_weak")


async def test_a_refused_registration_shows_the_form_again_with_the_name_and_without_the_password(house: House) -> None:
    browser = await house.guest()
    answer = await browser.post("/register/", {"username": "小<明", "password": "weak-one"}, headers=HTML)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert 'value="小&lt;明"' in answer.text
    assert "weak-one" not in answer.text


@pytest.mark.parametrize(
    ("policy", "code", "status"), [("closed", "registration_closed", 403), ("invite", "invite_invalid", 400)]
)
async def test_registration_follows_the_policy(tmp_path: Path, policy: str, code: str, status: int) -> None:
    async with opened(tmp_path, registration=policy) as house:
        browser = await house.guest()
        assert (await browser.page("/register/")).status == 200
        answer = await browser.register("小明", invite="guessed")
        assert (answer.status, answer.code) == (status, code)


@pytest.mark.settings(registrations_per_hour=2)
async def test_registrations_of_one_address_are_limited_by_the_hour(house: House) -> None:
    await house.member("one")
    await house.member("two")
    browser = await house.guest()
    answer = await browser.register("three")
    assert (answer.status, answer.code) == (429, "too_fast")
    assert int(answer.headers["Retry-After"]) == 3600
    assert answer.json["error"]["retry_after_ms"] == 3_600_000
    house.clock.forward(3601)
    assert (await browser.register("three")).status == 201


async def test_members_are_not_shown_the_doors(house: House) -> None:
    browser = await house.member("小明")
    for path in ("/register/", "/login/"):
        answer = await browser.page(path)
        assert (answer.status, answer.headers["Location"]) == (303, "/")


# Logging in


async def test_logging_in_answers_with_the_member(house: House) -> None:
    await house.member("小明")
    browser = await house.guest()
    answer = await browser.log_in("小明")
    assert answer.status == 200
    assert set(answer.json["user"]) >= {"id", "name", "role", "avatar"}
    assert answer.json["user"]["name"] == "小明"


async def test_an_administrator_is_told_so(house: House) -> None:
    await house.server.room.administrators.make_administrator("店长", PASSWORD)
    assert (await (await house.guest()).log_in("店长")).json["user"]["role"] == "administrator"


@pytest.mark.parametrize(
    ("there", "goes_to"),
    [
        ("/profile/", "/profile/"),
        ("/?ui=mobile", "/?ui=mobile"),
        ("", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/\r\nX-Evil: 1", "/"),
        ("profile", "/"),
    ],
)
async def test_after_logging_in_one_goes_on_within_our_own_pages(house: House, there: str, goes_to: str) -> None:
    await house.member("小明")
    browser = await house.guest()
    fields = {"username": "小明", "password": PASSWORD, "next": there}
    answer = await browser.post("/login/", fields, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, goes_to)
    assert "X-Evil" not in answer.headers


async def test_next_may_stand_in_the_address(house: House) -> None:
    await house.member("小明")
    browser = await house.guest()
    assert 'value="/profile/"' in (await browser.page("/login/?next=/profile/")).text
    fields = {"username": "小明", "password": PASSWORD}
    answer = await browser.post("/login/?next=/profile/", fields, headers=HTML)
    assert answer.headers["Location"] == "/profile/"


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(house: House) -> None:
    await house.member("小明")
    browser = await house.guest()
    wrong, unknown = await browser.log_in("小明", "not it at all"), await browser.log_in("小红", "not it at all")
    assert (wrong.status, wrong.code) == (401, "login_failed")
    assert wrong.body == unknown.body


async def test_a_refused_login_shows_the_form_with_the_name_and_where_one_was_going(house: House) -> None:
    browser = await house.guest()
    fields = {"username": "小明", "password": "not it at all", "next": "/profile/"}
    answer = await browser.post("/login/", fields, headers=HTML)
    assert answer.status == 401
    assert 'value="小明"' in answer.text
    assert 'value="/profile/"' in answer.text
    assert "not it at all" not in answer.text


async def test_five_failures_of_an_account_close_its_door_for_fifteen_minutes(house: House) -> None:
    await house.member("小明")
    browser = await house.guest()
    for _ in range(5):
        assert (await browser.log_in("小明", "not it at all")).code == "login_failed"
    answer = await browser.log_in("小明")
    assert (answer.status, answer.code) == (429, "login_throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    house.clock.forward(901)
    assert (await browser.log_in("小明")).status == 200


async def test_five_guesses_at_once_are_five_failures(house: House) -> None:
    await house.member("小明")
    browser = await house.guest()
    await browser.token()
    answers = await asyncio.gather(*(browser.log_in("小明", f"guess number {n}") for n in range(9)))
    assert sorted(answer.status for answer in answers) == [401] * 5 + [429] * 4


async def test_twenty_failures_of_an_address_close_the_door_to_it(house: House) -> None:
    await house.member("小明")
    browser = await house.guest()
    for n in range(20):
        assert (await browser.log_in(f"nobody {n}", "not it at all")).code == "login_failed"
    assert (await browser.log_in("小明")).code == "login_throttled"


async def test_a_login_clears_the_failures_before_it(house: House) -> None:
    await house.member("小明")
    browser = await house.guest()
    for _ in range(2):
        for _ in range(4):
            assert (await browser.log_in("小明", "not it at all")).code == "login_failed"
        assert (await browser.log_in("小明")).status == 200


async def test_logging_in_gives_a_new_token_and_ends_the_old_login(house: House) -> None:
    browser = await house.member("小明")
    old = browser.login_token
    assert (await browser.log_in("小明")).status == 200
    new = browser.login_token
    assert new != old
    stranger = await house.guest(Cookie=f"session={old}")
    assert (await stranger.get("/profile/")).code == "login_required"


async def test_the_database_holds_no_token(house: House) -> None:
    browser = await house.member("小明")
    token = browser.login_token
    for name, content in ((path.name, path.read_bytes()) for path in house.data_dir.rglob("*") if path.is_file()):
        assert token.encode() not in content, name


async def test_a_login_lives_for_ninety_days_of_silence(house: House) -> None:
    browser = await house.member("小明")
    house.clock.forward(89 * 86_400)
    assert (await browser.get("/profile/", HTML)).status == 200
    house.clock.forward(89 * 86_400)
    assert (await browser.get("/profile/", HTML)).status == 200
    house.clock.forward(91 * 86_400)
    assert (await browser.get("/profile/")).code == "login_required"


# Logging out


async def test_a_post_logs_out(house: House) -> None:
    browser = await house.member("小明")
    assert (await browser.post("/logout/")).status == 200
    assert not await may_post(browser)


async def test_a_browser_that_logs_out_is_redirected(house: House) -> None:
    browser = await house.member("小明")
    assert (await browser.post("/logout/", headers=HTML)).status == 303
    assert not await may_post(browser)


async def test_a_token_that_was_logged_out_is_worth_nothing(house: House) -> None:
    browser = await house.member("小明")
    token = browser.login_token
    await browser.post("/logout/")
    thief = await house.guest(Cookie=f"session={token}")
    assert (await thief.get("/profile/")).code == "login_required"


async def test_a_head_does_nothing(house: House) -> None:
    browser = await house.member("小明")
    answer = await browser.request("HEAD", "/logout/", headers={**HTML, **HERE})
    assert (answer.status, answer.body) == (200, b"")
    assert await may_post(browser)


# The profile


async def test_a_guest_is_asked_to_log_in_first(house: House) -> None:
    guest = await house.guest()
    answer = await guest.page("/profile/")
    assert (answer.status, answer.headers["Location"]) == (303, "/login/?next=/profile/")
    assert (await guest.get("/profile/")).code == "login_required"
    assert (await guest.post("/profile/", {"end_session": 1})).code == "login_required"


async def test_a_new_avatar_is_shown_beside_old_messages_and_the_old_file_goes(house: House) -> None:
    browser, reader = await house.member("小明"), await house.guest()
    await browser.say("before")
    first = (await browser.post("/profile/", files={"avatar": picture(colour="red")})).json["user"]["avatar"]
    second = (await browser.post("/profile/", files={"avatar": picture(colour="blue")})).json["user"]["avatar"]
    assert first != second
    assert [message["avatar"] for message in await reader.messages()] == [second]
    assert (await reader.get(second)).status == 200

    async def is_gone() -> bool:
        return (await reader.get(first)).status != 200

    await eventually(is_gone)
    assert (await reader.get(first)).code == "not_found"


async def test_a_browser_that_changes_its_avatar_comes_back_to_the_profile(house: House) -> None:
    browser = await house.member("小明")
    answer = await browser.post("/profile/", files={"avatar": picture()}, headers=HTML)
    assert answer.status == 303
    assert answer.headers["Location"].startswith("/profile/")
    assert (await browser.page(answer.headers["Location"])).status == 200


async def test_a_new_password_works_and_the_old_one_does_not(house: House) -> None:
    browser, other = await house.member("小明"), await house.guest()
    answer = await browser.post("/profile/", {"old_password": PASSWORD, "new_password": OTHER_PASSWORD})
    assert answer.status == 200
    assert (await other.log_in("小明")).code == "login_failed"
    assert (await other.log_in("小明", OTHER_PASSWORD)).status == 200


async def test_a_new_password_ends_every_other_login(house: House) -> None:
    browser, phone = await house.member("小明"), await house.guest()
    await phone.log_in("小明")
    socket = await phone.socket()
    await browser.post("/profile/", {"old_password": PASSWORD, "new_password": OTHER_PASSWORD})
    assert await socket.closed() == 4401
    assert not await may_post(phone)
    assert await may_post(browser)


@pytest.mark.parametrize(
    ("old", "new", "status", "code"),
    [
        ("not it at all", OTHER_PASSWORD, 401, "login_failed"),
        (PASSWORD, "password", 400, "password_weak"),
        (PASSWORD, "", 400, "password_weak"),
        ("", OTHER_PASSWORD, 401, "login_failed"),
    ],
)
async def test_a_password_is_changed_by_who_knows_it_to_a_good_one(
    house: House, old: str, new: str, status: int, code: str
) -> None:
    browser = await house.member("小明")
    answer = await browser.post("/profile/", {"old_password": old, "new_password": new})
    assert (answer.status, answer.code) == (status, code)
    page = await browser.post("/profile/", {"old_password": old, "new_password": new}, headers=HTML)
    assert page.status == status and page.headers["Content-Type"].startswith("text/html")
    assert (await (await house.guest()).log_in("小明")).status == 200


async def test_a_profile_form_without_a_wish_is_refused(house: House) -> None:
    answer = await (await house.member("小明")).post("/profile/", {})
    assert (answer.status, answer.code) == (400, "empty")


async def test_the_profile_lists_the_logins_and_ends_one(house: House) -> None:
    browser, phone = await house.member("小明"), await house.guest(User_Agent="iPhone Safari")
    before = session_ids((await browser.page("/profile/")).text)
    await phone.log_in("小明")
    new = session_ids((await browser.page("/profile/")).text) - before
    assert len(new) == 1
    socket = await phone.socket()
    assert (await browser.post("/profile/", {"end_session": new.pop()})).status == 200
    assert await socket.closed() == 4401
    assert not await may_post(phone)
    assert await may_post(browser)


async def test_somebody_elses_login_cannot_be_ended(house: House) -> None:
    xiaoming, xiaohong = await house.member("小明"), await house.member("小红")
    for session_id in range(1, 10):
        await xiaohong.post("/profile/", {"end_session": session_id})
    assert await may_post(xiaoming)


async def test_an_end_session_that_is_no_number_is_refused(house: House) -> None:
    answer = await (await house.member("小明")).post("/profile/", {"end_session": "all"})
    assert (answer.status, answer.code) == (400, "bad_request")


# The first administrator


async def test_the_setup_page_opens_with_its_token_alone(house: House) -> None:
    guest = await house.guest()
    assert (await guest.page(f"/setup/?token={house.server.setup_token}")).status == 200
    assert (await guest.page("/setup/")).status == 404
    assert (await guest.page("/setup/?token=guessed")).status == 404


async def test_the_token_makes_the_first_administrator_once(house: House) -> None:
    guest, late = await house.guest(), await house.guest()
    fields = {"token": house.server.setup_token, "username": "店长", "password": PASSWORD}
    answer = await guest.post("/setup/", fields)
    assert (answer.status, answer.json["user"]["role"]) == (201, "administrator")
    assert (await guest.preset("start")).status == 201
    again = await late.post("/setup/", {**fields, "username": "副店长"})
    assert (again.status, again.code) == (403, "forbidden")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"token": "guessed"}, "forbidden"),
        ({"username": ""}, "name_invalid"),
        ({"password": "12345678"}, "password_weak"),
    ],
)
async def test_a_refused_set_up_leaves_the_token_good(house: House, wrong: dict[str, str], code: str) -> None:
    guest = await house.guest()
    fields = {"token": house.server.setup_token, "username": "店长", "password": PASSWORD}
    assert (await guest.post("/setup/", {**fields, **wrong})).code == code
    assert (await guest.post("/setup/", fields, headers=HTML)).status == 303


async def test_where_there_is_an_administrator_there_is_no_setup(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        await house.administrator()
        assert (await (await house.guest()).page(f"/setup/?token={house.server.setup_token}")).status == 404
    async with opened(tmp_path) as house:
        assert house.server.setup_token == ""
        assert (await (await house.guest()).page("/setup/?token=", **JSON)).status == 404
