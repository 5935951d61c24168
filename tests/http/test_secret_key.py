"""The server's secret key is written completely or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chatserver.http import secret_key
from tests.client import opened


def test_it_is_created_once_for_its_user_alone(tmp_path: Path) -> None:
    secret = secret_key.load(tmp_path)
    assert len(secret) == secret_key.SECRET_BYTES
    assert secret_key.load(tmp_path) == secret
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["secret.key"]


def test_what_a_crash_left_of_one_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".secret.key.part").write_bytes(b"half")
    assert len(secret_key.load(tmp_path)) == secret_key.SECRET_BYTES
    assert os.listdir(tmp_path) == ["secret.key"]


@pytest.mark.parametrize("length", [0, 1, 31, 33])
def test_one_of_another_length_is_refused_and_left_as_it_is(tmp_path: Path, length: int) -> None:
    (tmp_path / "secret.key").write_bytes(b"x" * length)
    with pytest.raises(OSError, match=f"has {length} bytes, not 32; restore it") as caught:
        secret_key.load(tmp_path)
    assert caught.value.filename == str(tmp_path / "secret.key")
    assert (tmp_path / "secret.key").read_bytes() == b"x" * length


async def test_a_server_does_not_start_with_it(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"")
    with pytest.raises(OSError, match="has 0 bytes"):
        async with opened(tmp_path):
            pass
