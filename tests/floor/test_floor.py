"""No script or style sheet of the page needs a newer engine than docs/page.md names, by the browsers' own data.

`bash tests/floor/install.sh` installs the linters. Without them these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "static"
INSTALLED = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chat-floor"
SECONDS = 120
TOO_NEW = {
    "bad.js": {
        "[1].at(-1);": "prototype-at",
        "[1].findLast(Boolean);": "findlast",
        "await 1;": "no-top-level-await",
        "structuredClone({});": "structuredClone is not supported",
        "crypto.randomUUID();": "Crypto.randomUUID() is not supported",
        "class A { static {} }": "no-class-static-block",
        "form.requestSubmit();": "requestSubmit() is there since",
    },
    "bad.css": {
        "a { color: oklch(50% 0 0); }": "css-lch-lab",
        "@container (width > 1px) { a { color: red; } }": "css-container-queries",
        "@layer a { a { color: red; } }": "css-cascade-layers",
        "a:has(b) { color: red; }": "css-has",
    },
}


@pytest.fixture(scope="module")
def linters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the configurations, beside the installed packages that they import."""
    if not (INSTALLED / "node_modules/.bin/stylelint").exists():
        explain = pytest.fail if os.environ.get("CHAT_TEST_ENGINES") == "required" else pytest.skip
        explain("no linters of the floor here; bash tests/floor/install.sh brings them")
    folder = tmp_path_factory.mktemp("floor")
    (folder / "node_modules").symlink_to(INSTALLED / "node_modules")
    for name in ("package.json", "eslint.config.mjs", "stylelint.config.mjs"):
        shutil.copy(HERE / name, folder)
    return folder


def complaints(linters: Path, linter: str, files: list[Path], root: Path) -> str:
    command = [str(INSTALLED / "node_modules/.bin" / linter), "--config", str(linters / f"{linter}.config.mjs")]
    names = [str(file.relative_to(root)) for file in files]
    done = subprocess.run([*command, *names], cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode in (0, 1, 2), done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(("linter", "kind"), [("eslint", "js"), ("stylelint", "css")])
def test_nothing_of_the_page_is_too_new(linters: Path, linter: str, kind: str) -> None:
    files = sorted(STATIC.rglob(f"*.{kind}"))
    assert len(files) > 10
    assert complaints(linters, linter, files, STATIC) == ""


@pytest.mark.parametrize(("linter", "name"), [("eslint", "bad.js"), ("stylelint", "bad.css")])
def test_what_is_too_new_is_found(linters: Path, tmp_path: Path, linter: str, name: str) -> None:
    for line, complaint in TOO_NEW[name].items():
        (tmp_path / name).write_text(line + "\n")
        assert complaint in complaints(linters, linter, [tmp_path / name], tmp_path), line
