"""Checks of the Host and Origin headers, and the client's address behind trusted proxies."""

from __future__ import annotations

import ipaddress
import logging
import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from aiohttp import HttpVersion11, web

from chatserver.core.config import Config
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.logs import escape_unprintable

log = logging.getLogger(__name__)

# Values of Sec-Fetch-Site. `none`: the user opened the address directly, not from a page.
_OWN_SITES = {"same-origin", "none"}
# Headers that proxies add.
_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")

# X-Forwarded-Proto -> the scheme of the page's origin. Some proxies send ws or wss for the handshake of a WebSocket.
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}

# `host-part` and `port-part` of a Content-Security-Policy, without wildcards; a name has at most 253 characters.
_POLICY_HOST = re.compile(r"(?=.{1,260}$)[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?", re.IGNORECASE | re.ASCII)

# The most characters of a Host or Origin header that an error contains.
_ORIGIN_MAX = 200

# The address that `doctor` claims as its own (RFC 5737: no client has it). If it is the last entry of X-Forwarded-For,
# the proxy added none.
FORGED_ADDRESS = "203.0.113.250"


class OriginPolicy:
    """The server's public origin and the trusted proxies."""

    def __init__(self, config: Config) -> None:
        self._base_url = config.base_url
        self._base_host = urlsplit(config.base_url).netloc
        self._is_tls = bool(config.tls_cert)
        self._proxies = config.trusted_proxies
        # The first entry of X-Forwarded-For from a trusted proxy that is not an address; "" if there was none.
        self._invalid_hop = ""
        self._has_passed_forged = False
        # The Origin header of the first form from a page of this server that differed from `origin`, and that `origin`.
        self._other_origin: tuple[str, str] | None = None

    async def report(self, _: dict[str, Any]) -> dict[str, Any]:
        """Report to `doctor`, after its request through the public address with FORGED_ADDRESS in X-Forwarded-For.

        Returns `is_behind_proxy` (the public address belongs to a trusted proxy), `has_passed_forged` (that proxy sent
        FORGED_ADDRESS as the last entry), `invalid_hop` (the invalid address that it sent, or ""), and `other_origin`
        (null, or the Origin header of a browser on an own page and the server's origin, if these differed).
        """
        return {
            "is_behind_proxy": bool(self._proxies and self._base_url),
            "has_passed_forged": self._has_passed_forged,
            "invalid_hop": self._invalid_hop,
            "other_origin": self._other_origin,
        }

    OPERATIONS = {"proxies": report}

    def check_host(self, request: web.Request) -> None:
        """Check the Host header against the base URL, if one is set.

        Raises DomainError: `wrong_host` (421, RFC 9110, section 15.5.20).
        """
        if self._base_host and _without_default_port(request.host) != self._base_host:
            raise DomainError(ErrorCode.WRONG_HOST, reason="host", host=request.host[:_ORIGIN_MAX], own=self._base_url)

    def origin(self, request: web.Request) -> str:
        """The server's origin as the browser of this request sees it."""
        if self._base_url:
            return self._base_url
        scheme = "https" if self._is_tls else "http"
        if self._from_proxy(request):
            forwarded = request.headers.get("X-Forwarded-Proto", "").strip().lower()
            scheme = _SCHEMES.get(forwarded, scheme)
        host = request.host
        default = ":443" if scheme == "https" else ":80"
        return f"{scheme}://{host.removesuffix(default)}".lower()

    def policy_host(self, request: web.Request) -> str:
        """The public host with its port, as a Content-Security-Policy can name it.

        "" for a Host header that is not a host name or an IPv4 address (CSP 3, section 2.3.1, `host-source`): an
        IPv6 address, or a text with which a program tries to change the policy.
        """
        host = self._base_host or request.host
        return host.lower() if _POLICY_HOST.fullmatch(host) else ""

    def check_origin(self, request: web.Request) -> None:
        """For requests that change data. Raises DomainError: `csrf` if the browser names another site as the source.

        Checks Sec-Fetch-Site (Fetch Metadata) and Origin (RFC 6454). Programs send neither and are accepted.
        """
        site = request.headers.get("Sec-Fetch-Site")
        named = request.headers.get("Origin")
        if named is not None and named.lower() != (own := self.origin(request)):
            if site == "same-origin" and not self._other_origin:
                self._other_origin = (escape_unprintable(named[:_ORIGIN_MAX]), own)
            raise DomainError(ErrorCode.CSRF, reason="origin", origin=named[:_ORIGIN_MAX], own=own)
        if site is not None and site not in _OWN_SITES:
            raise DomainError(ErrorCode.CSRF)

    def check_socket_origin(self, request: web.Request) -> None:
        """Raises DomainError: `forbidden` unless the Origin header is the server's origin.

        Browsers send cookies with a WebSocket handshake from any page (RFC 6455, section 10.2).
        """
        named, own = request.headers.get("Origin", ""), self.origin(request)
        if named.lower() != own:
            reason = "origin" if named else "no_origin"
            raise DomainError(ErrorCode.FORBIDDEN, reason=reason, origin=named[:_ORIGIN_MAX], own=own)

    def address(self, request: web.Request) -> str:
        """The client's address: the peer's, or the address that trusted proxies report. For IPv6 its /64 network."""
        return _network(self._client(request))

    def client_address(self, request: web.Request) -> str:
        """The client's full address for the log; "unknown" if a trusted proxy sends no valid address."""
        parsed = _parsed(self._client(request))
        return "unknown" if parsed is None else str(parsed)

    def peer_address(self, peer: str) -> str:
        """The address for limits on connections; "" for a trusted proxy, whose connections carry many clients."""
        return "" if self._is_trusted(peer) else _network(peer)

    def is_local(self, request: web.Request) -> bool:
        """True for a request from a program on this host to a loopback address of a server without a proxy.

        False for every request if a base URL or trusted proxies are set, because behind a proxy on this host that adds
        no header every client looks like a program on this host. The Host header must be a loopback address too, so
        that a page whose domain resolves to 127.0.0.1 (DNS rebinding) is not local.
        """
        if self._base_url or self._proxies or any(name in request.headers for name in _PROXY_HEADERS):
            return False
        if request.version < HttpVersion11:  # A scraper on this host does not use HTTP/1.0, but nginx does by default.
            return False
        peer, host = _parsed(request.remote or ""), _host_name(request.host)
        parsed = _parsed(host)
        is_loopback_host = host == "localhost" or (parsed is not None and parsed.is_loopback)
        return is_loopback_host and peer is not None and peer.is_loopback

    def _client(self, request: web.Request) -> str:
        address = request.remote or ""
        if self._from_proxy(request):
            hops = [hop.strip() for hop in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
            self._has_passed_forged |= hops[-1] == FORGED_ADDRESS
            # From right to left, because each proxy appends the address of its peer. Addresses to the left of
            # the first untrusted address were sent by the client and can be forged.
            for hop in reversed([hop for hop in hops if hop]):
                address = _without_port(hop)
                if _parsed(address) is None:
                    self._warn_of(address)
                    return ""
                if not self._is_trusted(address):
                    break
        return address

    def _warn_of(self, hop: str) -> None:
        """Warn only once, because a proxy sends such an entry with every request."""
        if not self._invalid_hop:
            self._invalid_hop = hop[:60]
            log.warning("a trusted proxy names its client %.60r in X-Forwarded-For, which is no address", hop)

    def _from_proxy(self, request: web.Request) -> bool:
        return bool(self._proxies) and self._is_trusted(request.remote or "")

    def _is_trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(
            parsed in network for network in self._proxies if network.version == parsed.version
        )


def _without_port(hop: str) -> str:
    """Remove the port: some proxies send `203.0.113.7:51234` or `[2001:db8::1]:443` (quoted in RFC 7239, section 6)."""
    hop = hop.strip('"')
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(4096)  # parsing takes 6 µs, and the address of every connection is parsed
def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


@lru_cache(4096)
def _network(address: str) -> str:
    """The address that rate limits count: an IPv4 address, or the /64 network of an IPv6 address, which one subscriber
    has."""
    parsed = _parsed(address)
    if parsed is None:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _host_name(host: str) -> str:
    """The host name of a Host header in lower case, without its port and without the brackets of IPv6."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _without_default_port(host: str) -> str:
    return host.lower().removesuffix(":443").removesuffix(":80")
