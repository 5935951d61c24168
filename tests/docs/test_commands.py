"""Every command in the documentation works: the room's own commands are run, all others are known ones."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.client import PASSWORD
from tests.docs.pages import PAGES, ROOT, commands
from tests.ops.conftest import Operate
from tests.process.serving import listening, prepare, start

CHEAP = {"CHAT_BCRYPT_ROUNDS": "4"}
# How a page calls the program: in a checkout or installed.
OURS = re.compile(r"^((?:CHAT_\w+=\S+ )*)(?:\.venv/bin/python run\.py|(?:\.venv/bin/)?chatserver)(?: (.*))?$")
# Commands of the system, and their conditions.
UNITS = {path.name for folder in (ROOT, ROOT / "docs/deploy") for path in folder.glob("chat*.*")}
FOREIGN = re.compile(
    r"^(apt-get install|docker (build|run|exec)|journalctl -u chat\b|nginx -t$|pipx install dist/|uv tool install dist/"
    r"|sh docs/deploy/uninstall\.sh( --erase)?$|sh docs/deploy/packaging/build-deb\.sh /root$|dpkg -i /root/"
    r"|python3 -m venv |\S*/bin/(pip|python|ruff|mypy)\b|ln -sf|install -D|rm -rf? |systemctl|cp "
    r"|python -m tests\.bench)"
)


def ours(page: str) -> list[tuple[dict[str, str], list[str]]]:
    """The variables and the arguments of each call of the room's program."""
    calls = [match for line in commands(page) if (match := OURS.match(line))]
    return [(dict(word.split("=", 1) for word in shlex.split(call[1])), shlex.split(call[2] or "")) for call in calls]


@pytest.mark.parametrize("page", PAGES)
def test_every_other_command_is_known(page: str) -> None:
    for line in commands(page):
        # `a && b` is two commands. The two lines of the README are run as .ci/run and test_docs run them.
        for command in line.split(" && "):
            assert OURS.match(command) or FOREIGN.match(command), f"{page}: {command}"
            if command.startswith("systemctl ") and "chat" in command:
                named = [re.sub(r"@\d+", "@", name) for name in re.findall(r"\bchat[\w.@-]*", command)]
                assert {name if "." in name else f"{name}.service" for name in named} <= UNITS, command
            if command.startswith("cp "):
                *sources, _ = command.split()[1:]
                assert [source for source in sources if not (ROOT / source).is_file()] == [], command


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    asyncio.run(prepare(folder, "小明"))
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if ours(page)])
async def test_our_own_commands_do_what_the_page_says(
    page: str, prepared: Path, tmp_path: Path, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run the commands one after the other, as a reader would type them. `serve` gets a process of its own."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    data, archive = tmp_path / "data", tmp_path / "kept.tar"
    for index, (variables, words) in enumerate(ours(page)):
        aside = tmp_path / str(index)
        aside.mkdir()
        if not words or words[0] == "serve" or words[0].startswith("-"):
            await _serve(variables, _without_data_dir(words), data)
            continue
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            await _carry_out(operate, _without_data_dir(words), data, archive, aside)


def _without_data_dir(words: list[str]) -> list[str]:
    if "--data-dir" in words:
        at = words.index("--data-dir")
        return words[:at] + words[at + 2 :]
    return words


async def _carry_out(operate: Operate, words: list[str], data: Path, archive: Path, aside: Path) -> None:
    typed = ""
    if words[0] in ("create-admin", "reset-password"):
        words, typed = [*words, "--password-stdin"], PASSWORD + "\n"
    if words[0] == "restore":
        shutil.copy(archive, aside / "kept.tar")
        words[1] = str(aside / "kept.tar")
    words = [_moved(word, aside) for word in words]
    done = await operate(*words, "--data-dir", data, typed=typed)
    assert done.code == 0, f"{words}: {done.out}{done.err}"


def _moved(word: str, aside: Path) -> str:
    """Files that a command writes go to another directory."""
    is_file = word.endswith((".tar", ".tar.gz", ".jsonl", ".html")) and not word.startswith(str(aside))
    return str(aside / Path(word).name) if is_file else word


async def _serve(variables: dict[str, str], words: list[str], data: Path) -> None:
    words = words or ["serve"]
    process = await start(*words, "--port", "0", "--data-dir", str(data), **CHEAP, **variables)
    async with listening(process) as server:
        done = await server.stop()
    assert done.code == 0, done.err
