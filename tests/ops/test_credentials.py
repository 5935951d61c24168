"""Secrets that a service manager passes as files."""

from __future__ import annotations

from pathlib import Path

from chatserver.ops import credentials


def test_without_a_manager_there_is_nothing() -> None:
    assert credentials.variables({}) == {}


def test_a_secret_is_read_and_a_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "chat.metrics_token").write_text("a-token-of-twenty-four\n")
    (tmp_path / "chat.tls_cert").write_text("a certificate")
    (tmp_path / "somebody.elses").write_text("x")
    assert credentials.variables({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == {
        "CHAT_METRICS_TOKEN": "a-token-of-twenty-four",
        "CHAT_TLS_CERT": str(tmp_path / "chat.tls_cert"),
    }
