"""The room page for a browser without scripts: <noscript> contains the newest messages, escaped."""

from __future__ import annotations

import re
from html import unescape

from chatserver.features.messages.plain_history import PLAIN_BYTES_MAX, PLAIN_PAGE
from tests.client import Browser, House, picture


async def plain(browser: Browser) -> str:
    found = re.findall(r"<noscript data-plain>(.*?)</noscript>", (await browser.page("/")).text, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def rows(html: str) -> list[str]:
    return [unescape(row) for row in re.findall(r'<span dir="auto">(.*?)</span>', html, re.DOTALL)]


async def test_the_newest_messages_can_be_read_oldest_first(house: House) -> None:
    admin = await house.administrator()
    texts = [f"第 {i} 条" for i in range(PLAIN_PAGE + 5)]
    for text in texts:
        await admin.say(text)
    assert rows(await plain(admin)) == texts[5:]
    assert rows(await plain(await house.guest())) == texts[5:]


async def test_what_was_written_stays_text(house: House) -> None:
    admin = await house.administrator()
    hostile = "</noscript><script>alert(1)</script> & \"'><b>"
    await admin.say(hostile)
    html = await plain(admin)
    assert rows(html) == [hostile]
    assert "<script" not in html and "<b>" not in html


async def test_what_is_recalled_or_deleted_is_not_there(house: House) -> None:
    admin = await house.administrator("店长")
    await admin.say("留下")
    recalled, deleted = await admin.say("撤回的话"), await admin.say("删除的话")
    assert rows(await plain(admin)) == ["留下", "撤回的话", "删除的话"]
    await admin.recall(recalled["id"])
    await admin.delete(deleted["id"])
    html = await plain(admin)
    assert rows(html) == ["留下"]
    assert "店长撤回了一条消息" in html


async def test_pictures_can_be_reached(house: House) -> None:
    admin = await house.administrator()
    shown = await admin.show(picture())
    html = await plain(admin)
    assert f'<a href="{shown["image"]}"><img src="{shown["thumb"]}"' in html


async def test_the_way_out_can_be_reached(house: House) -> None:
    assert 'href="/logout/"' in await plain(await house.member("小明"))
    assert 'href="/logout/"' not in await plain(await house.guest())


async def test_very_long_messages_are_fewer(house: House) -> None:
    admin = await house.administrator()
    for i in range(PLAIN_PAGE):
        await admin.say(f"{i:02}" + "字" * 1998)
    html = await plain(admin)
    assert rows(html)[-1].startswith(f"{PLAIN_PAGE - 1:02}")
    assert 5 < len(rows(html)) < PLAIN_PAGE
    assert len(html.encode()) < PLAIN_BYTES_MAX + 2000
