"""Pictures of every page and state, to be looked at: `python -m tests.browser.screenshots OUTDIR`.

Desktop 1280x800 and phone 390x844, Chinese and English, light and dark:
OUTDIR/<size>-<language>-<theme>/<state>.png
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.browser import faulty, screenshots_orders
from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, FLAGS, PHONE, Visitor, chromium, first_run, serving
from tests.browser.line import Line
from tests.browser.pictures import noise, pick, png

SIZES: dict[str, dict[str, Any]] = {"desktop": DESKTOP, "phone": PHONE}
WORDS = {
    "zh": {
        "ming": "小明", "li": "莉莉", "qiang": "阿强", "ask": "今天有草莓吗", "have": "有的，两盒，先到先得",
        "long": "上午刚到的货，个头比昨天的大一点，想要的直接说数量，下午三点前我统一送到小区门口，"
        "麻烦大家带好零钱或者提前转给我。",
        "call": "@小明 你的两盒留好了", "thanks": "谢谢！", "photo": "就是这种", "wrong": "说错了",
        "draft": "我也要一盒", "link": "菜单在这里 https://example.com/menu/2026?day=22", "nothing": "榴莲",
    },
    "en": {
        "ming": "Oliver", "li": "Lily", "qiang": "Sam", "ask": "Any strawberries today?",
        "have": "Yes, two boxes left",
        "long": "They came in this morning and are a bit larger than yesterday’s. Tell me how many you want, and I "
        "will bring them to the gate before three. Please have change ready, or send the money ahead.",
        "call": "@Oliver I kept two boxes for you", "thanks": "Thank you!", "photo": "This kind", "wrong": "Wrong",
        "draft": "One box for me, please", "link": "The menu is at https://example.com/menu/2026?day=22",
        "nothing": "durian",
    },
}  # fmt: skip


class Camera:
    """Takes each state in the light and in the dark theme, without a reload between them."""

    def __init__(self, out: Path, size: str, language: str) -> None:
        self._places = {theme: out / f"{size}-{language}-{theme}" for theme in ("light", "dark")}
        for place in self._places.values():
            place.mkdir(parents=True, exist_ok=True)
        self._count = 0

    def take(self, page: Page, state: str, *, full_page: bool = False) -> None:
        self._count += 1
        for theme, place in self._places.items():
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            path = place / f"{self._count:02}-{state}.png"
            page.screenshot(path=path, animations="disabled", full_page=full_page)


def main(out: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for size, options in SIZES.items():
            for language in WORDS:
                print(size, language, flush=True)
                shoot(browser, Camera(out, size, language), options, language)
        browser.close()


def shoot(browser: Browser, camera: Camera, options: dict[str, Any], language: str) -> None:
    locale = {"zh": "zh-CN", "en": "en-GB"}[language]

    def come(address: str) -> Visitor:
        settings = {**options, "locale": locale, "timezone_id": "Asia/Shanghai", "service_workers": "block"}
        return Visitor(browser.new_context(**settings), address)

    with tempfile.TemporaryDirectory() as folder, first_run(Path(folder) / "new") as link:
        visitor = come(link)
        visitor.page.goto(link)
        camera.take(visitor.page, "first-run")
        visitor.context.close()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"send_interval": "0", "language": language, "registrations_per_hour": "0", "upload_max_mb": "3"}
        settings["push"] = "on"
        with serving(Path(folder) / "data", program=faulty.PROGRAM, **settings) as room:
            before_anyone_speaks(camera, come, room.address)
            the_room(camera, come, room.address, WORDS[language], phone=options is PHONE)
            without_a_line(camera, come, room.address, WORDS[language])
            the_other_pages(camera, come, room.address, WORDS[language])
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "data", language=language, registrations_per_hour="0", history_limit="1000") as room,
    ):
        screenshots_orders.shoot(camera, come, room.address, language)


def before_anyone_speaks(camera: Camera, come: Callable[[str], Visitor], address: str) -> None:
    guest = come(address)
    for path, state in (("/login/", "login"), ("/register/", "register")):
        guest.page.goto(address + path)
        camera.take(guest.page, state)
    guest.page.fill("input[name=username]", "a")
    guest.page.fill("input[name=password]", "12345678")
    guest.page.click("main button[type=submit]")
    guest.page.wait_for_selector("[role=alert]")
    camera.take(guest.page, "register-refused")
    guest.open_room()
    camera.take(guest.page, "empty-guest")
    guest.context.close()


def the_room(camera: Camera, come: Callable[[str], Visitor], address: str, words: dict[str, str], phone: bool) -> None:
    ming, others = come(address), [Caller(address, words[name]) for name in ("li", "qiang")]
    ming.join(words["ming"])
    camera.take(ming.page, "empty-member")
    talk(ming, *others, Caller(address, ADMINISTRATOR), words)
    camera.take(ming.page, "room")
    wang = come(address)
    wang.join(ADMINISTRATOR)
    camera.take(wang.page, "administrator")
    ming.message(words["have"]).hover()
    ming.message(words["have"]).locator("[data-action=menu]").click()
    ming.page.wait_for_selector("#message-menu[open]")
    camera.take(ming.page, "menu")
    ming.page.keyboard.press("Escape")
    for opener in ["own-menu", "people" if phone else "emoji", "search"]:
        ming.page.locator(f"[data-opens={opener}]:visible").first.click()
        ming.page.wait_for_selector(f"#{opener}[open]")
        if opener == "search":
            ming.page.fill("#search [name=q]", words["ask"][:5])
            ming.page.locator("#search .search-hit").first.wait_for()
        camera.take(ming.page, opener)
        if opener == "search":
            ming.page.fill("#search [name=q]", words["nothing"])
            ming.page.wait_for_selector("#search .search-state:not(:empty)")
            camera.take(ming.page, "search-nothing")
        ming.page.keyboard.press("Escape")
    if phone:
        wang.page.click("[data-opens=plus]")
        camera.take(wang.page, "plus-administrator")
        wang.page.keyboard.press("Escape")
    else:
        ming.page.locator("#messages").focus()
        ming.page.keyboard.press("?")
        camera.take(ming.page, "help")
        ming.page.keyboard.press("Escape")
    ming.message(words["photo"]).locator(".picture").click()
    ming.page.wait_for_function("() => document.querySelector('#lightbox img').naturalWidth > 0")
    camera.take(ming.page, "lightbox")
    ming.page.keyboard.press("Escape")
    writing(camera, ming, words)
    reading(camera, ming, others[0], words)
    cards(camera, wang, ming, words)
    pinning(camera, wang, ming, words)
    ordering(camera, ming, Caller(address, ADMINISTRATOR))
    wang.context.close()
    ming.context.close()


def talk(ming: Visitor, li: Caller, qiang: Caller, wang: Caller, words: dict[str, str]) -> None:
    ask = li.says(words["ask"])
    li.says(words["link"])
    wang.says(words["have"], reply_to=ask["id"])
    wang.says(words["long"])
    qiang.says(words["photo"], image=png("indianred", (800, 600)))
    qiang.says("🎉")
    li.recalls(li.says(words["wrong"]))
    wang.says(words["call"])
    ming.say(words["thanks"])
    ming.sees(words["thanks"])
    for emoji in ("👍", "❤️"):
        ming.message(words["have"]).hover()
        ming.message(words["have"]).locator("[data-action=menu]").click()
        ming.page.click(f'#message-menu [data-emoji="{emoji}"]')
    ming.message(words["have"]).locator(".reaction").nth(1).wait_for()
    ming.page.mouse.move(5, 300)
    ming.page.locator("#messages img").first.evaluate("picture => picture.decode()")


def cards(camera: Camera, wang: Visitor, ming: Visitor, words: dict[str, str]) -> None:
    for visitor, state in ((ming, "card"), (wang, "card-administrator")):
        visitor.message(words["photo"]).locator(".message-who").click()
        visitor.page.locator("#member-card[open] button").nth(1).wait_for()
        camera.take(visitor.page, state)
        visitor.page.keyboard.press("Escape")


def pinning(camera: Camera, wang: Visitor, ming: Visitor, words: dict[str, str]) -> None:
    wang.page.click("[data-opens=own-menu]:visible")
    wang.page.click("#own-menu [data-opens=notice-editor]")
    wang.page.fill("#notice-editor textarea", f"{words['long']}\n{words['link']}")
    camera.take(wang.page, "notice-editor")
    wang.page.click("#notice-editor [type=submit]")
    ming.page.locator("#notice .message-text").wait_for()
    camera.take(ming.page, "notice")
    ming.page.locator("#notice .pinned-acts button").first.click()
    camera.take(ming.page, "notice-whole")
    ming.page.locator("#notice .pinned-acts button").last.click()
    camera.take(ming.page, "notice-folded")


def writing(camera: Camera, ming: Visitor, words: dict[str, str]) -> None:
    ming.act(words["ask"], "reply")
    pick(ming, png("gold"), png("teal", (300, 600)))
    ming.field.fill("\n".join([words["draft"]] * 3))
    camera.take(ming.page, "writing")
    ming.page.locator(".attachments button").first.click()
    ming.page.locator(".attachments button").first.click()
    ming.field.fill("")
    ming.field.press_sequentially("@")
    ming.page.locator("#mentions [role=option]").first.wait_for()
    camera.take(ming.page, "mention")
    ming.field.fill("x" * 1995)
    camera.take(ming.page, "near-the-limit")
    ming.field.fill("")
    ming.page.locator(".composer-reply button").click()
    ming.act(words["thanks"], "edit")
    camera.take(ming.page, "editing")
    ming.say(words["draft"])
    ming.message(words["draft"]).locator(".message-mark").wait_for()
    camera.take(ming.page, "edited")
    ming.page.set_input_files(
        "#composer input[name=image]", {"name": "IMG_9.PNG", "mimeType": "image/png", "buffer": noise((2000, 2000))}
    )
    ming.page.wait_for_selector("#toast:not([hidden])")
    camera.take(ming.page, "too-large")
    ming.page.wait_for_selector("#toast", state="hidden")


def reading(camera: Camera, ming: Visitor, li: Caller, words: dict[str, str]) -> None:
    ming.page.locator("#messages").evaluate("list => { list.scrollTop = list.scrollHeight; }")
    li.says_many(18, words["draft"] + " {}")
    ming.hides()
    li.says(words["ask"])
    ming.page.wait_for_selector(".unread-divider:not([hidden])")
    ming.hides(False)
    ming.page.evaluate("() => { document.querySelector('#messages').scrollTop -= 500; }")
    li.says_many(3, words["have"] + " {}")
    ming.page.wait_for_selector("#newest:not([hidden])")
    camera.take(ming.page, "new-messages")
    ming.page.click("#newest")
    camera.take(ming.page, "unread-divider")


def ordering(camera: Camera, ming: Visitor, wang: Caller) -> None:
    wang.presets("start", seconds=90)
    wang.presets("countdown")
    ming.page.wait_for_selector("#countdown:not([hidden])")
    camera.take(ming.page, "ordering")
    wang.presets("start", seconds=9)
    ming.page.wait_for_selector(".ordering--ending")
    camera.take(ming.page, "ordering-ends")
    wang.presets("stop")
    ming.page.wait_for_selector("#ordering[hidden]", state="attached")
    camera.take(ming.page, "ordering-closed")


def without_a_line(camera: Camera, come: Callable[[str], Visitor], address: str, words: dict[str, str]) -> None:
    ming = come(address)
    line = Line(ming)
    ming.join(words["ming"])
    line.down = lambda frame: {**frame, "version": "0ther"} if frame["type"] == "hello" else frame
    line.drops()
    ming.page.wait_for_selector("#banner:not([hidden])")
    camera.take(ming.page, "new-version")
    line.down = lambda frame: frame

    def refuse(frame: dict[str, Any]) -> dict[str, Any] | None:
        if frame["type"] == "post":
            line.says({"type": "refused", "client_id": frame["client_id"], "code": "muted",
                       "message": "你已被禁言" if words["ming"] == "小明" else "You are muted"})  # fmt: skip
            return None
        return frame

    line.up = refuse
    ming.say(words["draft"])
    ming.page.wait_for_selector("#messages article[data-state=failed]")
    camera.take(ming.page, "failed")
    ming.page.click("[data-unsent=discard]")
    ming.field.fill("")
    line.up = lambda frame: frame
    on_its_way: list[Route] = []
    ming.page.route("**/post/", lambda route: on_its_way.append(route))
    pick(ming, png("orchid"))
    ming.page.click("#composer [type=submit]")
    ming.page.wait_for_selector("#messages progress")
    ming.page.locator("#messages progress").evaluate(
        "bar => { bar.value = 0.4; bar.closest('article').querySelector('.upload-part').textContent = '40%'; }"
    )
    camera.take(ming.page, "uploading")
    for each in on_its_way:
        each.abort()
    ming.page.click("[data-unsent=discard]")
    line.cuts()
    for text in ("1", "2", "3"):
        ming.say(f"{words['draft']} {text}")
    ming.page.wait_for_selector("#banner:not([hidden])")
    camera.take(ming.page, "offline-with-three-unsent")
    ming.context.close()


def the_other_pages(camera: Camera, come: Callable[[str], Visitor], address: str, words: dict[str, str]) -> None:
    wang, ming = come(address), come(address)
    wang.join(ADMINISTRATOR)
    for path, state in (("/profile/", "profile"), ("/settings/", "settings"),
                        ("/members/", "members"), ("/bots/", "bots"), ("/audit/", "audit"), ("/push/", "push"),
                        ("/notice/", "notice-page"), ("/invites/", "invites"), ("/orders/plans/", "plans"),
                        ("/people/", "people"),
                        ("/status/", "status"), ("/logout/", "logout"),
                        ("/upload_global_background", "announcement"), ("/nowhere", "404"),
                        (faulty.PATH, "500")):  # fmt: skip
        wang.page.goto(address + path)
        camera.take(wang.page, state)
    ming.join(words["ming"])
    ming.page.goto(f"{address}/settings/")
    camera.take(ming.page, "403")
    guest = come(address)
    guest.page.goto(f"{address}/profile/")
    camera.take(guest.page, "401")
    guest.open_room()
    camera.take(guest.page, "guest")
    for visitor in (wang, ming, guest):
        visitor.context.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
