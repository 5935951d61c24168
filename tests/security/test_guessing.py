"""Guessing passwords: limited for each account and each address, and no answer reveals anything."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from chatserver.features.accounts import passwords
from tests.client import PASSWORD, Answer, House, opened

WRONG = "not the password"


def shape(answer: Answer) -> tuple[Any, ...]:
    """Everything that an answer shows, except the time."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("Date", "X-Request-ID")}
    return answer.status, answer.body, headers


async def test_an_unknown_name_is_answered_exactly_as_a_known_one(house: House) -> None:
    await house.member("小明")
    known, unknown, impossible = [
        await (await house.guest()).log_in(name, WRONG) for name in ("小明", "小红", "no\u200bname")
    ]
    assert shape(known) == shape(unknown) == shape(impossible)
    assert known.code == "login_failed"
    for name in ("小明", "小红", "no\u200bname"):
        for _ in range(4):
            await (await house.guest()).log_in(name, WRONG)
    throttled = [await (await house.guest()).log_in(name, WRONG) for name in ("小明", "小红", "no\u200bname")]
    assert {answer.code for answer in throttled} == {"login_throttled"}
    assert all(int(answer.headers["Retry-After"]) > 800 for answer in throttled)


async def test_an_unknown_name_costs_the_same_work(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """This checks the hash that is compared instead of the time: the same function, once, at the same cost."""
    await house.member("小明")
    compared: list[bytes] = []
    original = bcrypt.checkpw

    def checkpw(password: bytes, hashed: bytes) -> bool:
        compared.append(hashed)
        return original(password, hashed)

    monkeypatch.setattr(passwords.bcrypt, "checkpw", checkpw)
    for name in ("小明", "小红"):
        await (await house.guest()).log_in(name, WRONG)
    known, unknown = compared
    assert known[:7] == unknown[:7] == b"$2b$04$" and len(known) == len(unknown)


async def test_hashes_from_before_the_cost_was_changed_give_no_name_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a cost that was raised or lowered since: the same number of rounds for the old, the new and the unknown
    member."""
    for rounds, name in ((6, "小明"), (4, "小红")):
        async with opened(tmp_path, bcrypt_rounds=rounds) as house:
            await house.member(name)
    rounds_gone = 0
    original = bcrypt.checkpw

    def checkpw(password: bytes, hashed: bytes) -> bool:
        nonlocal rounds_gone
        rounds_gone += 2 ** int(hashed[4:6])
        return original(password, hashed)

    monkeypatch.setattr(passwords.bcrypt, "checkpw", checkpw)
    for rounds, most in ((5, 6), (7, 7)):
        async with opened(tmp_path, bcrypt_rounds=rounds) as house:
            for name in ("小明", "小红", "nobody"):
                for password, status in ((WRONG, 401), (PASSWORD, 401 if name == "nobody" else 200)):
                    before = rounds_gone
                    assert (await (await house.guest()).log_in(name, password)).status == status
                    assert rounds_gone - before == 2**most, (rounds, name)


@pytest.mark.settings(trusted_proxies="127.0.0.1")
async def test_five_failures_close_an_account_to_everybody_and_only_that_account(house: House) -> None:
    await house.member("小明", X_Forwarded_For="192.0.2.1")
    await house.member("小红", X_Forwarded_For="192.0.2.1")
    for n in range(5):
        answer = await (await house.guest(X_Forwarded_For=f"198.51.100.{n}")).log_in("小明", WRONG)
        assert answer.code == "login_failed"
    elsewhere = await house.guest(X_Forwarded_For="203.0.113.9")
    assert (await elsewhere.log_in("小明", PASSWORD)).code == "login_throttled"
    assert (await elsewhere.log_in("小红", PASSWORD)).status == 200
    house.clock.forward(15 * 60)
    assert (await elsewhere.log_in("小明", PASSWORD)).status == 200


@pytest.mark.settings(trusted_proxies="127.0.0.1")
@pytest.mark.parametrize(
    ("addresses", "are_one"),
    [
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:fffe"], True),
        (["2001:db8:1:2::1", "2001:db8:1:3::1"], False),
        (["192.0.2.1", "::ffff:192.0.2.1"], True),
        (["192.0.2.1", "192.0.2.2"], False),
    ],
)
async def test_twenty_failures_close_the_door_to_a_household(house: House, addresses: list[str], are_one: bool) -> None:
    for n in range(20):
        guest = await house.guest(X_Forwarded_For=addresses[0])
        assert (await guest.log_in(f"nobody{n}", WRONG)).code == "login_failed"
    other = await house.guest(X_Forwarded_For=addresses[1])
    assert (await other.log_in("nobody", WRONG)).code == ("login_throttled" if are_one else "login_failed")


async def test_who_is_no_trusted_proxy_changes_no_address(house: House) -> None:
    for n in range(20):
        guest = await house.guest(X_Forwarded_For=f"198.51.100.{n}", Forwarded=f"for=198.51.100.{n}")
        assert (await guest.log_in(f"nobody{n}", WRONG)).code == "login_failed"
    assert (await (await house.guest(X_Forwarded_For="203.0.113.1")).log_in("x", WRONG)).code == "login_throttled"


async def test_at_most_two_passwords_are_checked_at_once_and_past_the_queue_the_answer_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, at_once, most = threading.Lock(), 0, 0
    original = passwords.verify

    def verify(password: str, hashed: str) -> bool:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.005)
        with lock:
            at_once -= 1
        return original(password, hashed)

    monkeypatch.setattr(passwords, "verify", verify)
    async with opened(tmp_path, trusted_proxies="127.0.0.1") as house:
        guests = [await house.guest(X_Forwarded_For=f"10.0.{n}.1") for n in range(200)]
        await asyncio.gather(*(guest.token() for guest in guests))
        answers = await asyncio.gather(*(guest.log_in(f"nobody{n}", WRONG) for n, guest in enumerate(guests)))
    codes = {answer.code for answer in answers}
    assert "login_failed" in codes and codes <= {"login_failed", "busy"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.code == "busy")
    assert most <= 2


@pytest.mark.settings(registrations_per_hour=3)
async def test_a_guests_broken_pictures_count_as_registrations(house: House) -> None:
    """Each attempt occupies a thread, and costs the same for an unknown name as for an account."""
    guest = await house.guest()
    fields = {"username": "小明", "password": PASSWORD}
    codes = [(await guest.post("/register/", fields, {"avatar": b"no picture"})).code for _ in range(4)]
    assert codes == ["image_unsupported"] * 3 + ["too_fast"]


async def test_a_taken_name_is_refused_before_its_picture_is_looked_at(house: House) -> None:
    await house.member("小明")
    fields = {"username": "小明", "password": PASSWORD}
    assert (await (await house.guest()).post("/register/", fields, {"avatar": b"no picture"})).code == "name_taken"


async def test_the_muted_cannot_keep_the_workers_busy(house: House) -> None:
    admin, member = await house.administrator(), await house.member("小明")
    who = (await member.say("hello"))["user_id"]
    await admin.post(f"/members/{who}/", {"act": "mute"})
    assert (await member.post("/post/", {}, {"image": b"no picture"})).code == "muted"
