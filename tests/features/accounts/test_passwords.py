"""Weak passwords are refused with a reason, every character of a strong one counts, and hashing never blocks the
loop."""

from __future__ import annotations

import asyncio
import threading
import types
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import bcrypt
import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.accounts import passwords
from chatserver.features.accounts.passwords import PasswordHasher, check_strength, hash_password, verify

ROUNDS = 4  # the lowest cost of bcrypt
PATIENCE = 60.0


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple", "password-of-alice-1", "Passw0rd!x", "secret-pass-1", "tests3cret!",
        "床前明月光疑是地上霜", "19871224", "x" * 1023 + "y", "        y", "p\0ssw0rd-with-nul", "👑👑👑👑👑👑👑x",
    ],
)  # fmt: skip
def test_an_ordinary_password_is_accepted(password: str) -> None:
    check_strength(password, "alice")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "short"),
        ("1234567", "short"),
        ("e\u0301" * 7, "short"),
        ("x" * 1025, "long"),
        ("a" * 10_000_000, "long"),
        ("password", "common"),
        ("PassWord123", "common"),
        ("woaini1314", "common"),
        ("a123456789", "common"),
        ("qq123456", "common"),
        ("1qaz2wsx", "common"),
        ("11111111", "sequence"),
        ("zzzzzzzzz", "sequence"),
        ("12345678", "sequence"),
        ("0123456789012", "sequence"),
        ("9876543210", "sequence"),
        ("1212121212", "sequence"),
        ("123123123", "sequence"),
        ("12341234", "sequence"),
        ("AliceInChains", "name"),
        ("\ud800longenough", "characters"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, why: str) -> None:
    with pytest.raises(DomainError) as refusal:
        check_strength(password, "aliceinchains")
    assert refusal.value.code is ErrorCode.PASSWORD_WEAK
    assert refusal.value.details["reason"] == why


def test_the_list_of_common_passwords_is_long_lower_case_and_without_repeats() -> None:
    path = Path(passwords.__file__).with_name("common_passwords.txt")
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("# ")]
    assert len(lines) > 500
    assert len(set(lines)) == len(lines)
    assert all(len(line) >= passwords.PASSWORD_MIN and line == line.casefold() for line in lines)


def test_a_password_is_kept_as_a_hash_that_only_it_fits() -> None:
    hashed = hash_password("correct horse", ROUNDS)
    assert hashed.startswith("$2b$04$")
    assert verify("correct horse", hashed)
    assert not verify("correct horsf", hashed)
    assert hash_password("correct horse", ROUNDS) != hashed


def test_every_character_of_a_long_password_counts() -> None:
    hashed = hash_password("长" * 500 + "甲", ROUNDS)
    assert verify("长" * 500 + "甲", hashed)
    assert not verify("长" * 500 + "乙", hashed)


def test_what_follows_a_nul_counts() -> None:
    assert not verify("a\0one", hash_password("a\0two", ROUNDS))


def test_the_keyboards_way_to_write_an_accent_does_not_matter() -> None:
    assert verify("Jose\u0301-Jose\u0301", hash_password("José-José", ROUNDS))


def test_what_is_no_text_is_refused_and_fits_nothing() -> None:
    with pytest.raises(DomainError):
        hash_password("\udcff\udcff", ROUNDS)
    assert not verify("\udcff\udcff", hash_password("anything else", ROUNDS))


@pytest.mark.parametrize("damaged", ["", "!", "$2b$04$short", "plain text", "$2b$99$" + "." * 53, "\u5bc6\u7801"])
def test_a_damaged_hash_fits_no_password(damaged: str) -> None:
    assert not verify("anything", damaged)


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(ROUNDS)
    yield hasher
    hasher.close()


async def test_the_hasher_hashes_and_verifies(hasher: PasswordHasher) -> None:
    hashed = await hasher.hash("correct horse")
    assert await hasher.verify("correct horse", hashed) is True
    assert await hasher.verify("wrong horse", hashed) is False


