"""Push notifications in Chromium: the page that turns them on, and the notification that the service worker shows.

Chromium's own push service is on the internet. The test replaces it by a subscription of its own, and by
`ServiceWorker.deliverPushMessage` of the developer tools, which delivers a message as the service would.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor, until
from tests.features.push.browsers import Device, base64url

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]

SETTINGS = {"push": "on", "registrations_per_hour": "0"}
ALLOWED = {"service_workers": "allow", "permissions": ["notifications"]}
# A push service that needs no network.
SUBSCRIBES = """
    ([endpoint, p256dh, auth]) => {
        let found = null;
        class Subscription {
            options = {};
            toJSON() { return { endpoint, keys: { p256dh, auth } }; }
            async unsubscribe() { found = null; localStorage.removeItem("subscribed"); return true; }
        }
        const restore = () => (found ??= localStorage.getItem("subscribed") ? new Subscription() : null);
        PushManager.prototype.getSubscription = async () => restore();
        PushManager.prototype.subscribe = async (options) => {
            window.subscribedWith = [options.userVisibleOnly, options.applicationServerKey.length];
            localStorage.setItem("subscribed", "yes");
            return restore();
        };
    }
"""


def with_service(visitor: Visitor) -> Device:
    device = Device("https://updates.push.services.mozilla.com/wpush/v2/" + base64url(visitor.address.encode()))
    keys = [device.endpoint, base64url(device.public_key), base64url(device.auth)]
    visitor.page.add_init_script(f"({SUBSCRIBES})({json.dumps(keys)});")
    return device


def taken(hall: RoomProcess) -> list[Any]:
    """The messages that `chatserver push` would get now."""
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(30)
        server.connect(str(hall.data_dir / "push" / "push.sock"))
        server.sendall(b'{"command": "push_take", "arguments": {"limit": 50}}\n')
        with server.makefile("rb") as file:
            found: list[Any] = json.loads(file.readline())["answer"]["messages"]
    return found


class Worker:
    """The page's service worker, through the developer tools."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._tools = page.context.new_cdp_session(page)
        self._found: list[str] = []
        self._tools.on("ServiceWorker.workerRegistrationUpdated", self._on_registrations)
        self._tools.send("ServiceWorker.enable")

    def deliver(self, origin: str, payload: bytes) -> None:
        until(self._page, lambda: self._found)
        delivered = {"origin": origin, "registrationId": self._found[-1], "data": payload.decode()}
        self._tools.send("ServiceWorker.deliverPushMessage", delivered)

    def shown(self) -> list[list[Any]]:
        """Title, text and tag of each notification, and whether it is silent."""
        found: list[list[Any]] = self._page.evaluate(
            """async () => (await (await navigator.serviceWorker.ready).getNotifications())
                .map(({title, body, tag, silent}) => [title, body, tag, silent])"""
        )
        return found

    def _on_registrations(self, event: dict[str, Any]) -> None:
        self._found += [each["registrationId"] for each in event["registrations"] if not each["isDeleted"]]


@pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_member_turns_them_on_chooses_and_turns_them_off(come: Come, hall: RoomProcess, kind: dict[str, Any]) -> None:
    ming = come(**{**kind, **ALLOWED})
    with_service(ming)
    ming.join("小明")
    ming.page.goto(f"{ming.address}/profile/")
    ming.page.click("text=推送通知")
    page = ming.page
    form = page.locator("form[data-push]")
    expect(form).to_be_visible()
    expect(page.get_by_role("button", name="关闭")).to_have_count(0)
    page.uncheck("input[name=closes]")
    page.fill("input[name=quiet_from]", "22:00")
    page.click("text=在这台设备上开启")
    expect(page.get_by_role("alert")).to_have_text("免打扰时段请填两个不同的时间，或都留空")
    ming.complaints.clear()  # clear Chromium's own line about the 400
    assert page.evaluate("() => window.subscribedWith") == [True, 65]
    page.fill("input[name=quiet_to]", "07:00")
    page.click("text=在这台设备上开启")
    expect(page.get_by_role("status")).to_have_text("已开启，这台设备会收到通知")
    page.reload()
    expect(page.get_by_role("button", name="保存")).to_be_visible()
    expect(page.locator("input[name=closes]")).not_to_be_checked()
    expect(page.locator("input[name=quiet_to]")).to_have_value("07:00")
    page.click("text=关闭")
    expect(page.get_by_role("status")).to_have_text("已关闭，这台设备不再收到通知")
    page.reload()
    expect(page.get_by_role("button", name="在这台设备上开启")).to_be_visible()


