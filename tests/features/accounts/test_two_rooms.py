"""Two rooms on one host: browsers send the cookies of a host to all its ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client import Browser, House, is_session, opened
from tests.support import FakeClock


@pytest.mark.parametrize("base", [None, "https://chat.example.org"])
async def test_each_room_has_a_name_of_its_own_for_the_login(tmp_path: Path, base: str | None) -> None:
    settings = {"base_url": base} if base else {}
    names = set()
    for room in ("one", "one", "two"):  # the first room keeps its cookie's name after its restart
        async with opened(tmp_path / room, FakeClock(), **settings) as house:
            name = house.server.room.session_cookie.cookie_name
            assert is_session(name) and name.startswith("__Host-") is bool(base)
            names.add(name)
    assert len(names) == 2


async def test_a_login_in_one_room_ends_none_in_another(tmp_path: Path) -> None:
    """The cookies of tests ignore ports, as those of browsers do."""
    async with opened(tmp_path / "one") as one, opened(tmp_path / "two") as two, Browser(one.address) as browser:

        def goes_to(address: str) -> None:
            browser.address, browser._token = address, ""  # each room's pages have tokens of their own

        assert (await browser.register("小明")).status == 201
        goes_to(two.address)
        assert (await browser.register("小明")).status == 201
        for address in (one.address, two.address):
            goes_to(address)
            assert (await browser.say("你好"))["user"] == "小明"
        assert (await browser.post("/logout/")).status == 200
        goes_to(one.address)
        assert (await browser.get("/profile/")).status == 200


async def test_a_login_from_before_the_names_differed_goes_on(house: House) -> None:
    token = (await house.member("小明")).login_token
    older = await house.guest(Cookie=f"session={token}")
    assert (await older.get("/profile/")).status == 200
    # If both cookies are sent, the room's own cookie counts.
    own = house.server.room.session_cookie.cookie_name
    both = await house.guest(Cookie=f"session=of-another-room; {own}={token}")
    assert (await both.get("/profile/")).status == 200
    ended = await house.guest(Cookie=f"session={token}; {own}=ended")
    assert (await ended.get("/profile/")).code == "login_required"
