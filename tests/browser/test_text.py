"""Text stays text: where links begin, end and lead, who is mentioned, and what a search marks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def module(come: Come) -> Callable[..., Any]:
    """Call a function of elements/dom.js in the page."""
    page = come("小明").page

    def call(function: str, *arguments: Any) -> Any:
        return page.evaluate(
            """async ([name, values]) => {
                const { href } = document.querySelector('link[rel=modulepreload][href*="elements/dom"]');
                return (await import(href))[name](...values);
            }""",
            [function, list(arguments)],
        )

    return call


# (text, [(linked part, address, shown host)])
LINKS: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("链接https://x.example.com/a看一下", [("https://x.example.com/a", "https://x.example.com/a", "")]),
    ("看https://x.example.com。下一句", [("https://x.example.com", "https://x.example.com/", "")]),
    ("（https://x.example.com/a）", [("https://x.example.com/a", "https://x.example.com/a", "")]),
    ("https://x.example.com/a！快", [("https://x.example.com/a", "https://x.example.com/a", "")]),
    ("https://x.example.com/aのページ", [("https://x.example.com/a", "https://x.example.com/a", "")]),
    ("https://x.example.com/a입니다", [("https://x.example.com/a", "https://x.example.com/a", "")]),
    ("https://x.example.com/%E8%8D%89?q=1#x.", [("https://x.example.com/%E8%8D%89?q=1#x",) * 2 + ("",)]),
    ("(https://x.example.com/a_(b))", [("https://x.example.com/a_(b)", "https://x.example.com/a_(b)", "")]),
    ("www.taobao.com", [("www.taobao.com", "http://www.taobao.com/", "")]),
    ("去www.taobao.com/a?b=1看", [("www.taobao.com/a?b=1", "http://www.taobao.com/a?b=1", "")]),
    ("www.example", []),
    ("me@www.example.com a.www.example.com", []),
    ("HTTPS://X.Example.COM:443/A", [("HTTPS://X.Example.COM:443/A", "https://x.example.com/A", "")]),
    ("https://bank.example@evil.example/", [("https://bank.example@evil.example/",) * 2 + ("evil.example",)]),
    ("https://a.example:443@b.example:8080/", [("https://a.example:443@b.example:8080/",) * 2 + ("b.example:8080",)]),
    ("https://bank.example/@evil.example", [("https://bank.example/@evil.example",) * 2 + ("",)]),
    ("https://b\u0430nk.example/", [
        ("https://b\u0430nk.example/", "https://xn--bnk-6cd.example/", "xn--bnk-6cd.example"),
    ]),
    ("www.b\u0430nk.example", [
        ("www.b\u0430nk.example", "http://www.xn--bnk-6cd.example/", "www.xn--bnk-6cd.example"),
    ]),
    ("https://2130706433/", [("https://2130706433/", "https://127.0.0.1/", "127.0.0.1")]),
    ("https://bank%2eexample/", [("https://bank%2eexample/", "https://bank.example/", "bank.example")]),
    ("\u202ehttps://bank.example/moc.live", [("https://bank.example/moc.live",) * 2 + ("",)]),
    ("https://bank.example/\u202egro.live", [("https://bank.example/", "https://bank.example/", "")]),
    ("https://bank.example\u200b.evil.example/", [("https://bank.example", "https://bank.example/", "")]),
    ("https://bank.example\u2066.evil.example/", [("https://bank.example", "https://bank.example/", "")]),
    ("https:// javascript:alert(1) ftp://x.example", []),
    ("https://a.example https://b.example", [
        ("https://a.example", "https://a.example/", ""), ("https://b.example", "https://b.example/", ""),
    ]),
]  # fmt: skip


def test_where_links_begin_and_end_and_which_host_they_show(module: Callable[..., Any]) -> None:
    for text, expected in LINKS:
        found = module("pieces", text)
        assert "".join(piece["text"] for piece in found) == text
        links = [(each["text"], each["href"], each["host"]) for each in found if "href" in each]
        assert links == expected, text


@both_pages
def test_a_link_is_isolated_left_to_right_and_shows_its_host(come: Come, call: Call, kind: dict[str, object]) -> None:
    ming = come("小明", **kind)
    call("莉莉").says(f"\u202e看 https://bank.example@evil.example/{id(kind)} 这里")
    link = ming.page.locator("#messages .message-text a").last
    expect(link).to_have_attribute("dir", "ltr")
    assert link.evaluate("node => getComputedStyle(node).unicodeBidi") in ("isolate", "-webkit-isolate")
    assert link.evaluate("node => getComputedStyle(node).direction") == "ltr"
    shown = ming.page.locator("#messages .message-text .link-host").last
    expect(shown).to_have_text("→ evil.example")
    assert shown.evaluate("node => getComputedStyle(node).direction") == "ltr"
    # With the override, each letter would be shown to the left of the letter before it.
    lefts = link.evaluate(
        """node => [0, 8].map((at) => {
            const range = document.createRange();
            range.setStart(node.firstChild, at);
            range.setEnd(node.firstChild, at + 1);
            return range.getBoundingClientRect().left;
        })"""
    )
    assert lefts[0] < lefts[1]


# (text, the reader's name, other names, the marked part)
MENTIONS: list[tuple[str, str, list[str], list[str]]] = [
    ("İzmir'e @Ayşe gelsin", "Ayşe", [], ["@Ayşe"]),
    ("İİİİ @ayşe", "AYŞE", [], ["@ayşe"]),
    ("ßßß @STRASSE!", "Straße", [], ["@STRASSE"]),
    ("ﬁﬁﬁ @lily", "Lily", [], ["@lily"]),
    ("@Cafe\u0301 und ＠CAFÉ", "Café", [], ["@Cafe\u0301", "＠CAFÉ"]),
    ("@Cafe\u0301", "Cafe", [], []),
    ("@小明明 @小明", "小明", ["小明明"], ["@小明"]),
    ("@lilyfer @lily", "lily", [], ["@lily"]),
    ("me@lily", "lily", [], []),
    ("@ΟΔΟΣ", "οδος", [], ["@ΟΔΟΣ"]),
    ("🍓🍓 @小明", "小明", [], ["@小明"]),
    ("@INCI", "inci", [], ["@INCI"]),
]


def test_mentions_are_where_the_text_has_them_whatever_folding_does_to_lengths(module: Callable[..., Any]) -> None:
    for text, name, others, expected in MENTIONS:
        found = module("mentionsOf", text, name, others)
        utf16 = text.encode("utf-16-le")
        marked = [utf16[2 * each["begin"] : 2 * each["to"]].decode("utf-16-le") for each in found]
        assert marked == expected, text


def test_mentions_of_a_long_text_of_accents_are_found_in_time(module: Callable[..., Any]) -> None:
    text = "@e" + "\u0301\u0316" * 1000 + "@x" * 500
    assert module("mentionsOf", text, "x", ["x"]) != []


def test_a_search_marks_what_was_found_whatever_was_before_it(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says("İİİİ Cafe\u0301 草莓")
    li.says("ßß 明天再说")
    ming = come("小明")
    for typed, marked in (("CAFÉ", "Cafe\u0301"), ("明天", "明天"), ("草莓", "草莓"), ("CAFÉ 草", "Cafe\u0301 草")):
        ming.page.click("[data-opens=search]")
        ming.page.fill("#search [name=q]", typed)
        expect(ming.page.locator("#search .search-results mark").first).to_have_text(marked)
        ming.page.keyboard.press("Escape")
