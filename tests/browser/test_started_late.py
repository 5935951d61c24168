"""A click or a frame that comes before its feature is loaded still takes effect. Each test holds a module back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor
from tests.browser.line import Line
from tests.browser.pictures import png
from tests.browser.test_attention import WATCHED

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
# The features that are loaded before the page is online wait for each other, and so do the features after it.
BEFORE_ONLINE, AFTER_ONLINE = "features/react", "features/theme"


class Held:
    """Requests for one module, which wait until the test lets them continue."""

    def __init__(self, visitor: Visitor, module: str) -> None:
        self._visitor = visitor
        self._routes: list[Route] = []
        self._is_held = True
        visitor.page.route(f"**/js/{module}.js", self._answer)

    def is_requested(self) -> None:
        self._visitor.until(lambda: self._routes)

    def let_go(self) -> None:
        self._is_held = False
        for route in self._routes:
            route.continue_()

    def _answer(self, route: Route) -> None:
        if self._is_held:
            self._routes.append(route)
        else:
            route.continue_()


def opened(visitor: Visitor, name: str, module: str = AFTER_ONLINE) -> Held:
    """The room's page of `name`, in the state that it reaches without the module."""
    held = Held(visitor, module)
    if name:
        visitor.context.add_cookies(Caller(visitor.address, name).cookies())
    visitor.page.goto(visitor.address)
    held.is_requested()
    if module != BEFORE_ONLINE:
        visitor.wait_online()
    return held


def own_id(visitor: Visitor) -> int:
    found: int = visitor.page.evaluate("JSON.parse(document.getElementById('page-data').textContent).user.id")
    return found


@both_pages
@pytest.mark.parametrize("module", [BEFORE_ONLINE, AFTER_ONLINE])
def test_a_click_that_opens_a_dialog_opens_it_when_it_can(come: Come, kind: dict[str, Any], module: str) -> None:
    for opener in ("search", "own-menu", "plus" if kind is PHONE else "emoji"):
        ming = come(**kind)
        held = opened(ming, "小明", module)
        ming.page.click(f"[data-opens={opener}]:visible")
        held.let_go()
        expect(ming.page.locator(f"#{opener}[open]")).to_be_visible()


def test_of_two_clicks_the_last_opens_its_dialog(come: Come) -> None:
    ming = come()
    held = opened(ming, "小明")
    ming.page.click("[data-opens=search]")
    ming.page.click("[data-opens=emoji]")
    held.let_go()
    expect(ming.page.locator("#emoji[open] .emoji").first).to_be_visible()
    expect(ming.page.locator("dialog[open]")).to_have_count(1)


@pytest.mark.parametrize("module", [BEFORE_ONLINE, AFTER_ONLINE])
def test_a_click_on_the_theme_changes_it_once(come: Come, module: str) -> None:
    ming = come()
    held = opened(ming, "小明", module)
    before = ming.page.get_attribute("html", "data-theme")
    ming.page.click("[data-theme-switch]")
    held.let_go()
    expect(ming.page.locator("html")).not_to_have_attribute("data-theme", before or "")
    themes = ["auto", "light", "dark"]
    after = themes[(themes.index(before or "") + 1) % 3]
    expect(ming.page.locator("html")).to_have_attribute("data-theme", after)


@pytest.mark.parametrize("module", [BEFORE_ONLINE, "features/presets"])
def test_a_click_on_a_preset_sends_it_once(come: Come, wang: Caller, module: str) -> None:
    page = come()
    held = opened(page, wang.name, module)
    page.page.click("[data-preset=start]")
    held.let_go()
    expect(page.page.locator("#ordering")).to_be_visible()
    # A second click would open the question about moving the end.
    expect(page.page.locator("#confirm")).to_be_hidden()


@both_pages
def test_a_click_opens_the_menu_of_a_message(come: Come, call: Call, kind: dict[str, Any]) -> None:
    call("莉莉").says("菜单晚一点来")
    ming = come(**kind)
    held = opened(ming, "小明", "elements/long_press")
    article = ming.message("菜单晚一点来")
    article.hover()
    article.locator("[data-action=menu]").click()
    held.let_go()
    expect(ming.page.locator("#message-menu[open]")).to_be_visible()


