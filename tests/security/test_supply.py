"""The installed packages: no version with a known vulnerability, and the lock has the tested versions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PACKAGING = ROOT / "docs/deploy/packaging"
LOCKS = [path.read_text("utf-8") for path in (ROOT / "requirements.lock", *sorted(PACKAGING.glob("push*.lock")))]
PINNED = {name: version for name, version in re.findall(r"^([a-z0-9-]+)==([0-9.]+)", "\n".join(LOCKS), re.MULTILINE)}
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = [*PROJECT["dependencies"], *EXTRAS["heic"], *EXTRAS["push"]]
# The program uses private parts of these (chatserver/http/aiohttp_compat/, chatserver/db/aiosqlite_compat.py).
UPPER_BOUNDS = {"aiohttp": "4", "aiosqlite": "0.23"}
# Vulnerabilities were fixed in these versions: request smuggling and header injection; buffer overflows in decoders.
AT_LEAST = {"aiohttp": (3, 14, 5), "pillow": (13,), "jinja2": (3, 1, 6)}


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@pytest.mark.parametrize("needed", NEEDED)
def test_every_dependency_has_a_lower_bound_and_the_lock_is_not_below_it(needed: str) -> None:
    found = re.fullmatch(r"([a-z0-9-]+)>=([0-9.]+)(?:,<([0-9.]+))?", needed)
    assert found, "a lower bound, and nothing that keeps a fix away"
    assert found[3] == UPPER_BOUNDS.get(found[1])
    assert version(PINNED[found[1]]) >= version(found[2]) >= AT_LEAST.get(found[1], ())


def test_everything_in_the_locks_is_pinned_and_hashed() -> None:
    assert len(LOCKS) == 3
    text = re.sub(r"^#.*\n", "", "".join(LOCKS), flags=re.MULTILINE).strip()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert len(entries) == len(PINNED)
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[0-9.]+( ; [^\\]+)? \\\n", entry), entry[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:80]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_name_no_registry(lock: str) -> None:
    assert not re.search(r"://|index-url|find-links|trusted-host|@ ", lock)
