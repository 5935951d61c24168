"""Real browsers on the real server: Debian's Chromium, with the server in a process of its own."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.browser.caller import PASSWORD, Caller
from tests.process.serving import CHEAP, ROOT, address_of, environment

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
RUN = ("run.py",)
ADMINISTRATOR = "小王"
# The timeout of every step of a test. No step should take long, but a machine with other work may be slow, and
# Playwright's default of five seconds then fails because of the machine.
PATIENCE_SECONDS = 60
expect.set_options(timeout=PATIENCE_SECONDS * 1000)

# A phone's browser: its User-Agent, its screen, and touch.
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.5 Mobile/15E148 Safari/604.1",
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        explain = pytest.fail if os.environ.get("CHAT_TEST_BROWSER") == "required" else pytest.skip
        explain("no Chromium here; `sudo apt install chromium` gives one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def chromium() -> str | None:
    """The path of Chromium if it is installed on this machine."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class RoomProcess:
    """`python run.py serve`, with an administrator called 小王."""

    address: str
    data_dir: Path
    process: subprocess.Popen[str]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[RoomProcess]:
    with serving(tmp_path / "data") as process:
        yield process


@pytest.fixture(scope="module")
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoomProcess]:
    """One room for all tests of a module. The module may set SETTINGS, or another PROGRAM that serves the room.

    There is no interval between two messages.
    """
    settings = {"send_interval": "0", "registrations_per_hour": "0", "history_limit": "1000"}
    settings |= getattr(request.module, "SETTINGS", {})
    program = getattr(request.module, "PROGRAM", RUN)
    with serving(tmp_path_factory.mktemp("hall") / "data", program=program, **settings) as process:
        yield process


@contextmanager
def serving(
    data_dir: Path, port: int = 0, program: Sequence[str] = RUN, tree: Path = ROOT, **settings: str
) -> Iterator[RoomProcess]:
    """Run the room in a process of its own. `settings` are CHAT_ variables without their prefix.

    `tree`: the checkout of the program, which may be an older one.
    """
    add_administrator(data_dir, tree)
    variables = {f"CHAT_{name.upper()}": value for name, value in settings.items()}
    with _started(program, "--port", str(port), "--data-dir", str(data_dir), tree=tree, **variables) as process:
        assert process.stdout is not None
        yield RoomProcess(address_of(process.stdout.readline()), data_dir, process)


def add_administrator(data_dir: Path, tree: Path = ROOT) -> None:
    """Put a database with one administrator into the data directory, unless it has a database."""
    database = data_dir / "chat.db"
    if not database.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        database.write_bytes(_with_administrator(tree))


@functools.cache
def _with_administrator(tree: Path) -> bytes:
    """The database that `create-admin` of a tree makes."""
    with tempfile.TemporaryDirectory() as folder:
        command = ("run.py", "create-admin", ADMINISTRATOR, "--password-stdin", "--data-dir", folder)
        subprocess.run(
            [sys.executable, *command],
            cwd=tree,
            env=environment(CHAT_BCRYPT_ROUNDS="4"),
            input=PASSWORD + "\n",
            text=True,
            check=True,
            capture_output=True,
        )
        return Path(folder, "chat.db").read_bytes()


@contextmanager
def first_run(data_dir: Path) -> Iterator[str]:
    """A room without an administrator. Yields the one-time address of its setup page."""
    with _started(RUN, "--port", "0", "--data-dir", str(data_dir)) as process:
        assert process.stdout is not None
        while "/setup/" not in (line := process.stdout.readline()):
            assert line, "the server said nothing"
        yield next(word for word in line.split() if word.startswith("http"))


