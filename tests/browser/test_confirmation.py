"""Confirmation pages before acts with large effects, in a browser without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor

both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def wang(visit: Callable[..., Visitor], room: RoomProcess) -> Callable[..., Visitor]:
    def come(**kind: object) -> Visitor:
        visitor = visit(java_script_enabled=False, **kind)
        visitor.context.add_cookies(Caller(room.address, ADMINISTRATOR).cookies())
        return visitor

    return come


@both_pages
def test_a_shorter_history_is_confirmed(
    wang: Callable[..., Visitor], room: RoomProcess, kind: dict[str, object]
) -> None:
    Caller(room.address, ADMINISTRATOR).says_many(5)
    page = wang(**kind).page
    page.goto(f"{room.address}/settings/")
    page.fill("[name=history_limit]", "2")
    page.click(".settings-save button")
    expect(page.locator("main")).to_contain_text("3 条消息会立即从所有人的聊天记录中删除")
    page.click("text=取消")
    expect(page.locator("[name=history_limit]")).to_have_value("100")
    page.fill("[name=history_limit]", "2")
    page.click(".settings-save button")
    page.click("text=保存并删除")
    expect(page.locator(".form-notice")).to_have_text("已保存，立即生效")
    expect(page.locator("[name=history_limit]")).to_have_value("2")


@both_pages
def test_a_ban_is_confirmed(wang: Callable[..., Visitor], room: RoomProcess, kind: dict[str, object]) -> None:
    Caller(room.address, "小明")
    page = wang(**kind).page
    page.goto(f"{room.address}/members/?q=小明")
    page.click(".member-acts summary")
    page.click("button[value=ban]")
    expect(page.locator("h1")).to_have_text("停用小明的账号？")
    expect(page.locator("main")).to_contain_text(re.compile("1 个登录设备会立即退出"))
    page.click("main button[type=submit]")
    expect(page.locator("[data-banned]")).to_be_visible()
