"""A new invitation is passed on from its page: copied, shared, or scanned."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


def made(visitor: Visitor, script: str = "") -> str:
    """Make an invitation. Returns its address. `script` runs before the scripts of the page."""
    if script:
        visitor.page.add_init_script(script)
    visitor.page.goto(f"{visitor.address}/invites/")
    visitor.page.click(".invite-new [type=submit]")
    return visitor.page.inner_text("#share-address")


@both_pages
def test_one_press_copies_the_address(come: Come, kind: dict[str, object]) -> None:
    wang = come(ADMINISTRATOR, **kind, permissions=["clipboard-read", "clipboard-write"])
    address = made(wang)
    wang.page.click("[data-copy]")
    expect(wang.page.locator("[data-share] [role=status]")).to_have_text("已复制")
    assert wang.page.evaluate("() => navigator.clipboard.readText()") == address


def test_without_a_clipboard_a_selection_is_copied(come: Come) -> None:
    wang = come(ADMINISTRATOR)
    address = made(wang, "Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    wang.page.evaluate("() => document.addEventListener('copy', () => (window.copied = String(getSelection())))")
    wang.page.click("[data-copy]")
    expect(wang.page.locator("[data-share] [role=status]")).to_have_text("已复制")
    assert wang.page.evaluate("() => window.copied") == address


def test_where_no_script_may_copy_the_address_is_selected(come: Come) -> None:
    wang = come(ADMINISTRATOR)
    address = made(
        wang,
        "Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false;",
    )
    wang.page.click("[data-copy]")
    expect(wang.page.locator("[data-share] [role=status]")).to_contain_text("已选中")
    assert wang.page.evaluate("() => String(getSelection())") == address


def test_the_share_sheet_is_offered_where_there_is_one(come: Come) -> None:
    wang = come(ADMINISTRATOR, **PHONE)
    address = made(wang, "navigator.share = async (shared) => { window.shared = shared; };")
    wang.page.click("[data-share-sheet]")
    assert wang.page.evaluate("() => window.shared.url") == address
    other = come(ADMINISTRATOR)
    made(other, "delete Navigator.prototype.share")
    expect(other.page.locator("[data-share-sheet]")).to_be_hidden()


@both_pages
def test_the_code_is_black_on_white_in_either_theme(come: Come, kind: dict[str, object]) -> None:
    wang = come(ADMINISTRATOR, **kind, color_scheme="dark")
    made(wang)
    code = wang.page.locator(".qr-code")
    expect(code).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(code.locator("path")).to_have_css("stroke", "rgb(0, 0, 0)")
    box = code.bounding_box()
    assert box and box["width"] == box["height"] >= 160