@both_pages
def test_a_click_on_a_face_before_the_page_is_online_opens_the_card_once(
    come: Come, call: Call, kind: dict[str, Any]
) -> None:
    call("莉莉").says("看看我的名片")
    ming = come(**kind)
    held = opened(ming, "小明", BEFORE_ONLINE)
    late = Held(ming, "elements/dialogs")
    asked: list[str] = []
    ming.page.on("request", lambda request: asked.append(request.url))
    ming.message("看看我的名片").locator(".message-face > *").click()
    held.let_go()
    card = ming.page.locator("#member-card[open]")
    expect(card).to_contain_text("莉莉")
    # The dialog opens before the dialogs' own listeners exist; going back closes it anyway.
    late.is_requested()
    late.let_go()
    ming.until(lambda: ming.page.evaluate("history.state?.dialog"))
    assert sum("/api/members/" in url for url in asked) == 1
    ming.page.evaluate("history.back()")
    expect(card).to_have_count(0)
    ming.wait_online()


def test_a_click_for_a_picture_opens_the_choice_of_files(come: Come) -> None:
    ming = come()
    held = opened(ming, "小明", BEFORE_ONLINE)
    with ming.page.expect_file_chooser():
        ming.page.click("[data-pick=album]")
        held.let_go()


@pytest.mark.parametrize(("key", "dialog"), [("/", "search"), ("?", "help")])
@pytest.mark.parametrize("module", [BEFORE_ONLINE, AFTER_ONLINE])
def test_a_key_opens_what_it_stands_for(come: Come, key: str, dialog: str, module: str) -> None:
    guest = come()
    held = opened(guest, "", module)
    guest.page.keyboard.press(key)
    held.let_go()
    expect(guest.page.locator(f"#{dialog}[open]")).to_be_visible()


def test_the_arrow_in_the_empty_field_edits_ones_last_text(come: Come, call: Call) -> None:
    call("小明").says("还没有说完")
    ming = come()
    opened(ming, "小明")
    ming.field.press("ArrowUp")
    expect(ming.field).to_have_value("还没有说完")


def test_the_buttons_of_a_message_that_has_the_focus_are_tab_stops(come: Come, call: Call) -> None:
    call("莉莉").says("焦点在这里")
    ming = come()
    held = opened(ming, "小明")
    message = ming.message("焦点在这里")
    message.focus()
    held.let_go()
    expect(message.locator("[data-action=menu]")).to_have_attribute("tabindex", "0")


def test_what_is_typed_is_told_to_the_others(come: Come) -> None:
    ming = come()
    line = Line(ming)
    held = opened(ming, "小明")
    ming.field.press_sequentially("ni hao")
    assert [frame for frame in line.sent if frame["type"] == "typing"] == []
    held.let_go()
    ming.until(lambda: any(frame["type"] == "typing" for frame in line.sent))


def test_a_draft_is_not_typing(come: Come) -> None:
    """Text that the browser restored in the field from an earlier visit is not a new input."""
    ming = come()
    ming.join("小明")
    ming.field.fill("昨天的草稿")
    line = Line(ming)
    held = opened(ming, "小明")
    expect(ming.field).to_have_value("昨天的草稿")
    held.let_go()
    # This feature starts after it in the order of features.
    ming.page.click("[data-theme-switch]")
    ming.until(lambda: ming.page.get_attribute("html", "data-theme") != "auto")
    assert [frame for frame in line.sent if frame["type"] == "typing"] == []
    ming.field.fill("")


def test_who_was_typing_is_shown_and_whose_message_came_is_not(come: Come, call: Call) -> None:
    ming, li = come(), call("莉莉")
    line = Line(ming)
    held = opened(ming, "小明")
    line.says({"type": "typing", "user": "莉莉"})
    line.says({"type": "typing", "user": "张三"})
    li.says("已经说了")
    ming.sees("已经说了")
    held.let_go()
    expect(ming.page.locator("#typing")).to_have_text("张三正在输入…")


def test_that_one_was_muted_is_told(come: Come) -> None:
    ming = come()
    line = Line(ming)
    held = opened(ming, "小明")
    line.says({"type": "muted", "until_ms": round(time.time() * 1000) + 3_600_000})
    held.let_go()
    expect(ming.page.locator("#toast")).to_contain_text("你被禁言到")
    expect(ming.page.locator("#composer .composer-muted")).to_be_visible()


def test_messages_that_came_to_a_hidden_page_are_counted(come: Come, call: Call) -> None:
    ming, li = come(), call("莉莉")
    held = opened(ming, "小明")
    title = ming.page.title()
    li.says("还看得见")
    ming.sees("还看得见")
    ming.hides()
    li.says("看不见了")
    ming.sees("看不见了")
    held.let_go()
    expect(ming.page).to_have_title(f"(1) {title}")


def test_the_rooms_new_name_is_the_pages_title(come: Come) -> None:
    ming = come()
    line = Line(ming)
    held = opened(ming, "小明")
    line.says({"type": "limits", "limits": {}, "room_name": "新的名字"})
    expect(ming.page.locator(".room-name")).to_have_text("新的名字")
    held.let_go()
    expect(ming.page).to_have_title("新的名字")


