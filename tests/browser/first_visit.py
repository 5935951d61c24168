"""The cost of a phone's first visit until it is online: `python -m tests.browser.first_visit [TREE …]`.

For each tree (default: this one): a room with a history of 30 messages, 10 of them photographs, and an announcement. It
prints the bytes and requests until the page is online, and the seconds at 400 kbit/s and 400 ms on a processor that is
four times slower. Name the tree before and the tree after in one run, so that both are measured on the same machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser import photos
from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, FLAGS, PHONE, ROOT, chromium, serving

HISTORY, PHOTOS = 30, 10
VISITS = 3
# A phone with a weak signal: 400 kbit/s, 400 ms, and a quarter of the processor.
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
SLOWER_TIMES = 4


_NOTE_ONLINE = """() => {
    performance.setResourceTimingBufferSize(1000);
    new MutationObserver((_, self) => {
        if (!document.querySelector('#connection[data-state=online]')) return;
        window.onlineAt_ ||= performance.now();
        self.disconnect();
    }).observe(document, { subtree: true, childList: true, attributeFilter: ['data-state'] });
}"""
# The requests before the page was online, with all of their bytes.
_UNTIL_ONLINE = """() => {
    const began = (entry) => entry.startTime < window.onlineAt_;
    const found = ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type)).filter(began);
    const bytes = found.reduce((sum, { transferSize }) => sum + transferSize, 0);
    return [window.onlineAt_, bytes, found.map(({ name }) => name)];
}"""


@dataclass
class Visit:
    bytes_received: int
    requests: list[str]
    seconds: float


def main(trees: list[Path]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for tree in trees:
            with tempfile.TemporaryDirectory() as folder, serving(Path(folder), tree=tree, send_interval="0") as room:
                furnish(room.address)
                fast = visit(browser, room.address, slow=False)
                slow = [visit(browser, room.address, slow=True).seconds for _ in range(VISITS)]
            print(
                f"{tree}: {fast.bytes_received / 1024:.0f} KB and {len(fast.requests)} requests until online;"
                f" slow line: {statistics.median(slow):.1f} s, median of {VISITS}"
            )
            print("\n".join(f"    {each}" for each in fast.requests))
        browser.close()


def furnish(address: str) -> None:
    admin, li = Caller(address, ADMINISTRATOR), Caller(address, "莉莉")
    admin.send("/upload_global_background", {}, photos.lake(2400, 1600))
    for i in range(HISTORY):
        if i % (HISTORY // PHOTOS) == 0:
            li.says("", image=photos.lake())
        else:
            li.says(f"第 {i} 条，有一点长，像平时说的话那样")


def visit(browser: Browser, address: str, *, slow: bool) -> Visit:
    """A member's first visit on a phone with an empty cache."""
    context = browser.new_context(**PHONE, service_workers="block", locale="zh-CN")  # type: ignore[arg-type]
    context.add_cookies(Caller(address, "小明").cookies())  # type: ignore[arg-type]
    page = context.new_page()
    session = context.new_cdp_session(page)
    if slow:
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_TIMES})
    page.add_init_script(f"({_NOTE_ONLINE})()")
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => window.onlineAt_", timeout=120_000)
    page.wait_for_load_state("networkidle")
    online_ms, received, names = page.evaluate(_UNTIL_ONLINE)
    context.close()
    return Visit(received, [name.removeprefix(address) for name in names], online_ms / 1000)


if __name__ == "__main__":
    main([Path(tree).resolve() for tree in sys.argv[1:]] or [ROOT])
