"""Checks the machine: Python, SQLite, packages, the program's own files, the clock."""

from __future__ import annotations

import importlib
import importlib.util
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from chatserver.http import assets
from chatserver.ops.doctor.findings import Finding, note, ok, problem

PYTHON_MIN = (3, 11)
SQLITE_MIN = (3, 37, 0)  # STRICT tables
# Module -> the package that it belongs to.
_PACKAGES = {
    "aiohttp": "aiohttp",
    "aiohttp_jinja2": "aiohttp-jinja2",
    "aiohttp_session": "aiohttp-session",
    "aiosqlite": "aiosqlite",
    "bcrypt": "bcrypt",
    "jinja2": "jinja2",
    "PIL.Image": "pillow",
}
_YEARS = range(2025, 2100)


def checks() -> Iterator[Finding]:
    yield _python()
    yield _sqlite()
    yield _packages()
    yield _heic()
    yield _assets()
    yield _clock()


def _python() -> Finding:
    version = ".".join(str(number) for number in sys.version_info[:3])
    if sys.version_info < PYTHON_MIN:
        return problem(
            "python", f"{version} is too old", "install Python 3.11 or newer and create the environment again"
        )
    return ok("python", version)


def _sqlite() -> Finding:
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        return problem("sqlite", f"{sqlite3.sqlite_version} is too old", "use a Python whose SQLite is 3.37 or newer")
    return ok("sqlite", sqlite3.sqlite_version)


def _packages() -> Finding:
    broken = []
    for module, package in _PACKAGES.items():
        try:
            importlib.import_module(module)
        except Exception as error:  # a broken package may raise any exception
            broken.append(f"{package} ({type(error).__name__}: {error})")
    if broken:
        return problem("packages", f"cannot be imported: {', '.join(broken)}", "install the program again with pip")
    return ok("packages", "all can be imported")


def _heic() -> Finding:
    if importlib.util.find_spec("pi_heif") is None:
        return note("heic", "HEIC photos are refused", "to accept them, install pi-heif (the extra `heic`)")
    return ok("heic", "photos in HEIC are accepted")


def _assets() -> Finding:
    try:
        pages = [assets.templates_dir() / name for name in ("chatroom.html", "chatroom_mobile.html")]
        missing = [str(path) for path in (*pages, assets.static_dir() / "js") if not path.exists()]
    except FileNotFoundError as error:
        missing = [str(error)]
    if missing:
        advice = "install the program again, or check out the whole repository"
        return problem("pages", f"missing: {', '.join(missing)}", advice)
    return ok("pages", "templates and static files exist")


def _clock() -> Finding:
    now = datetime.now(UTC)
    if now.year not in _YEARS:
        return problem(
            "clock",
            f"system date is {now:%Y-%m-%d}",
            "set the host's clock (timedatectl): message expiry depends on it",
        )
    return ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")
