"""Figures of the page, measured in Chromium: `python -m tests.browser.figures`. On a quiet machine.

How much script a hundred messages cost, and how the page bears a burst of 200 messages a second.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, WebSocketRoute, sync_playwright

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, FLAGS, Visitor, chromium, serving

BURST_SECONDS = 5
A_SECOND = 200
BATCHES = 20  # a second: the server joins what it commits together


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        with serving(Path(folder) / "data", send_interval="0", registrations_per_hour="0") as room:
            Caller(room.address, "莉莉").says_many(100, "第 {} 条，有一点长，像平时说的话那样")
            hundred_messages(browser, room.address)
            burst(browser, room.address)
        browser.close()


def hundred_messages(browser: Browser, address: str) -> None:
    visitor = _come(browser, address)
    visitor.join("小明")
    spent = []
    for _ in range(7):
        session = visitor.context.new_cdp_session(visitor.page)
        session.send("Performance.enable")
        visitor.page.reload()
        visitor.page.wait_for_function("() => document.querySelectorAll('#messages article').length >= 100")
        found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        spent.append(found["ScriptDuration"] * 1000)
        session.detach()
    print(f"100 messages: {statistics.median(spent):.0f} ms of script in all, median of {len(spent)} loads")
    visitor.context.close()


def burst(browser: Browser, address: str) -> None:
    visitor = _come(browser, address)
    opened: list[WebSocketRoute] = []

    def connect(route: WebSocketRoute) -> None:
        opened.append(route)
        route.connect_to_server()

    visitor.page.route_web_socket("**/ws/chat/**", connect)
    visitor.join("小明")
    message = visitor.page.evaluate("() => JSON.parse(document.querySelector('#present').textContent).messages.at(-1)")
    visitor.page.evaluate(
        """() => {
            window.frames_ = 0;
            const count = () => { window.frames_ += 1; requestAnimationFrame(count); };
            requestAnimationFrame(count);
        }"""
    )
    began, number = time.monotonic(), message["id"]
    while time.monotonic() - began < BURST_SECONDS:
        due = message["id"] + int((time.monotonic() - began) * A_SECOND)
        while number < due:
            number += 1
            changed = {**message, "id": number, "seq": number, "user_id": 99, "client_id": ""}
            opened[-1].send(json.dumps({"type": "message", "seq": number, "message": changed}))
        visitor.page.wait_for_timeout(1000 / BATCHES)
    took = time.monotonic() - began
    frames, articles = visitor.page.evaluate(
        "() => [window.frames_, document.querySelectorAll('#messages article').length]"
    )
    print(
        f"burst: {(number - message['id']) / took:.0f} messages a second, {frames / took:.0f} frames a second,", end=" "
    )
    print(f"{articles} messages in the document at the end")
    visitor.context.close()


def _come(browser: Browser, address: str) -> Visitor:
    return Visitor(browser.new_context(**DESKTOP, locale="zh-CN", service_workers="block"), address)


if __name__ == "__main__":
    main()
