"""docs/deploy/uninstall.sh lists everything that an installation leaves, erases it, and changes nothing else."""

from __future__ import annotations

import fnmatch
import re
import subprocess
from pathlib import Path, PurePath

import pytest

from tests.client import files_under

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs/deploy/uninstall.sh"

LEFT = [
    "etc/systemd/system/chat.service",
    "etc/systemd/system/chat.socket",
    "etc/systemd/system/chat.service.d/tls.conf",
    "etc/systemd/system/chat.socket.d/override.conf",
    "etc/systemd/system/chat@.service",
    "etc/systemd/system/chat@.socket",
    "etc/systemd/system/chat@8001.socket.d/override.conf",
    "etc/systemd/system/chat@8001.service.d/override.conf",
    "etc/systemd/system/chat-backup.service.d/override.conf",
    "etc/systemd/system/chat-backup.timer.d/override.conf",
    "etc/systemd/system/chat-backup.service",
    "etc/systemd/system/chat-backup.timer",
    "etc/systemd/system/chat-push.service",
    "etc/systemd/system/chat-push.service.d/override.conf",
    "etc/chat.env",
    "etc/chat-8001.env",
    "etc/chat-push.env",
    "etc/credstore/chat.metrics_token",
    "etc/credstore/chat.tls_cert",
    "etc/credstore/chat.tls_key",
    "etc/fail2ban/filter.d/chat.conf",
    "etc/fail2ban/jail.d/chat.conf",
    "opt/chat/.venv/bin/chatserver",
    "var/lib/private/chat/chat.db",
    "var/lib/private/chat-8001/chat.db",
    "var/lib/private/chat.before-restore-20261130-120000/chat.db",
    "var/lib/private/.chat.restoring-0123abcd/chat.db",
    # Of a service without DynamicUser=.
    "var/lib/chat-8002/chat.db",
    "var/lib/chat.before-restore-20261130-120001/chat.db",
    "var/lib/.chat.restoring-4567cdef/chat.db",
    "var/lib/systemd/timers/stamp-chat-backup.timer",
    "var/backups/chat/chat-20261130-033000.tar",
    "var/backups/chat-before-upgrade.tar",
]
LINKS = {
    "etc/systemd/system/sockets.target.wants/chat.socket": "/etc/systemd/system/chat.socket",
    "etc/systemd/system/sockets.target.wants/chat@8001.socket": "/etc/systemd/system/chat@.socket",
    "etc/systemd/system/multi-user.target.wants/chat.service": "/etc/systemd/system/chat.service",
    "etc/systemd/system/multi-user.target.wants/chat@8001.service": "/etc/systemd/system/chat@.service",
    "etc/systemd/system/timers.target.wants/chat-backup.timer": "/etc/systemd/system/chat-backup.timer",
    "etc/systemd/system/chat.service.wants/chat-push.service": "/etc/systemd/system/chat-push.service",
    "usr/local/bin/chatserver": "/opt/chat/.venv/bin/chatserver",
    "var/lib/chat": "private/chat",
}
OTHERS = [
    "etc/systemd/system/chatty.service",
    "etc/chatty.env",
    "etc/credstore/other.key",
    "etc/nginx/conf.d/chat.conf",
    "opt/chatty/program",
    "var/lib/chatty/file",
    "var/lib/private/chat-archive/file",
    "var/backups/chatty.tar",
]


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The root has a space in its name, so that a path without quotes would be split."""
    root = tmp_path / "a host"
    for name in (*LEFT, *OTHERS):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    for name, target in LINKS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    return root


def uninstall(*words: str) -> list[str]:
    done = subprocess.run(["sh", str(SCRIPT), *words], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_it_lists_everything_and_changes_nothing(host: Path) -> None:
    before = files_under(host)
    listed = [Path(line) for line in uninstall("--root", str(host))]
    assert files_under(host) == before
    for name in (*LEFT, *LINKS):
        assert any((host / name).is_relative_to(path) for path in listed), name
    for name in OTHERS:
        assert not any((host / name).is_relative_to(path) for path in listed), name


def test_it_erases_what_it_lists_and_nothing_else(host: Path) -> None:
    listed = uninstall("--root", str(host))
    assert uninstall("--erase", "--root", str(host)) == [f"removed {path}" for path in listed]
    assert set(files_under(host)) == set(OTHERS)
    assert not [name for name in LINKS if (host / name).is_symlink()]
    assert uninstall("--root", str(host)) == []


def test_each_of_its_lines_finds_something_here() -> None:
    places = [str(place) for name in (*LEFT, *LINKS) for place in (PurePath("/", name), *PurePath("/", name).parents)]
    lines = [line for line in SCRIPT.read_text("utf-8").splitlines() if line.startswith("/")]
    assert [line for line in lines if not fnmatch.filter(places, line)] == []


def test_a_wrong_word_erases_nothing(host: Path) -> None:
    before = files_under(host)
    for words in (["--purge"], ["--erase", "--root"], ["erase"]):
        done = subprocess.run(["sh", str(SCRIPT), *words], capture_output=True, text=True, timeout=60)
        assert done.returncode != 0 and done.stderr, words
    assert files_under(host) == before


def test_it_knows_every_place_that_the_units_and_the_docs_name() -> None:
    """Every path that a documented command copies to or writes has a line in the script."""
    script = SCRIPT.read_text("utf-8")
    pages = [ROOT / name for name in ("docs/install.md", "docs/operating.md", "docs/backup.md")]
    units = [*ROOT.glob("chat.*"), *ROOT.glob("docs/deploy/chat*.*")]
    text = "\n".join(path.read_text("utf-8") for path in (*pages, *units) if path.is_file())
    named = set(re.findall(r"/(?:etc/(?:credstore|fail2ban)|var/backups)/[\w./-]*chat[\w./-]*\w", text))
    assert len(named) > 5
    known = [line for line in script.splitlines() if line.startswith("/")]
    missing = {name for name in named if not any(name == line or name.startswith(f"{line}/") for line in known)}
    assert missing <= {"/var/backups/chat.tar"}, "docs/backup.md's example, which is the operator's own name"
