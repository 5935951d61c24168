"""docs/install.md agrees with the files that it names: the unit, its paths, the container."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chatserver.core.config import SETTINGS
from tests.install import wheels
from tests.process.serving import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/install.md").read_text("utf-8")
UNIT = (ROOT / "chat.service").read_text("utf-8")
DOCKERFILE = (ROOT / "docs/deploy/Dockerfile").read_text("utf-8")


def commands(heading: str) -> list[str]:
    """The lines of the first block of commands after a heading."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    block = re.search(r"```sh\n(.*?)```", part, re.S)
    assert block, heading
    return block[1].splitlines()


def unit(name: str) -> str:
    found = re.search(rf"^{name}=(.+)$", UNIT, re.MULTILINE)
    assert found, name
    return found[1]


def test_from_nothing_to_a_running_service_in_under_ten_commands() -> None:
    assert len(commands("A service, from nothing")) < 10


def test_the_commands_make_what_the_unit_starts() -> None:
    lines = commands("A service, from nothing")
    program = unit("ExecStart").split()[0]
    environment = str(Path(program).parents[1])
    assert f"python3 -m venv {environment}" in lines
    assert f"{environment}/bin/pip install ." in lines
    assert f"ln -sf {program} /usr/local/bin/chatserver" in lines
    enabled = lines.index("systemctl enable --now chat.socket chat.service")
    assert lines.index(f"{environment}/bin/pip install .") < lines.index("systemctl daemon-reload") < enabled


def test_the_data_lies_where_the_commands_look_for_it() -> None:
    assert unit("StateDirectory") == "chat" and "CHAT_DATA_DIR=%S/chat" in UNIT
    named = {found.strip("`") for found in re.findall(r"--data-dir ([^\s`]+)", PAGE)}
    assert named == {"/var/lib/chat", "/var/lib/chat-8001"}
    assert unit("EnvironmentFile").removeprefix("-") == "/etc/chat.env" and "/etc/chat.env" in PAGE
    assert "StateDirectory=chat-%i" in (ROOT / "docs/deploy/chat@.service").read_text("utf-8")


