"""The hosts of push services to which the server may send, as the setting `push_services` lists them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

SERVICES_MAX = 50
# The longest endpoint in use has about 550 characters (Windows).
ENDPOINT_MAX = 1024
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SERVICE = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*(?::[1-9][0-9]{{0,4}})?")
_HTTPS = 443


def push_services(text: str) -> tuple[str, ...]:
    """Parse hosts that are separated by commas: `host`, or `*.host` for all hosts below it; both may have `:port`.

    Raises ValueError for anything else.
    """
    services = tuple(text.lower().replace(",", " ").split())
    if len(services) > SERVICES_MAX or not all(map(_SERVICE.fullmatch, services)):
        raise ValueError("must be names of hosts, separated by commas, like push.example.org or *.example.org")
    return services


def origin_of(endpoint: str, services: tuple[str, ...]) -> str | None:
    """The origin (`https://host[:port]`) of a push endpoint; None if the server must not send to that endpoint.

    An endpoint must be an https address of at most ENDPOINT_MAX visible ASCII characters, without a user or a fragment,
    with a host of `services` and its port.
    """
    if len(endpoint) > ENDPOINT_MAX or not (endpoint.isascii() and endpoint.isprintable()) or " " in endpoint:
        return None
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port or _HTTPS
    except ValueError:
        return None
    if parts.scheme != "https" or "@" in parts.netloc or "#" in endpoint or "\\" in endpoint:
        return None
    if not any(_covers(service, host, port) for service in services):
        return None
    return f"https://{host}" + (f":{port}" if port != _HTTPS else "")


def _covers(service: str, host: str, port: int) -> bool:
    name, _, wanted = service.partition(":")
    is_host = host.endswith(name[1:]) if name.startswith("*.") else host == name
    return is_host and port == int(wanted or _HTTPS)
