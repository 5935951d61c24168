"""Finds settings that work but are risky (warnings), and settings that cannot work (problems)."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator

from chatserver.core.config import Config
from chatserver.ops.doctor.findings import Finding, note, ok, problem, warning

ROUNDS_MIN = 10


def checks(config: Config) -> Iterator[Finding]:
    findings = [*_exposure(config), *_tls(config), *_proxy(config), *_limits(config)]
    yield from findings or [ok("settings", "no risky settings")]
    if config.registration == "open" and config.base_url:
        yield note("registration", "anyone may register", "to restrict registration: CHAT_REGISTRATION=invite")
    if config.guests == "read" and config.base_url:
        yield note("guests", "anyone may read the room", "for members only: CHAT_GUESTS=none")


def _exposure(config: Config) -> Iterator[Finding]:
    if _is_local(config.host):
        return
    if not config.base_url:
        text = f"listens on {config.host} and accepts any Host header"
        yield warning("host", text, "set CHAT_BASE_URL to the public origin")
    if not config.secure:
        text = f"it listens on {config.host} without TLS: passwords are sent unencrypted"
        yield warning("tls", text, "set CHAT_TLS_CERT and CHAT_TLS_KEY, or listen on 127.0.0.1 behind a proxy with TLS")


def _tls(config: Config) -> Iterator[Finding]:
    for path in filter(None, (config.tls_cert, config.tls_key)):
        if not os.access(path, os.R_OK):
            yield problem("tls", f"{path} cannot be read", "correct the path or the file's permissions")
    if config.base_url.startswith("http://") and not _is_local(config.base_url.removeprefix("http://").split(":")[0]):
        yield warning("tls", f"{config.base_url} is not https", "use a reverse proxy with TLS (README.md)")


def _proxy(config: Config) -> Iterator[Finding]:
    if config.base_url.startswith("https://") and not config.tls_cert and not config.trusted_proxies:
        text = "all readers behind the proxy appear to have its address, and share its limits"
        yield warning("proxy", text, "set CHAT_TRUSTED_PROXIES to the proxy's address, such as 127.0.0.1")


def _limits(config: Config) -> Iterator[Finding]:
    if config.bcrypt_rounds < ROUNDS_MIN:
        text = f"bcrypt cost {config.bcrypt_rounds} is for tests only"
        yield warning("passwords", text, "unset CHAT_BCRYPT_ROUNDS")
    for name in ("max_connections", "connections_per_address", "registrations_per_hour"):
        if not getattr(config, name):
            yield warning("limits", f"CHAT_{name.upper()} is 0: no limit", "set it, or unset it for the default")


def _is_local(host: str) -> bool:
    if host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
