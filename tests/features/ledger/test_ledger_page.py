"""The ledger's page is rendered once for each kind of reader, and again after every change."""

from __future__ import annotations

from tests.client import Browser, House


async def shown(house: House, browser: Browser) -> str:
    """The page, with the reader's own token, and a policy that allows a socket."""
    answer = await browser.page("/orders/1/")
    assert answer.status == 200 and answer.text.count(await browser.token()) == 1
    assert f"ws://{house.address.removeprefix('http://')}" in answer.headers["Content-Security-Policy"]
    return answer.text


async def test_a_kept_page_follows_every_change(house: House) -> None:
    admin, ming, guest = await house.administrator(), await house.member("小明"), await house.guest()
    await admin.preset("start", title="周五水果", seconds=60)
    for browser in (guest, ming, admin, guest):
        page = await shown(house, browser)
        assert ("data-admin" in page) is (browser is admin)
        assert "0 单 · 0 人" in page
    assert (await ming.post_json("/order/", {"text": "蓝莓八盒"})).status == 201
    for browser in (guest, ming, admin):
        assert "1 单 · 1 人" in await shown(house, browser)
    was_open = await shown(house, guest)
    await admin.preset("stop")
    assert await shown(house, guest) != was_open
    await house.server.room.administrators.make_administrator("小明", None)
    assert "data-admin" in await shown(house, ming) and "data-admin" not in await shown(house, guest)


async def test_each_language_has_its_own_and_a_window_that_never_was_has_none(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    await admin.preset("start", seconds=60)
    assert '<html lang="zh"' in (await guest.page("/orders/1/", Accept_Language="zh")).text
    assert '<html lang="en"' in (await guest.page("/orders/1/", Accept_Language="en")).text
    assert (await guest.page("/orders/2/")).status == 404
