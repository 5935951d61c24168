"""Figures of the page, measured in Chromium on a quiet machine: `python -m tests.browser.figures`.

They show how much script time a hundred messages take, and how the page handles a burst of 200 messages a second. The
busy time of the page's own thread is processor time, which other work on the machine hardly changes. The frames a
second depend on the machine.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, WebSocketRoute, sync_playwright

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, FLAGS, Visitor, chromium, serving

LOADS = 7
BURST_SECONDS = 5
A_SECOND = 200
BATCHES = 20  # Batches in a second. The server joins the messages of one commit, so single messages would differ.


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
    for _ in range(LOADS):
        session = visitor.context.new_cdp_session(visitor.page)
        session.send("Profiler.enable")
        session.send("Profiler.setSamplingInterval", {"interval": 200})
        session.send("Profiler.start")
        visitor.page.reload()
        visitor.page.wait_for_function("() => document.querySelectorAll('#messages article').length >= 100")
        visitor.wait_online()
        spent.append(in_scripts(session.send("Profiler.stop")["profile"], address) / 1000)
        session.detach()
    print(f"100 messages: {statistics.median(spent):.0f} ms in our scripts, median of {LOADS} loads")
    visitor.context.close()


def burst(browser: Browser, address: str) -> None:
    visitor = _come(browser, address)
    opened: list[WebSocketRoute] = []

    def connect(route: WebSocketRoute) -> None:
        opened.append(route)
        route.connect_to_server()

    visitor.page.route_web_socket("**/ws/chat/**", connect)
    visitor.join("小明")
    page_data = json.loads(visitor.page.locator("#page-data").text_content() or "")
    message = page_data["messages"][-1]
    visitor.page.evaluate(
        """() => {
            window.frames_ = 0;
            const count = () => { window.frames_ += 1; requestAnimationFrame(count); };
            requestAnimationFrame(count);
        }"""
    )
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = busy(session)["TaskDuration"]
    began, number = time.monotonic(), message["id"]
    while time.monotonic() - began < BURST_SECONDS:
        due = message["id"] + int((time.monotonic() - began) * A_SECOND)
        while number < due:
            number += 1
            changed = {**message, "id": number, "seq": number, "user_id": 99, "client_id": ""}
            opened[-1].send(json.dumps({"type": "message", "seq": number, "message": changed}))
        visitor.page.wait_for_timeout(1000 / BATCHES)
    took = time.monotonic() - began
    worked = (busy(session)["TaskDuration"] - before) / took
    frames, articles = visitor.page.evaluate(
        "() => [window.frames_, document.querySelectorAll('#messages article').length]"
    )
    print(
        f"burst: {(number - message['id']) / took:.0f} messages a second, {frames / took:.0f} frames a second,", end=" "
    )
    print(f"the page's thread {worked:.0%} busy, {articles} messages in the document at the end")
    visitor.context.close()


def in_scripts(profile: dict[str, Any], address: str) -> float:
    """Microseconds in the page's functions, and in the browser functions that they call, from a CPU profile."""
    nodes = {node["id"]: node for node in profile["nodes"]}
    parents = {child: node["id"] for node in profile["nodes"] for child in node.get("children", [])}

    def is_ours(node_id: int | None) -> bool:
        while node_id is not None:
            if nodes[node_id]["callFrame"]["url"].startswith(address):
                return True
            node_id = parents.get(node_id)
        return False

    ours = {node_id for node_id in nodes if is_ours(node_id)}
    return float(sum(took for at, took in zip(profile["samples"], profile["timeDeltas"], strict=True) if at in ours))


def busy(session: CDPSession) -> dict[str, float]:
    """Seconds that the page's own thread has worked, by kind of work."""
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def _come(browser: Browser, address: str) -> Visitor:
    return Visitor(browser.new_context(**DESKTOP, locale="zh-CN", service_workers="block"), address)


if __name__ == "__main__":
    main()
