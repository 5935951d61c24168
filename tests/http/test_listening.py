"""The address that the server prints, and the error if it cannot listen there."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from chatserver.core.config import ConfigError
from chatserver.http import listening
from tests.client import opened
from tests.process.serving import serving


async def test_the_setup_page_has_an_address_that_can_be_opened(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", CHAT_HOST="0.0.0.0") as server:
        assert server.address.startswith("http://0.0.0.0:")
        assert server.process.stdout is not None
        lines = [(await server.process.stdout.readline()).decode() for _ in range(2)]
        port = server.address.rpartition(":")[2]
        assert lines[1].startswith(f"first administrator: http://127.0.0.1:{port}/setup/?token=")


@pytest.mark.parametrize(
    ("listens", "opens"),
    [
        ("https://[::]:443", "https://[::1]:443"),
        ("http://0.0.0.0:80", "http://127.0.0.1:80"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://10.0.0.0:80", "http://10.0.0.0:80"),
        ("unix:/run/chat.sock", "unix:/run/chat.sock"),
    ],
)
def test_an_unspecified_address_is_reached_at_the_loopback_one(listens: str, opens: str) -> None:
    assert listening.reachable(listens) == opens


async def test_where_no_socket_may_be_opened_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """chat.service with a chat.socket that was changed but not restarted: RestrictAddressFamilies=AF_UNIX."""

    def forbidden(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr("chatserver.http.listening.socket.socket", forbidden)
    with pytest.raises(ConfigError) as refused:
        async with opened(tmp_path):
            pass
    assert str(refused.value).endswith("systemctl daemon-reload && systemctl restart chat.socket")
    assert "\n" not in str(refused.value)
