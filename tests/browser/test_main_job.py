"""The room's main job, from registration to recall, on both pages, with two people at the same time."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.conftest import (
    ADMINISTRATOR,
    DESKTOP,
    PASSWORD,
    PATIENCE_SECONDS,
    PHONE,
    RoomProcess,
    Visitor,
    first_run,
    serving,
)

Visit = Callable[..., Visitor]

both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


def photo(colour: str = "seagreen", size: tuple[int, int] = (1200, 900)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


@both_pages
def test_what_one_says_the_other_sees_and_it_survives_a_reload(visit: Visit, kind: dict[str, object]) -> None:
    ming, wang = visit(**kind), visit()
    ming.register("小明")
    wang.log_in(ADMINISTRATOR)
    ming.say("今天有草莓吗")
    wang.sees("今天有草莓吗")
    wang.say("有的，两盒")
    ming.sees("有的，两盒")
    ming.page.reload()
    ming.wait_online()
    texts = ming.page.locator("#messages article[data-id] .bubble").all_inner_texts()
    assert [text.strip() for text in texts] == ["今天有草莓吗", "有的，两盒"]


@both_pages
def test_a_recalled_message_leaves_every_page(visit: Visit, kind: dict[str, object]) -> None:
    ming, wang = visit(**kind), visit()
    ming.register("小明")
    wang.log_in(ADMINISTRATOR)
    ming.say("说错了的话")
    wang.sees("说错了的话")
    ming.act("说错了的话", "recall")
    for visitor in (ming, wang):
        visitor.page.wait_for_selector("#messages article[data-state=recalled]")
        assert "说错了的话" not in visitor.page.inner_text("#messages")
    assert "小明" in wang.page.inner_text("#messages article[data-state=recalled]")


def test_an_administrator_deletes_what_somebody_said(visit: Visit) -> None:
    ming, wang = visit(), visit()
    ming.register("小明")
    wang.log_in(ADMINISTRATOR)
    ming.say("广告")
    wang.sees("广告")
    wang.act("广告", "delete")
    wang.page.click("[data-action=confirm]")
    ming.page.wait_for_selector(ming.article("广告"), state="detached")
    wang.page.wait_for_selector(wang.article("广告"), state="detached")


def test_a_member_has_no_button_for_what_is_not_theirs(visit: Visit) -> None:
    ming, li = visit(), visit()
    ming.register("小明")
    li.register("莉莉")
    ming.say("我的")
    li.sees("我的")
    article = li.page.locator(li.article("我的"))
    article.hover()
    article.locator("[data-action=menu]").click()
    li.page.wait_for_selector("[data-action=reply]:visible")
    assert li.page.locator("[data-action=recall]:visible, [data-action=delete]:visible").count() == 0
    assert li.page.locator("[data-preset]").count() == 0


@both_pages
def test_a_picked_picture_is_shown_to_all_small_and_without_a_jump(visit: Visit, kind: dict[str, object]) -> None:
    ming, wang = visit(**kind), visit()
    ming.register("小明")
    wang.log_in(ADMINISTRATOR)
    ming.page.set_input_files(
        "#composer input[name=image]", {"name": "IMG_1.JPG", "mimeType": "image/jpeg", "buffer": photo()}
    )
    ming.page.wait_for_selector(".attachments li, .attachment")
    ming.page.click("#composer [type=submit]")
    shown = wang.page.wait_for_selector("#messages article[data-id] img[src*='/media/images/']")
    assert shown is not None
    address = shown.get_attribute("src")
    assert address
    answer = wang.page.request.get(wang.address + address)
    assert answer.ok and answer.headers["content-type"] == "image/webp"
    assert len(answer.body()) <= 200 * 1024
    # The space was reserved before the picture arrived.
    assert shown.get_attribute("width") and shown.get_attribute("height")


def test_a_pasted_picture_has_a_preview_that_can_be_taken_away(visit: Visit) -> None:
    ming = visit()
    ming.register("小明")
    _paste_picture(ming)
    ming.page.wait_for_selector(".attachments img")
    ming.page.locator(".attachments button").first.click()
    ming.page.wait_for_selector(".attachments img", state="detached")
    _paste_picture(ming)
    ming.page.wait_for_selector(".attachments img")
    ming.page.click("#composer [type=submit]")
    ming.page.wait_for_selector("#messages article[data-id] img[src*='/media/images/']")


def test_a_picture_opens_large_and_escape_closes_it(visit: Visit) -> None:
    ming = visit()
    ming.register("小明")
    _paste_picture(ming)
    ming.page.wait_for_selector(".attachments img")
    ming.page.click("#composer [type=submit]")
    ming.page.click("#messages article[data-id] img[src*='/media/images/']")
    ming.page.wait_for_selector("dialog#lightbox[open]")
    ming.page.keyboard.press("Escape")
    ming.page.wait_for_selector("dialog#lightbox[open]", state="detached")


@both_pages
def test_an_ordering_window_counts_down_for_everyone_and_ends_by_itself(visit: Visit, kind: dict[str, object]) -> None:
    wang, ming = visit(), visit(**kind)
    wang.log_in(ADMINISTRATOR)
    ming.register("小明")
    assert not ming.page.is_visible("#countdown")
    wang.page.evaluate(
        """async () => {
            const token = document.querySelector('meta[name=csrf-token]').content;
            window.opens = seconds => fetch('/send_preset/', {
                method: 'POST', body: JSON.stringify({command: '开始下单', seconds}),
                headers: {'Content-Type': 'application/json', 'X-CSRFToken': token}});
            await window.opens(90);
        }"""
    )
    for visitor in (wang, ming):
        visitor.page.wait_for_selector("#countdown:visible")
        assert 1 <= int(visitor.page.inner_text("#countdown")) <= 90
    late = visit(**kind)
    late.open_room()
    late.page.wait_for_selector("#countdown:visible")
    # All pages have shown it, so the end may come. The administrator's tab is closed before the end.
    wang.page.evaluate("() => window.opens(2)")
    wang.page.close()
    for visitor in (ming, late):
        visitor.page.wait_for_selector("#countdown", state="hidden")
        visitor.page.wait_for_selector('#messages article[data-id]:has-text("停止下单")')


def test_the_administrators_buttons_open_and_stop_a_window(visit: Visit) -> None:
    wang = visit()
    wang.log_in(ADMINISTRATOR)
    wang.page.click("[data-preset=start]")
    wang.page.wait_for_selector("#countdown:visible")
    assert 60 <= int(wang.page.inner_text("#countdown")) <= 100
    wang.page.click("[data-preset=countdown]")
    wang.page.wait_for_selector("#messages article[data-id]:nth-of-type(2)")
    wang.page.click("[data-preset=stop]")
    wang.page.wait_for_selector("#countdown", state="hidden")


@both_pages
def test_a_guest_reads_along_and_is_invited_to_log_in(visit: Visit, kind: dict[str, object]) -> None:
    ming, guest = visit(), visit(**kind)
    ming.register("小明")
    guest.open_room()
    ming.say("大家好")
    guest.sees("大家好")
    assert guest.page.locator("#composer").count() == 0
    assert guest.page.locator("main a[href^='/login/']:visible").count() == 1
    assert guest.page.locator("main a[href^='/register/']:visible").count() == 1


def test_the_first_administrator_sets_the_room_up(tmp_path: Path, visit: Visit) -> None:
    with first_run(tmp_path / "new") as link:
        first = visit()
        first.page.goto(link)
        first.page.fill("input[name=username]", "站长阿强")
        first.page.fill("input[name=password]", PASSWORD)
        first.page.click("main button[type=submit]")
        first.wait_online()
        assert first.page.locator("[data-preset=start]").is_visible()
        second = visit()
        answer = second.page.goto(link)
        assert answer and answer.status == 404
        second.complaints.clear()  # clear the browser's own line about the 404


def test_the_page_comes_back_after_a_restart_without_a_reload(visit: Visit, room: RoomProcess) -> None:
    ming, li = visit(), visit(**PHONE)
    ming.register("小明")
    li.register("莉莉")
    ming.say("重启之前")
    li.sees("重启之前")
    port = int(room.address.rpartition(":")[2])
    room.process.terminate()
    room.process.wait(PATIENCE_SECONDS)
    for visitor in (ming, li):
        visitor.page.wait_for_selector("#connection:not([data-state=online])", state="attached")
    ming.page.fill("#composer textarea[name=text]", "断线时写的")
    ming.page.click("#composer [type=submit]")
    with serving(room.data_dir, port):
        for visitor in (ming, li):
            visitor.page.wait_for_selector("#connection[data-state=online]", state="attached", timeout=60_000)
        li.sees("断线时写的")
        li.say("重启之后")
        ming.sees("重启之后")
        articles = ming.page.locator("#messages article[data-id] .bubble").all_inner_texts()
        assert [text.strip() for text in articles] == ["重启之前", "断线时写的", "重启之后"]
        ming.complaints.clear()  # clear the errors of the connections that failed meanwhile
        li.complaints.clear()


def _paste_picture(visitor: Visitor) -> None:
    visitor.page.focus("#composer textarea[name=text]")
    visitor.page.evaluate(
        """async () => {
            const canvas = document.createElement('canvas');
            canvas.width = 640; canvas.height = 480;
            canvas.getContext('2d').fillRect(0, 0, 320, 240);
            const blob = await new Promise(done => canvas.toBlob(done, 'image/png'));
            const data = new DataTransfer();
            data.items.add(new File([blob], 'image.png', {type: 'image/png'}));
            document.activeElement.dispatchEvent(
                new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
