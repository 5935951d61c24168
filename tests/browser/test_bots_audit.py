"""The pages of bots and of the audit log in a browser, and a bot in the room."""

from __future__ import annotations

import contextlib
import json
import socket
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
every_size = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


def bot_says(address: str, token: str, text: str) -> None:
    """Post as a program does: the address with the token, JSON, and no other header."""
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(
        f"{address}/bots/{token}/messages", body, {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201


@contextlib.contextmanager
def bot_listens(address: str, token: str) -> Iterator[None]:
    """Open a socket with only the Authorization header, during the block."""
    at = urlsplit(address)
    head = (
        f"GET /ws/chat/ HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {token}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with socket.create_connection((at.hostname, at.port), timeout=30) as line:
        line.sendall(head.encode())
        assert line.recv(12) == b"HTTP/1.1 101"
        yield


@every_size
def test_an_administrator_makes_a_bot_that_speaks_and_is_removed(come: Come, size: dict[str, object]) -> None:
    wang = come(**size)
    wang.join(ADMINISTRATOR)
    name = "报时员" if size is DESKTOP else "天气员"
    wang.page.goto(f"{wang.address}/bots/")
    wang.page.fill("input[name=name]", name)
    wang.page.check("input[name=manages_windows]")
    wang.page.click(".bot-new button")
    token = wang.page.locator("#made-token").inner_text()
    bot_says(wang.address, token, f"我是{name}")
    assert wang.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")

    wang.page.goto(f"{wang.address}/")
    head = wang.message(f"我是{name}").locator(".badge")
    expect(head).to_have_text("机器人")
    with bot_listens(wang.address, token):
        if size is PHONE:
            wang.page.locator("[data-opens=people]:visible").click()
        expect(wang.page.locator(".member:visible", has_text=name).locator(".badge")).to_have_text("机器人")

    wang.page.goto(f"{wang.address}/bots/")
    row = wang.page.locator(".session", has_text=name)
    expect(row.locator(".tag")).to_have_text("可管理下单")
    row.get_by_role("button", name="移除").click()
    expect(wang.page.locator("h1")).to_have_text(f"移除机器人 {name}？")
    wang.page.click("[data-confirmation] button")
    expect(wang.page.locator("[role=status]")).to_have_text("机器人已移除")
    expect(wang.page.locator(".session", has_text=name)).to_have_count(0)

    wang.page.goto(f"{wang.address}/audit/?what=bot")
    expect(wang.page.locator(".audit-entry p:first-child").first).to_have_text(f"移除机器人 {name}")


@every_size
def test_an_administrator_changes_a_bot_and_ends_its_token(come: Come, size: dict[str, object]) -> None:
    wang = come(**size)
    wang.join(ADMINISTRATOR)
    name = "话少" if size is DESKTOP else "话多"
    Caller(wang.address, ADMINISTRATOR).sends("/bots/", name=name)
    wang.page.goto(f"{wang.address}/bots/")
    row = wang.page.locator("[data-bot]", has_text=name)
    row.locator("summary").click()
    row.locator("select").select_option(label="收发消息，并管理下单")
    row.locator("input[name=rate]").fill("30")
    assert wang.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    row.get_by_role("button", name="保存").click()
    expect(wang.page.locator("[role=status]")).to_have_text("已保存，马上生效")
    expect(row.locator(".tag")).to_have_text("可管理下单")
    expect(row).to_contain_text("每 10 秒 30 条")
    row.get_by_role("button", name=f"停用 {name} 的令牌").click()
    wang.page.click("[data-confirmation] button")
    expect(wang.page.locator("[role=status]")).to_have_text("令牌已停用")
    expect(row.locator(".tag").last).to_have_text("没有令牌")


@every_size
def test_the_audit_log_is_filtered_without_a_script(come: Come, size: dict[str, object]) -> None:
    wang = come(**size)
    wang.join(ADMINISTRATOR)
    caller = Caller(wang.address, ADMINISTRATOR)
    caller.send("/settings/", {"text_max": "1999" if size is DESKTOP else "1998"})
    caller.presets("start", seconds=60)
    caller.presets("stop")
    wang.page.goto(f"{wang.address}/audit/")
    entries = wang.page.locator(".audit-entry p:first-child")
    told = "\n".join(entries.all_inner_texts())
    assert "停止下单" in told and "将“" in told
    wang.page.select_option("select[name=what]", "setting")
    wang.page.select_option("select[name=who]", label=ADMINISTRATOR)
    wang.page.click(".audit-filter button")
    expect(wang.page.locator("select[name=what]")).to_have_value("setting")
    assert all(words.startswith("将“") for words in entries.all_inner_texts())
    assert wang.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    wang.page.click("footer a[lang=en]")
    expect(wang.page.locator("h1")).to_have_text("Audit log")
    expect(wang.page.locator("select[name=what]")).to_have_value("setting")