async def test_what_is_longer_than_a_password_is_wrong_before_any_work_on_it(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time to compose alternating accents of different classes grows with the square of their number."""
    lengths: list[int] = []

    def normalize(form: Literal["NFC"], text: str) -> str:
        lengths.append(len(text))
        return unicodedata.normalize(form, text)

    hashed = await hasher.hash("correct horse")
    monkeypatch.setattr(passwords, "unicodedata", types.SimpleNamespace(normalize=normalize))
    for wrong in ("\u0301\u0316" * 30_000, "a" * (passwords.PASSWORD_MAX + 1), "\ud800" * 9):
        assert not await hasher.verify(wrong, hashed)
        assert not await hasher.verify(wrong, None)
    assert await hasher.verify("correct horse", hashed)
    assert max(lengths) <= passwords.PASSWORD_MAX


async def test_nobody_has_any_password(hasher: PasswordHasher) -> None:
    assert await hasher.verify("correct horse", None) is False
    assert await hasher.verify("correct horse", "") is False


@pytest.mark.parametrize("hashed", [None, ""])
async def test_an_unknown_name_takes_as_long_as_a_known_one(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch, hashed: str | None
) -> None:
    """The work is counted in bcrypt's rounds, because both checks spend all of their time in them."""
    known = await hasher.hash("correct horse")
    rounds: list[int] = []
    check = bcrypt.checkpw

    def counted(password: bytes, against: bytes) -> bool:
        matches = check(password, against)  # raises ValueError if it is not a hash
        rounds.append(2 ** int(against.split(b"$")[2]))
        return matches

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    await hasher.verify("correct horse", known)
    of_known = sum(rounds)
    rounds.clear()
    await hasher.verify("correct horse", hashed)
    assert of_known == sum(rounds) == 2**ROUNDS


async def test_hashing_leaves_the_loop_free(hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash ends only after the loop has run meanwhile."""
    has_turned = threading.Event()
    hash_ = bcrypt.hashpw

    def waiting(password: bytes, salt: bytes) -> bytes:
        assert has_turned.wait(timeout=PATIENCE)
        return hash_(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", waiting)
    task = asyncio.create_task(hasher.hash("correct horse"))
    for _ in range(5):
        await asyncio.sleep(0.005)
    assert not task.done()
    has_turned.set()
    assert (await task).startswith("$2b$")


async def test_a_flood_is_refused_past_the_bound_and_the_rest_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def pinned(password: str, hashed: str) -> bool:
        return gate.wait(timeout=PATIENCE)

    monkeypatch.setattr(passwords, "verify", pinned)
    hasher = PasswordHasher(ROUNDS)
    try:
        callers = [asyncio.create_task(hasher.verify("x", "y")) for _ in range(66)]
        await asyncio.sleep(0)
        with pytest.raises(DomainError) as refusal:
            await hasher.verify("x", "y")
        assert refusal.value.code is ErrorCode.BUSY
        assert refusal.value.details["retry_after_ms"] > 0
        gate.set()
        assert all(await asyncio.gather(*callers))
        assert await hasher.verify("x", "y")
    finally:
        gate.set()
        hasher.close()


async def test_a_caller_that_went_away_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(passwords, "verify", lambda password, hashed: gate.wait(timeout=PATIENCE))
    hasher = PasswordHasher(ROUNDS)
    try:
        callers = [asyncio.create_task(hasher.verify("x", "y")) for _ in range(66)]
        await asyncio.sleep(0)
        for caller in callers[2:]:
            caller.cancel()
        await asyncio.gather(*callers[2:], return_exceptions=True)
        gate.set()
        assert await hasher.verify("x", "y")
        assert all(await asyncio.gather(*callers[:2]))
    finally:
        gate.set()
        hasher.close()


async def test_a_closed_hasher_is_busy(hasher: PasswordHasher) -> None:
    hasher.close()
    with pytest.raises(DomainError) as refusal:
        await hasher.hash("correct horse")
    assert refusal.value.code is ErrorCode.BUSY
