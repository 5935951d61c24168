"""The base address for the links that operator commands print."""

from __future__ import annotations

from chatserver.core.config import Config


def own_address(config: Config) -> str:
    """The address of a server with these settings; "" if only a running server knows its port."""
    if config.base_url or not config.port:
        return config.base_url
    host = f"[{config.host}]" if ":" in config.host else config.host
    return f"{'https' if config.tls_cert else 'http'}://{host}:{config.port}"