@pytest.mark.parametrize("heading", re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
def test_every_file_that_is_copied_is_there(heading: str) -> None:
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in re.findall(r"^(?:cp|install -D -m 644) (.+) \S+$", part, re.MULTILINE):
        assert [source for source in line.split() if not (ROOT / source).is_file()] == [], line
    for variable in re.findall(r"\bCHAT_[A-Z_]+\b", part):
        assert variable in {setting.variable for setting in SETTINGS}


def test_debians_packages_have_these_names() -> None:
    if shutil.which("apt-cache") is None:
        pytest.skip("no apt-cache here")
    names = {name for line in re.findall(r"apt-get install (?:-y )?([a-z0-9 -]+)", PAGE) for name in line.split()}
    assert names == {"python3-venv", "nginx-light", "caddy"}
    known = subprocess.run(["apt-cache", "pkgnames"], capture_output=True, text=True, check=True).stdout.split()
    if "nginx-light" not in known:
        pytest.skip("the lists of packages were not fetched (apt-get update)")
    assert names <= set(known)


PROXIES = {
    "nginx": "nginx.conf",
    "Caddy": "Caddyfile",
    "Apache": "apache.conf",
    "lighttpd": "lighttpd.conf",
    "HAProxy": "haproxy.cfg",
    "Varnish": "varnish.vcl",
}


def proxy_file(name: str) -> str:
    """The proxy's configuration, which the tests of `tests/fronts` run, with single spaces."""
    return " ".join((ROOT / "docs/deploy" / PROXIES[name]).read_text("utf-8").split())


def test_the_table_of_proxies_names_what_their_files_say() -> None:
    rows = re.findall(r"^\| (\w+)(?:, behind hitch)? \| (\[.+?) \| (.+) \|$", PAGE, re.MULTILINE)
    assert [name for name, _, _ in rows] == list(PROXIES)
    for name, files, words in rows:
        assert f"deploy/{PROXIES[name]}" in files
        for word in re.findall(r"`([^`]+)`", words):
            assert word in proxy_file(name), (name, word)


@pytest.mark.parametrize(
    ("symptom", "names"),
    [
        ("421", PROXIES.keys() - {"lighttpd", "Caddy", "HAProxy", "Varnish"}),
        ("403 at registering", set()),
        ("the socket gets 400", PROXIES.keys() - {"Caddy", "HAProxy"}),
        ("Not connected", PROXIES.keys() - {"Caddy", "HAProxy"}),
        ("413", PROXIES.keys() - {"HAProxy", "Varnish"}),
        ("all members have one address", {"nginx", "HAProxy"}),
        ("502", set(PROXIES)),
    ],
)
def test_a_symptom_is_listed_with_the_lines_of_the_proxies_that_mend_it(symptom: str, names: set[str]) -> None:
    part = PAGE.partition("\n## Troubleshooting\n")[2]
    [row] = [line for line in part.splitlines() if line.startswith("| ") and symptom in line.split(" | ")[0]]
    mends = row.split(" | ")[2]
    found = re.findall(rf"\b({'|'.join(PROXIES)}): ((?:`[^`]+`,? ?)+)", mends)
    assert {name for name, _ in found} >= names
    for name, lines in found:
        for line in re.findall(r"`([^`]+)`", lines):
            if not line.startswith("return "):  # VCL's are shown without their braces
                assert line in proxy_file(name), (name, line)


def test_a_reload_is_the_signal_that_reads_the_certificate_again() -> None:
    assert unit("ExecReload") == "/bin/kill -HUP $MAINPID"


def test_the_container_is_made_of_files_that_there_are() -> None:
    for sources in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
    assert set(re.findall(r"\[([a-z]+)\]\"", DOCKERFILE)) == {"heic"}
    lines = PAGE.partition("\n## In a container\n")[2]
    assert "docker build -f docs/deploy/Dockerfile -t chat .\n" in lines
    shown = re.findall(r"^(?:#   )?(docker (?:build|run) .+)$", DOCKERFILE + PAGE, re.MULTILINE)
    assert len(shown) == 4 and shown[:2] == shown[2:]


def test_the_builder_is_sent_what_is_copied_and_no_data() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert lines[1] == "*"
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert sent == {source for sources in copied for source in sources.split()}


def test_what_the_container_is_built_from_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """The first stage of the Dockerfile without Docker: COPY into an empty directory, then its `pip wheel`."""
    source = tmp_path / "src"
    source.mkdir()
    first = DOCKERFILE.partition("\nFROM ")[2].partition("\nFROM ")[0]
    for words in re.findall(r"^COPY (.+)$", first, re.MULTILINE):
        *names, target = words.split()
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, source / target)
    run = re.search(r"^RUN pip (wheel .+) --wheel-dir /wheels \"\.\[heic\]\"$", first, re.MULTILINE)
    assert run
    made = tmp_path / "wheels"
    wheels.command(sys.executable, "-m", "pip", *run[1].split(), "--no-deps", "--wheel-dir", str(made), str(source))
    [built] = made.glob("chatserver-*.whl")
    assert set(zipfile.ZipFile(built).namelist()) == set(zipfile.ZipFile(wheel).namelist())


def test_the_container_runs_as_nobody_special_with_one_volume_around_its_data() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER chat$", final, re.MULTILINE) and "useradd" in final
    [volume] = re.findall(r"^VOLUME (\S+)$", final, re.MULTILINE)
    data = re.search(r"CHAT_DATA_DIR=(\S+)", final)
    assert data and Path(data[1]).parent == Path(volume)
    assert [variable for variable in re.findall(r"CHAT_[A-Z_]+", final)] == ["CHAT_DATA_DIR", "CHAT_HOST"]


async def test_its_health_check_tells_a_room_that_answers_from_one_that_does_not(tmp_path: Path) -> None:
    found = re.search(r"HEALTHCHECK .*\\\n\s+CMD (\[.+\])", DOCKERFILE)
    assert found
    words = json.loads(found[1])
    assert words[0] == "python"
    async with serving(tmp_path / "data", CHAT_BASE_URL="https://chat.example.org") as room:
        check = [sys.executable, *words[1:-1], words[-1].replace("http://127.0.0.1:8000", room.address)]
        assert await _code(check) == 0
        await room.stop()
        assert await _code(check) != 0


async def _code(words: list[str]) -> int | None:
    process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL, env=dict(os.environ))
    return await process.wait()