def test_a_mention_and_a_window_that_came_to_a_hidden_page_are_notified(come: Come, wang: Caller) -> None:
    ming = come()
    ming.page.add_init_script(WATCHED)
    ming.join("小明")
    user_id = own_id(ming)
    ming.page.evaluate(
        "id => { localStorage.setItem(`notify:${id}`, 'on'); localStorage.agreed = 'granted'; }", user_id
    )
    held = opened(ming, "小明")
    ming.hides()
    wang.says("@小明 快来")
    wang.presets("start", seconds=600)
    expect(ming.page.locator("#ordering")).to_be_visible()
    held.let_go()
    ming.until(lambda: ming.page.evaluate("window.notes.length") == 2)
    assert ming.page.evaluate("window.notes.map(([title]) => title)") == [f"{ADMINISTRATOR}提到了你", "开始下单"]


def test_a_click_on_ones_orders_opens_them(come: Come, wang: Caller) -> None:
    wang.presets("start", seconds=600)
    ming = come()
    held = opened(ming, "小明", "features/order")
    ming.page.click("[data-my-orders]")
    held.let_go()
    expect(ming.page.locator("#order[open] .order-mine-box")).to_be_visible()


def test_enter_in_the_search_before_it_is_loaded_searches(come: Come, call: Call) -> None:
    call("莉莉").says("花园里的草莓")
    ming = come()
    held = Held(ming, "features/search")
    ming.join("小明")
    ming.page.click("[data-opens=search]")
    ming.page.fill("#search [name=q]", "里的草莓")
    ming.page.press("#search [name=q]", "Enter")
    held.let_go()
    expect(ming.page.locator("#search .search-hit")).to_have_count(1)


def test_what_is_typed_into_the_notice_before_its_editor_is_loaded_stays(come: Come, call: Call) -> None:
    call(ADMINISTRATOR).sends("/notice/", text="周五取货")
    wang = come()
    held = Held(wang, "features/notice_editor")
    wang.join(ADMINISTRATOR)
    wang.page.click("[data-opens=own-menu]")
    wang.page.click("#own-menu [data-opens=notice-editor]")
    editor = wang.page.locator("#notice-editor[open]")
    editor.locator("textarea").fill("周六取货")
    held.let_go()
    expect(editor.locator("[data-take-down]")).to_be_visible()
    expect(editor.locator("textarea")).to_have_value("周六取货")
    wang.page.keyboard.press("Escape")
    wang.page.click("[data-opens=own-menu]")
    wang.page.click("#own-menu [data-opens=notice-editor]")
    expect(editor.locator("textarea")).to_have_value("周五取货")
    call(ADMINISTRATOR).sends("/notice/", text="")


def test_a_picture_that_was_recalled_before_the_lightbox_was_loaded_is_not_shown(come: Come, call: Call) -> None:
    ming, li = come(), call("莉莉")
    held = Held(ming, "features/lightbox")
    ming.join("小明")
    recalled = li.says("撤回的图", image=png())
    with ming.page.expect_request("**/features/lightbox.js") as asked:
        ming.message("撤回的图").locator("[data-picture]").click()
    li.recalls(recalled)
    expect(ming.message("撤回的图")).to_have_count(0)
    held.let_go()
    ming.page.evaluate("async address => { await import(address); }", asked.value.url)  # the page has used it by then
    expect(ming.page.locator("#lightbox[open]")).to_have_count(0)


def test_a_login_that_ended_before_the_offline_copy_was_loaded_leaves_none(come: Come, call: Call) -> None:
    ming = come(service_workers="allow")
    held = opened(ming, "停用的人", "features/offline_copy")
    ming.page.evaluate("caches.open('room')")
    call(ADMINISTRATOR).send(f"/members/{own_id(ming)}/", {"act": "ban"})
    expect(ming.page.locator("#connection")).to_have_attribute("data-state", "offline")
    held.let_go()
    ming.until(lambda: ming.page.evaluate("caches.has('room')") is False)


def test_a_logout_before_the_offline_copy_is_loaded_leaves_none(come: Come) -> None:
    """Nothing is stored while the answer to the logout is on its way; in this test it never comes."""
    ming = come(service_workers="allow")
    held = opened(ming, "小明", "features/offline_copy")
    ming.page.evaluate(
        """async () => {
            await caches.open('room');
            const form = document.querySelector('#own-menu form');
            form.addEventListener('submit', event => event.preventDefault());
            form.requestSubmit();
        }"""
    )
    held.let_go()
    ming.until(lambda: ming.page.evaluate("caches.has('room')") is False)