def test_a_subscription_that_the_browser_has_lost_is_ended(come: Come, hall: RoomProcess) -> None:
    ming = come(**ALLOWED)
    device = with_service(ming)
    ming.join("小丽")
    caller = Caller(ming.address, "小丽")
    ming.context.add_cookies(caller.cookies())
    caller.sends("/push/", **device.fields())
    ming.page.goto(f"{ming.address}/push/")
    expect(ming.page.get_by_role("button", name="在这台设备上开启")).to_be_visible()
    assert caller.reads("/push/")["push"]["subscription"] is None


def test_the_notification_is_shown_and_a_recall_replaces_it(come: Come, call: Call, hall: RoomProcess) -> None:
    ming = come(**ALLOWED)
    device = with_service(ming)
    ming.join("小强")
    page = ming.page
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.goto(f"{ming.address}/push/")
    page.check("input[name=words]")
    page.click("text=在这台设备上开启")
    expect(page.get_by_role("status")).to_have_text("已开启，这台设备会收到通知")
    worker = Worker(page)
    # A member whose socket is still connected gets no push notification.
    guest = come()
    guest.open_room()
    expect(guest.page.locator("[data-online]").first).to_have_text("0")
    hong = call("小红")
    message = hong.says("@小强 三点见")
    [told] = taken(hall)
    tag = f"message-{message['id']}"
    worker.deliver(ming.address, device.decrypted(base64.b64decode(told["body"])))
    ming.until(lambda: worker.shown() == [["聊天室", "小红：@小强 三点见", tag, False]])
    hong.recalls(message)
    [told] = taken(hall)
    worker.deliver(ming.address, device.decrypted(base64.b64decode(told["body"])))
    ming.until(lambda: worker.shown() == [["聊天室", "消息已撤回或删除", tag, True]])


def test_where_the_browser_has_none_the_page_says_how_to_get_them(come: Come) -> None:
    ming = come(**PHONE)
    ming.page.add_init_script("delete window.PushManager;")
    ming.join("小花")
    ming.page.goto(f"{ming.address}/push/")
    expect(ming.page.get_by_text("添加到主屏幕")).to_be_visible()
    expect(ming.page.locator("form[data-push]")).to_be_hidden()


def test_a_refused_permission_is_told(come: Come) -> None:
    ming = come(**{**ALLOWED, "permissions": []})
    with_service(ming)
    ming.page.add_init_script("Notification.requestPermission = async () => 'denied';")
    ming.join("小方")
    ming.page.goto(f"{ming.address}/push/")
    ming.page.click("text=在这台设备上开启")
    expect(ming.page.get_by_role("alert")).to_contain_text("浏览器不允许")


def test_an_administrator_turns_them_on_for_the_room(come: Come, call: Call) -> None:
    call(ADMINISTRATOR).sends("/settings/", push="off")
    wang = come(ADMINISTRATOR)
    wang.page.goto(f"{wang.address}/push/")
    wang.page.get_by_role("link", name="聊天室设置").click()
    wang.page.select_option("select[name=push]", "on")
    wang.page.get_by_role("button", name="保存").click()
    expect(wang.page.get_by_role("status")).to_have_text("已保存，立即生效")
    assert call(ADMINISTRATOR).reads("/push/")["push"]["state"] == "on"
