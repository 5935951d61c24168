"""A room with hostile texts, and the browser of its administrator.

The names are written directly to the database, because the rules allow none of them. The code that draws them must not
rely on the rules.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import APIResponse, BrowserContext, Page

from tests.browser.conftest import ADMINISTRATOR, PASSWORD, RoomProcess
from tests.browser.markup.hostile_strings import HOSTILE

LISTENING = """
  window.alert = (n) => window.attacked(`alert(${n}) ran`);
  document.addEventListener("securitypolicyviolation", (e) =>
    window.attacked(`${e.violatedDirective}: ${e.blockedURI} ${e.sample}`));
"""
# The structure of a page: its elements and their attributes in order, without their values.
SKELETON = """(html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  return [...page.querySelectorAll("*")].map((e) => `${e.localName} ${e.getAttributeNames().sort()}`);
}"""


@dataclass
class Scene:
    """A room with hostile texts, its administrator's browser, and the violations that the browser reported."""

    room: RoomProcess
    context: BrowserContext
    page: Page
    attacks: list[str] = field(default_factory=list)

    def token(self) -> str:
        self.page.goto(self.room.address + "/logout/")
        return self.page.locator("meta[name=csrf-token]").get_attribute("content") or ""

    def sent(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> APIResponse:
        """Fill in a form of the room and send it."""
        token = {"X-CSRFToken": self._token, "Accept": "text/html", **(headers or {})}
        return self.context.request.post(self.room.address + path, form=fields, headers=token, max_redirects=0)

    def got(self, path: str) -> str:
        """The markup of a page."""
        return self.context.request.get(self.room.address + path, headers={"Accept": "text/html"}).text()

    def start(self) -> None:
        self.page.goto(self.room.address + "/login/")
        self.page.fill("input[name=username]", ADMINISTRATOR)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector("#connection[data-state=online]", state="attached")
        self._token = self.token()


def listen(scene: Scene, context: BrowserContext) -> None:
    context.expose_binding("attacked", lambda _, what: scene.attacks.append(what))
    context.add_init_script(LISTENING)
    context.on("dialog", lambda dialog: (scene.attacks.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    context.on(
        "request",
        lambda request: scene.attacks.append(request.url) if urlsplit(request.url).hostname == "evil.example" else None,
    )


def fill(database: Path) -> None:
    """Members with those names, logged in; half of the messages; reactions and recalls by all of them."""
    now_ms = int(time.time() * 1000)
    with sqlite3.connect(database) as db:
        for n, text in enumerate(HOSTILE):
            user_id = 1000 + n
            db.execute(
                "INSERT INTO users (id, name, skeleton, password, created_ms) VALUES (?, ?, ?, 'none', ?)",
                (user_id, text, f"hostile {n}", now_ms),
            )
            login(db, f"token-{n}", user_id, "", now_ms)
        for n, text in enumerate(HOSTILE[:100]):
            login(db, f"device-{n}", 1, text, now_ms)
            db.execute(
                "INSERT INTO messages (id, seq, posted_seq, kind, user_id, text, reply_to, created_ms, recall_until_ms)"
                " VALUES (?, ?, ?, 'text', ?, ?, ?, ?, ?)",
                (n + 1, n + 1, n + 1, 1000 + n, text, n or None, now_ms, now_ms + 30_000),
            )
            db.execute("INSERT INTO reactions VALUES (?, '🎉', ?)", (n + 1, 1199 - n))
        db.execute("UPDATE messages SET state = 'recalled', text = '', ended_by = 1150 WHERE id % 10 = 5")
        db.execute("UPDATE room SET seq = 100")
    db.close()


def login(db: sqlite3.Connection, token: str, user_id: int, agent: str, now_ms: int) -> None:
    db.execute(
        "INSERT INTO sessions (token_hash, user_id, created_ms, seen_ms, expires_ms, agent, address)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (hashlib.sha256(token.encode()).digest(), user_id, now_ms, now_ms, now_ms + 86_400_000, agent, agent),
    )


def skeletons(scene: Scene, pages: dict[str, str]) -> dict[str, list[str]]:
    """The structure of each of these pages, as the browser's own parser reads it."""
    assert scene.context.browser
    blank = scene.context.browser.new_page()
    try:
        return {what: blank.evaluate(SKELETON, html) for what, html in pages.items()}
    finally:
        blank.close()


def values(scene: Scene, pages: dict[str, str], selector: str) -> dict[str, str]:
    """The value of the first such field on each page."""
    assert scene.context.browser
    blank = scene.context.browser.new_page()
    try:
        return {what: blank.evaluate(_VALUE, [html, selector]) for what, html in pages.items()}
    finally:
        blank.close()


_VALUE = """([html, selector]) =>
  new DOMParser().parseFromString(html, "text/html").querySelector(selector)?.value ?? null"""
