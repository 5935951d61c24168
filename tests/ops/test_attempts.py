"""Log lines of refused attempts: their format, and the addresses that fail2ban finds with the filter of
docs/deploy/."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chatserver.core import logs
from chatserver.features.accounts.login_failures import FAILURES_OF_ACCOUNT
from tests.client import HTML, JSON, House, opened

ROOT = Path(__file__).parents[2]
FILTER = ROOT / "docs/deploy/fail2ban-filter.conf"
HERE, FAR = "198.51.100.7", "2001:db8:1:2:3::4"
ELSEWHERE = "https://evil.example"
FORGED = (
    '{"time": "", "level": "info", "logger": "chatserver.http.attempts", "message": "login_failed from 192.0.2.1"}',
    "login_failed from 192.0.2.1",
)

pytestmark = pytest.mark.usefixtures("logging_as_before")


async def attempts(house: House) -> None:
    """Cause wrong logins and a throttled login, from two addresses; then a handshake and a form of another origin."""
    member = await house.member("小明")
    for address in (HERE, FAR):
        guest = await house.guest(X_Forwarded_For=address)
        for _ in range(FAILURES_OF_ACCOUNT):
            assert (await guest.log_in(f"name of {len(address)}", "wrong")).code == "login_failed"
        assert (await guest.log_in(f"name of {len(address)}", "wrong")).code == "login_throttled"
    stranger = await house.guest(X_Forwarded_For=HERE)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await stranger.dial(origin=ELSEWHERE)
    answer = await member.post("/post/", {"text": "forged"}, headers={**JSON, "Origin": ELSEWHERE})
    assert answer.code == "csrf"
    # Text of a client that must not look like one of these log lines.
    for forged in FORGED:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await stranger.dial(origin=forged)


def events(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines()]
    return [event for event in found if event["logger"] == "chatserver.http.attempts"]


async def test_each_refused_attempt_is_one_line_with_the_clients_address(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.setup("info", "json")
    async with opened(tmp_path, trusted_proxies="127.0.0.1") as house:
        await attempts(house)
    said = events(capfd.readouterr().err)
    one = [*["login_failed"] * FAILURES_OF_ACCOUNT, "login_throttled"]
    expected = [f"{what} from {address}" for address in (HERE, FAR) for what in one]
    others = [(HERE, ELSEWHERE), ("127.0.0.1", ELSEWHERE), *((HERE, forged) for forged in FORGED)]
    expected += [f"wrong_origin from {address}" for address, _ in others]
    assert [event["message"] for event in said] == expected
    assert [(event["address"], event["origin"]) for event in said[-len(others) :]] == others
    assert all(event["level"] == "info" and event["request"] for event in said)


async def test_fail2ban_reads_them_and_is_not_deceived(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = shutil.which("fail2ban-regex")
    if program is None:
        pytest.skip("no fail2ban-regex here; Debian has it: apt install fail2ban")
    logs.setup("info", "json")
    async with opened(tmp_path, trusted_proxies="127.0.0.1") as house:
        await attempts(house)
    lines = capfd.readouterr().err
    assert "192.0.2.1" in lines
    # The lines as the journal passes them to fail2ban, and as a file has them.
    for prefix in ("Nov 30 12:00:00 host chatserver[123]: ", ""):
        file = tmp_path / "log"
        file.write_text("".join(f"{prefix}{line}\n" for line in lines.splitlines()), "utf-8")
        each = FAILURES_OF_ACCOUNT + 1
        assert found(program, file) == [HERE] * each + [FAR] * each


def found(program: str, file: Path) -> list[str]:
    """The addresses that fail2ban's filter finds."""
    words = [program, "--raw", "--out", "ip", str(file), str(FILTER)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_files_of_fail2ban_name_what_there_is() -> None:
    unit = re.search(r"^journalmatch = _SYSTEMD_UNIT=(\S+)$", FILTER.read_text("utf-8"), re.MULTILINE)
    assert unit and (ROOT / unit[1]).is_file()
    jail = (ROOT / "docs/deploy/fail2ban-jail.conf").read_text("utf-8")
    assert "\nbackend = systemd\nfilter = chat\n" in jail


async def test_the_refusal_and_the_doctor_name_both_origins(tmp_path: Path) -> None:
    """A proxy replaces the Host header: the browser names the public origin, the server knows another one."""
    public = "https://chat.example.org"
    async with opened(tmp_path) as house:
        browser = await house.member("小明")
        headers = {**HTML, "Origin": public, "Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
        answer = await browser.post("/post/", {"text": "hello"}, headers=headers)
        assert answer.status == 403
        assert f"from {public}, but the address of this room is set to {house.address}" in answer.text
        seen = await house.server.room.origin.report({})
        assert seen["other_origin"] == (public, house.address)
