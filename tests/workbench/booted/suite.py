"""The tests without a browser, in a Debian system of their own with that release's Python, SQLite and proxies.

It needs about 1.5 GB of disk space, and as long as the tests take. tree.py says which programs it needs.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.install.wheels import ROOT
from tests.workbench.booted.tree import download, inside, make, run

PACKAGES = (
    "apache2 caddy haproxy hitch lighttpd lighttpd-mod-openssl nginx-light openssl pipx procps python3 python3-venv"
    " strace systemd varnish"
).split()
SECONDS_MAX = 3 * 3_600
# Packages that pipx and an editable installation fetch.
_TOOLS = ("pip", "editables")
# The index has no wheel of these packages.
_SOURCE_ONLY = ("forbiddenfruit", "http-ece")
# All packages come from /wheels, also those of the installation tests.
_VARIABLES = ("PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels", "UV_OFFLINE=1", "UV_FIND_LINKS=/wheels", "LANG=C.UTF-8")
_COMMANDS = """cd /src
python3 -m venv .venv && .venv/bin/pip install --quiet -e '.[test]' || exit 1
.venv/bin/python -m pytest -q --ignore=tests/browser --junit-xml=/suite.xml >/suite.log 2>&1
exit 0"""


async def suite(directory: Path, release: str, without: Sequence[str] = ()) -> Mapping[str, float]:
    """Run the tests in Debian `release` ("trixie", "sid"), which lacks the packages `without`. Returns how many passed.

    Raises AssertionError with the log if a test failed, and RuntimeError if a tool is missing.
    """
    return await asyncio.to_thread(_suite, directory, release, without)


def _suite(directory: Path, release: str, without: Sequence[str]) -> Mapping[str, float]:
    tree = make(directory, release, [name for name in PACKAGES if name not in without])
    wheels = str(tree / "wheels")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, *_SOURCE_ONLY)
    download(tree, "--find-links", wheels, *_TOOLS, f"{ROOT}[test]")
    options = [f"--setenv={variable}" for variable in _VARIABLES]
    inside(tree, *options, "sh", "-c", _COMMANDS, seconds=SECONDS_MAX)
    log = (tree / "suite.log").read_text("utf-8")
    found = ElementTree.parse(tree / "suite.xml").getroot().find("testsuite")
    assert found is not None, log
    count = {name: int(found.attrib[name]) for name in ("tests", "skipped", "failures", "errors")}
    failed = count["failures"] + count["errors"]
    assert failed == 0, f"{release}: {failed} failed\n{log}"
    return {"passed": count["tests"] - count["skipped"], "skipped": count["skipped"]}
