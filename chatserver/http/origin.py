"""Where a request comes from: its address, the origin it may name, the Host it may ask for."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import web

from chatserver.core.config import Config
from chatserver.core.errors import DomainError, ErrorCode

# `none`: typed by the reader, or not from a page at all.
_OWN_SITES = {"same-origin", "none"}
# What proxies add on the way.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


class OriginPolicy:
    """Knows our origin and which proxies to believe."""

    def __init__(self, config: Config) -> None:
        self._base_url = config.base_url
        self._base_host = urlsplit(config.base_url).netloc
        self._is_tls = bool(config.tls_cert)
        self._proxies = config.trusted_proxies

    def check_host(self, request: web.Request) -> None:
        """With a base URL set, nothing but its host is served: 421 for others (RFC 9110, 15.5.20)."""
        if self._base_host and _without_default_port(request.host) != self._base_host:
            raise DomainError(ErrorCode.WRONG_HOST)

    def origin(self, request: web.Request) -> str:
        """Our own origin, as this request's browser knows it."""
        if self._base_url:
            return self._base_url
        scheme = "https" if self._is_tls else "http"
        if self._from_proxy(request):
            forwarded = request.headers.get("X-Forwarded-Proto", "").strip().lower()
            scheme = forwarded if forwarded in ("http", "https") else scheme
        host = request.host
        default = ":443" if scheme == "https" else ":80"
        return f"{scheme}://{host.removesuffix(default)}".lower()

    def check_origin(self, request: web.Request) -> None:
        """Refuse, with `csrf`, an unsafe request that a browser says comes from another site's page."""
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None and site not in _OWN_SITES:
            raise DomainError(ErrorCode.CSRF)
        named = request.headers.get("Origin")
        if named is not None and named.lower() != self.origin(request):
            raise DomainError(ErrorCode.CSRF)

    def check_socket_origin(self, request: web.Request) -> None:
        """A socket must name its origin, and it must be ours: cookies ride along from any page."""
        if request.headers.get("Origin", "").lower() != self.origin(request):
            raise DomainError(ErrorCode.FORBIDDEN)

    def address(self, request: web.Request) -> str:
        """The client's address: the peer's, or what trusted proxies say of it. IPv6 by its /64."""
        return _network(self._client(request))

    def is_local(self, request: web.Request) -> bool:
        """True when the client is a program on this host that asked this host.

        One that came through a proxy which we were not told to trust is not, nor is a page whose name
        somebody pointed at this host: the Host must be a loopback address too.
        """
        if not self._from_proxy(request) and any(name in request.headers for name in _FORWARDED):
            return False
        client, host = _parsed(self._client(request)), _name_of(request.host)
        parsed = _parsed(host)
        asked_us = host == "localhost" or (parsed is not None and parsed.is_loopback)
        return asked_us and client is not None and client.is_loopback

    def _client(self, request: web.Request) -> str:
        address = request.remote or ""
        if self._from_proxy(request):
            hops = [hop.strip() for hop in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
            # From the right, as each proxy appends the peer that it saw; what stands further left
            # than the first untrusted one is hearsay.
            for hop in reversed([hop for hop in hops if hop]):
                if _parsed(hop) is None:
                    break
                address = hop
                if not self._is_trusted(hop):
                    break
        return address

    def _from_proxy(self, request: web.Request) -> bool:
        return bool(self._proxies) and self._is_trusted(request.remote or "")

    def _is_trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(
            parsed in network for network in self._proxies if network.version == parsed.version
        )


def same_origin_navigation(request: web.Request) -> bool:
    """True when the browser says that the reader followed a link of ours."""
    headers = request.headers
    return (
        headers.get("Sec-Fetch-Site") == "same-origin"
        and headers.get("Sec-Fetch-Mode") == "navigate"
        and "Sec-Purpose" not in headers  # a page fetched ahead: nobody has followed the link yet
    )


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


@lru_cache(4096)
def _network(address: str) -> str:
    """One household: an IPv4 address, or the /64 that an IPv6 subscriber is given."""
    parsed = _parsed(address)
    if parsed is None:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _name_of(host: str) -> str:
    """`localhost:8000` without its port, `[::1]:8000` without its brackets too."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _without_default_port(host: str) -> str:
    return host.lower().removesuffix(":443").removesuffix(":80")
