"""The systemd units, as systemd itself reads them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from chatserver.ops.control.server import PUSH_SOCKET

ROOT = Path(__file__).parents[1]
WITH_A_SOCKET, DIRECT, SOCKET = ROOT / "chat.service", ROOT / "docs/deploy/chat-direct.service", ROOT / "chat.socket"
TEMPLATE, TEMPLATE_SOCKET = ROOT / "docs/deploy/chat@.service", ROOT / "docs/deploy/chat@.socket"
PUSH = ROOT / "docs/deploy/chat-push.service"
UNITS = [WITH_A_SOCKET, DIRECT, TEMPLATE]
NAMES = ["with a socket", "direct", "template"]
DROP_INS = sorted((ROOT / "docs/deploy").glob("chat.*.d/*.conf"))

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed: apt-get install systemd"
)


def analyze(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=60)


def directives(unit: Path) -> dict[str, list[str]]:
    """Name -> its values, in order."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^([A-Z]\w+)=(.*)$", unit.read_text("utf-8"), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@needs_systemd
@pytest.mark.parametrize(
    ("unit", "most"), [(WITH_A_SOCKET, 0.5), (DIRECT, 1.2), (TEMPLATE, 0.5), (PUSH, 1.2)], ids=[*NAMES, "push"]
)
def test_what_is_left_exposed_is_little(unit: Path, most: float) -> None:
    done = analyze("security", "--offline=true", "--no-pager", str(unit), cwd=ROOT)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= most, done.stdout


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
@pytest.mark.parametrize("is_changed", [False, True], ids=["alone", "with all drop-ins"])
def test_systemd_finds_nothing_wrong_with_them(unit: Path, is_changed: bool, tmp_path: Path) -> None:
    instance, socket = ("chat@8001", TEMPLATE_SOCKET) if unit is TEMPLATE else ("chat", SOCKET)
    # The program is not installed here, so any executable file stands in for it.
    text = unit.read_text("utf-8").replace("/opt/chat/.venv/bin/chatserver", "/bin/true")
    name = "chat@.service" if unit is TEMPLATE else "chat.service"
    (tmp_path / name).write_text(text)
    shutil.copy(socket, tmp_path)
    for drop_in in DROP_INS if is_changed else ():
        directory = tmp_path / drop_in.parent.name.replace("chat.", f"{name.partition('.')[0]}.")
        directory.mkdir(exist_ok=True)
        shutil.copy(drop_in, directory)
    variables = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    done = analyze("verify", f"{instance}.service", f"{instance}.socket", cwd=tmp_path, env=variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_there_is_a_drop_in_for_each_credential_and_none_in_the_units() -> None:
    loaded = [value for drop_in in DROP_INS for value in directives(drop_in).get("LoadCredential", [])]
    assert sorted(loaded) == ["chat.metrics_token", "chat.tls_cert", "chat.tls_key"]
    for unit in UNITS:  # systemd 257 logs a line for each missing credential
        assert "LoadCredential" not in directives(unit), unit


def test_the_sockets_drop_in_takes_back_all_that_keeps_others_out() -> None:
    found = directives(ROOT / "docs/deploy/chat.socket.d/tls.conf")
    assert found["ListenStream"] == ["", "[::]:443"]
    assert {name: found[name] for name in directives(SOCKET) if name.startswith("IPAddress")} == {
        "IPAddressDeny": [""],
        "IPAddressAllow": [""],
    }


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        (
            WITH_A_SOCKET,
            TEMPLATE,
            {"Description", "Requires", "After", "StateDirectory", "Environment", "EnvironmentFile"},
        ),
        (SOCKET, TEMPLATE_SOCKET, {"Description", "ListenStream"}),
    ],
    ids=["service", "socket"],
)
def test_a_template_differs_in_what_is_an_instances_own(one: Path, other: Path, names: set[str]) -> None:
    ours, template = directives(one), directives(other)
    differing = {name for name in ours.keys() | template.keys() if ours.get(name) != template.get(name)}
    assert differing == names
    for name in names:
        assert any("%i" in value for value in template[name]), name


def test_the_two_differ_in_the_network_alone() -> None:
    ours, direct = directives(WITH_A_SOCKET), directives(DIRECT)
    differing = {name for name in ours.keys() | direct.keys() if ours.get(name) != direct.get(name)}
    assert differing == {"Requires", "Wants", "After", "PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies"}


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_a_database_that_cannot_be_used_is_not_tried_again(unit: Path) -> None:
    found = directives(unit)
    assert found["Restart"] == ["on-failure"]
    assert {"78", "2"} <= set(found["RestartPreventExitStatus"][0].split())


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_what_it_keeps_is_for_its_user_alone(unit: Path) -> None:
    found = directives(unit)
    assert (found["StateDirectoryMode"], found["UMask"], found["DynamicUser"]) == (["0700"], ["0077"], ["yes"])


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_push_unit(tmp_path: Path) -> None:
    for unit in (PUSH, WITH_A_SOCKET, SOCKET):
        text = unit.read_text("utf-8").replace("/opt/chat/.venv/bin/chatserver", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    variables = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    done = analyze("verify", "chat-push.service", cwd=tmp_path, env=variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_push_unit_is_shut_in_like_the_room_but_for_the_network_and_sees_no_data() -> None:
    """The sandbox of the room's unit, without the lines for its socket, its directory and its workers."""
    room, push = directives(WITH_A_SOCKET), directives(PUSH)
    own = {"Description", "ExecStart", "Type", "After", "EnvironmentFile", "WantedBy", "LimitNOFILE", "RestartSec"}
    own |= {
        "RestartPreventExitStatus",
        "PrivateNetwork",
        "IPAddressDeny",
        "RestrictAddressFamilies",
        "SystemCallFilter",
    }
    own |= {"Requires", "ExecReload", "StateDirectory", "StateDirectoryMode", "Environment", "WatchdogSec"}
    own |= {"Wants", "PartOf", "BindReadOnlyPaths", "InaccessiblePaths", "SocketBindDeny", "OOMPolicy"}
    assert {name for name in room.keys() | push.keys() if room.get(name) != push.get(name)} == own
    assert room["SystemCallFilter"][: len(push["SystemCallFilter"])] == push["SystemCallFilter"]
    assert push["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]
    assert (push["DynamicUser"], push["SocketBindDeny"]) == (["yes"], ["any"])
    assert "User" not in push and "StateDirectory" not in push, "another user than the room's"
    [bound] = push["BindReadOnlyPaths"]
    assert bound == f"/var/lib/private/chat/{PUSH_SOCKET.parent}:/run/chat-push"
    assert push["ExecStart"][0].endswith(f"--socket /run/chat-push/{PUSH_SOCKET.name}")
