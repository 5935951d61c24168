"""The commands of docs/install.md on a booted system, and checks of their results. Runs there, with Python alone.

python3 -m tests.workbench.booted.steps

Writes /result.json: the names of the steps that passed, the errors of those that failed, and figures.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.workbench.booted.member import Member, png

PASSWORD = "correct horse battery 9"
SOURCE = Path("/src")
# The wheel and the units of version 0.1.0, if the checkout has them (host.py).
RELEASE_BEFORE = Path("/old")
LOG = Path("/steps.log")
PLAIN, OWN_TLS = "http://127.0.0.1:8000", "https://127.0.0.1"
figures: dict[str, float] = {}
# The paths of the pictures that were posted.
pictures: list[str] = []


def run(command: str, *, fails: bool = False) -> str:
    """Run a shell command in the checkout. Returns its output. `fails`: its exit code must not be 0."""
    variables = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels", "LANG": "C.UTF-8"}
    done = subprocess.run(
        command, shell=True, cwd=SOURCE, env=variables, input=PASSWORD + "\n", capture_output=True, text=True
    )
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {command}\n{done.stdout}{done.stderr}-> {done.returncode}\n")
    assert (done.returncode != 0) == fails, f"{command}: {done.returncode} {done.stderr[-2000:]}"
    return done.stdout


def documented(heading: str, block: int = 0, page: str = "docs/install.md") -> None:
    """Run a block of commands after a heading, with the wheel instead of the checkout."""
    part = (SOURCE / page).read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    commands = re.findall(r"```sh\n(.*?)```", part, re.S)[block].splitlines()
    for command in commands:
        if command.startswith("apt-get "):
            continue  # the packages are installed already
        command = re.sub(r"(pip install (?:--upgrade )?)\.$", r"\1/wheels/chatserver-*.whl", command)
        if "create-admin" in command:
            command += " --password-stdin"
        run(command.replace("sudo ", ""))


def answers(address: str) -> bool:
    """True if /readyz answers within 20 s."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5, context=context) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    return False


def journal(unit: str = "chat") -> str:
    run("journalctl --sync")
    return run(f"journalctl -u {unit} -o cat --no-pager")


def show(name: str, unit: str = "chat.service") -> str:
    return run(f"systemctl show -p {name} --value {unit}").strip()


# The steps, in order. After each of them a server answers, until the last.


def installs() -> None:
    documented("A service, from nothing")
    assert answers(PLAIN)
    assert "小明" in run("chatserver list-members --data-dir /var/lib/chat")
    exposure = re.search(r"exposure level for chat.service: ([\d.]+)", run("systemd-analyze security chat --no-pager"))
    assert exposure
    figures["exposure"] = float(exposure[1])


def takes_a_picture() -> None:
    pictures.append(Member(PLAIN, "小明", PASSWORD).show(png(640)))
    has_the_pictures()


def has_the_pictures() -> None:
    member = Member(PLAIN, "小明", PASSWORD)
    assert pictures and all(member.get(path) for path in pictures)


def logs_no_line_about_credentials_that_are_not_there() -> None:
    assert "redential" not in journal()


def restarts() -> None:
    begun = time.monotonic()
    run("systemctl restart chat.service")
    assert answers(PLAIN)
    figures["restart_s"] = round(time.monotonic() - begun, 2)


def comes_back_after_kill() -> None:
    run("systemctl kill -s KILL chat.service")
    end = time.monotonic() + 20
    while show("NRestarts") != "1" and time.monotonic() < end:
        time.sleep(0.2)
    assert show("NRestarts") == "1" and answers(PLAIN)
    has_the_pictures()


def ends_a_wrong_setting_with_one_line_and_goes_on_once_it_is_mended() -> None:
    Path("/etc/chat.env").write_text("CHAT_SEND_INTERVAL=abc\n")
    run("systemctl restart chat.service", fails=True)
    try:
        urllib.request.urlopen(f"{PLAIN}/readyz", timeout=5)
    except OSError:
        pass  # each connection starts the service again, until systemd stops trying
    end = time.monotonic() + 30
    while show("Result", "chat.socket") != "service-start-limit-hit" and time.monotonic() < end:
        time.sleep(0.2)
    assert "CHAT_SEND_INTERVAL: must be a number" in journal()
    Path("/etc/chat.env").unlink()
    documented("Troubleshooting")
    assert answers(PLAIN)


def upgrades() -> None:
    documented("Upgrade")
    assert answers(PLAIN)


def backs_up_every_night() -> None:
    documented("Every night", page="docs/backup.md")
    run("systemctl start chat-backup.service")
    assert len(list(Path("/var/backups/chat").glob("chat-*.tar"))) == 1
    assert not list(Path("/var/lib/chat/media").rglob("*-journal"))


def restores() -> None:
    run("cp /var/backups/chat/chat-*.tar /root/chat.tar")
    documented("Move to another host", block=1)
    assert answers(PLAIN)
    assert "小明" in run("chatserver list-members --data-dir /var/lib/chat")
    assert list(Path("/var/lib/private").glob("chat.before-restore-*"))
    has_the_pictures()


def says_what_to_do_where_only_the_service_is_restarted_after_its_socket_changed() -> None:
    run("install -D -m 644 docs/deploy/chat.socket.d/tls.conf /etc/systemd/system/chat.socket.d/tls.conf")
    run("systemctl daemon-reload")
    run("systemctl restart chat.service", fails=True)
    time.sleep(3)  # systemd does not start it again
    assert journal().rstrip().count("was passed none") == 1 and show("NRestarts") == "0"


def does_tls_itself() -> None:
    Path("/etc/chat.env").write_text("CHAT_BASE_URL=https://chat.example.org\n")
    documented("In front", block=2)
    assert answers(OWN_TLS) and answers("https://[::1]")
    assert "listening on https://[::]:443" in journal()