@contextmanager
def _started(
    program: Sequence[str], *flags: str, tree: Path = ROOT, **variables: str
) -> Iterator[subprocess.Popen[str]]:
    """Run `serve` during the block."""
    words = [sys.executable, *program, "serve", *flags, *CHEAP]
    with subprocess.Popen(words, cwd=tree, env=environment(**variables), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


def until(page: Page, holds: Callable[[], object]) -> None:
    """Wait until `holds()` is true, while the page runs. Fails after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        page.wait_for_timeout(50)


class Visitor:
    """One person with one browser. Every error that the page logs fails the test."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self.address = address
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)

    def register(self, name: str) -> None:
        self.page.goto(f"{self.address}/register/")
        self._submit(name)

    def log_in(self, name: str) -> None:
        self.page.goto(f"{self.address}/login/")
        self._submit(name)

    def join(self, name: str) -> None:
        """Log in as `name`, registered or not, without the login page."""
        self.context.add_cookies(Caller(self.address, name).cookies())
        self.open_room()

    def open_room(self, query: str = "") -> None:
        self.page.goto(f"{self.address}/{query}")
        self.wait_online()

    def wait_online(self) -> None:
        self.page.wait_for_selector("#connection[data-state=online]", state="attached")

    def say(self, text: str) -> None:
        """Type a text and send it, as on this kind of page."""
        self.page.fill("#composer textarea[name=text]", text)
        self.page.click("#composer [type=submit]")

    def sees(self, text: str) -> None:
        """Wait until a stored message with this text is shown."""
        self.page.wait_for_selector(f'#messages article[data-id][data-state=live]:has-text("{text}")')

    @property
    def field(self) -> Locator:
        return self.page.locator("#composer textarea[name=text]")

    def message(self, text: str) -> Locator:
        """The newest stored message with this `text`."""
        return self.page.locator(self.article(text)).last

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until the condition holds, while the page runs."""
        until(self.page, holds)

    def drawn(self) -> None:
        """Wait for two frames, so that pending changes are drawn. A headless Chromium sometimes draws no frame: then
        wait two seconds."""
        self.page.evaluate(
            """() => Promise.race([
                new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))),
                new Promise(done => setTimeout(done, 2000)),
            ])"""
        )

    def stops_the_clock(self) -> None:
        """From here on the time of this page moves only by `page.clock.run_for`, however slow the machine is."""
        self.page.clock.pause_at(self.page.evaluate("() => Date.now() + 100"))

    def hides(self, hidden: bool = True) -> None:
        """Hide or show the tab, because headless tabs are never hidden by themselves."""
        self.page.evaluate(
            """hidden => {
                Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
                const state = hidden ? 'hidden' : 'visible';
                Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => state});
                document.hasFocus = () => !hidden;
                document.dispatchEvent(new Event('visibilitychange'));
            }""",
            hidden,
        )

    def violations(self) -> list[tuple[str, list[str]]]:
        """The faults that axe finds when nothing moves any more: the rule, and the elements that break it."""
        self.page.wait_for_function("() => document.getAnimations().every(each => each.playState !== 'running')")
        found = Axe().run(self.page).response["violations"]
        return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]

    def article(self, text: str) -> str:
        return f'#messages article[data-id]:has-text("{text}")'

    def act(self, text: str, action: str) -> None:
        """Choose `action` in the menu of the message with this `text`."""
        article = self.page.locator(self.article(text)).last
        article.hover()
        article.locator("[data-action=menu]").click()
        self.page.click(f"[data-action={action}]:visible")

    def _submit(self, name: str) -> None:
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        self.wait_online()


@pytest.fixture
def visit(browser: Browser, room: RoomProcess) -> Iterator[Callable[..., Visitor]]:
    """`visit()` opens a browser of its own for a person; `visit(**PHONE)` opens a phone's browser."""
    yield from _visits(browser, room)


@pytest.fixture
def come(browser: Browser, hall: RoomProcess) -> Iterator[Callable[..., Visitor]]:
    """Like `visit`, for the module's room. `come("小明")` is logged in and online."""
    yield from _visits(browser, hall)


@pytest.fixture
def call(hall: RoomProcess) -> Callable[[str], Caller]:
    """`call("莉莉")`: a member of the module's room without a browser."""
    return lambda name: Caller(hall.address, name)


@pytest.fixture
def wang(call: Callable[[str], Caller]) -> Iterator[Caller]:
    """The administrator of the module's room. An ordering window that is open at the end of a test is closed."""
    caller = call(ADMINISTRATOR)
    yield caller
    with suppress(HTTPError):  # no window is open
        caller.presets("stop")


def _visits(browser: Browser, room: RoomProcess) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def open_browser(name: str = "", **options: object) -> Visitor:
        settings = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "service_workers": "block", **DESKTOP, **options}
        visitor = Visitor(browser.new_context(**settings), room.address)  # type: ignore[arg-type]
        visitors.append(visitor)
        if name:
            visitor.join(name)
        return visitor

    yield open_browser
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    assert complaints == []