def keeps_its_port_in_an_upgrade() -> None:
    run("cp chat.service chat.socket /etc/systemd/system/ && systemctl daemon-reload")
    # systemd allows five starts in 10 s, and on a fast machine the steps before have used them up.
    run("systemctl reset-failed chat.service && systemctl restart chat.service")
    assert answers(OWN_TLS)


def runs_several_rooms() -> None:
    documented("Several rooms on one host")
    run("systemctl enable --now chat@8002.socket chat@8002.service chat@8003.socket chat@8003.service")
    for port in (8001, 8002, 8003):
        assert answers(f"http://127.0.0.1:{port}")
        status = Path(f"/proc/{show('MainPID', f'chat@{port}.service')}/status").read_text()
        resident = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert resident
        figures["idle_mib"] = round(int(resident[1]) / 1024)


def stops_without_an_error() -> None:
    run("systemctl stop chat.socket chat.service")
    assert not re.search(r'"level": "(error|warning)"|Traceback|Unable to clean up', journal())
    run("systemctl start chat.socket chat.service")
    assert answers(OWN_TLS)


def is_removed() -> None:
    documented("Remove")
    assert "0 loaded units" in run("systemctl list-units --all 'chat*' --no-pager")
    assert left() == []


def is_a_package_that_starts_upgrades_and_is_purged() -> None:
    run("sh docs/deploy/packaging/build-deb.sh / /wheels/chatserver-*.whl")
    package = "/chatserver_*.deb"
    run(f"dpkg -i {package}")
    assert answers(PLAIN)
    assert '.SH "chatserver create-admin"\n.nf\nusage: chatserver create' in run(
        "zcat /usr/share/man/man1/chatserver.1.gz"
    )
    run("chatserver create-admin 小明 --password-stdin --data-dir /var/lib/chat")
    process = show("MainPID")
    run(f"dpkg -i {package}")
    assert answers(PLAIN) and show("MainPID") != process
    assert run("systemctl is-enabled chat-push.service || true").strip() == "disabled"
    documented("As a Debian package", block=1)
    sends_push_notifications()
    process = show("MainPID", "chat-push.service")
    run(f"dpkg -i {package}")
    sends_push_notifications()
    assert show("MainPID", "chat-push.service") != process
    Path("/etc/chat-push.env").write_text("CHAT_LOG_LEVEL=debug\n")
    run("systemctl enable --now chat-backup.timer chat@8001.socket chat@8001.service")
    run("systemctl start chat-backup.service")
    run("dpkg -r chatserver")
    assert Path("/var/lib/chat/chat.db").is_file() and not Path("/opt/chat").exists()
    assert "0 loaded units" in run("systemctl list-units --all --state=active 'chat*' --no-pager")
    run("dpkg -P chatserver")
    assert left() == []


def sends_push_notifications() -> None:
    """The process of chat-push.service runs, and does not report that the room does not answer."""
    assert answers(PLAIN)
    time.sleep(3)
    assert run("systemctl is-active chat-push.service").strip() == "active"
    lines = journal("chat-push.service")
    assert "sending to " in lines and "does not answer" not in lines, lines


def is_upgraded_from_the_release_before() -> None:
    """An old schema, an old picture, and units that an upgrade replaces; all of it can be removed."""
    if not RELEASE_BEFORE.is_dir():
        return
    run("python3 -m venv /opt/chat/.venv && /opt/chat/.venv/bin/pip install /old/chatserver-*.whl")
    run("ln -sf /opt/chat/.venv/bin/chatserver /usr/local/bin/chatserver")
    run("cp /old/chat.service /old/chat.socket /etc/systemd/system/ && systemctl daemon-reload")
    run("systemctl enable --now chat.socket chat.service")
    run("chatserver create-admin 小明 --password-stdin --data-dir /var/lib/chat")
    assert answers(PLAIN) and "0.1.0" in run("chatserver version")
    pictures[:] = [Member(PLAIN, "小明", PASSWORD).show(png(640))]
    documented("Upgrade")
    assert answers(PLAIN) and "0.1.0" not in run("chatserver version")
    has_the_pictures()
    takes_a_picture()
    assert list(Path("/var/lib/chat").glob("chat.db.schema-*"))
    run("chatserver doctor --data-dir /var/lib/chat")
    documented("Remove")
    assert left() == []


def left() -> list[Path]:
    """The files that the server or its package has left on this system."""
    found = [path for top in ("/etc", "/opt", "/var", "/usr/local") for path in Path(top).rglob("*chat*")]
    return [path for path in found if "letsencrypt" not in path.parts]


STEPS: tuple[Callable[[], None], ...] = (
    installs,
    takes_a_picture,
    logs_no_line_about_credentials_that_are_not_there,
    restarts,
    comes_back_after_kill,
    ends_a_wrong_setting_with_one_line_and_goes_on_once_it_is_mended,
    upgrades,
    backs_up_every_night,
    restores,
    says_what_to_do_where_only_the_service_is_restarted_after_its_socket_changed,
    does_tls_itself,
    keeps_its_port_in_an_upgrade,
    runs_several_rooms,
    stops_without_an_error,
    is_removed,
    is_a_package_that_starts_upgrades_and_is_purged,
    is_upgraded_from_the_release_before,
)


def main() -> None:
    passed: list[str] = []
    failed: dict[str, str] = {}
    run("ip link set lo up || true")
    for step in STEPS:
        try:
            step()
            passed.append(step.__name__)
        except Exception:
            failed[step.__name__] = traceback.format_exc()
    Path("/result.json").write_text(json.dumps({"passed": passed, "failed": failed, "figures": figures}))
    run("systemctl poweroff")


if __name__ == "__main__":
    main()
