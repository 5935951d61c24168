"""Resolves the names of push services, and drops every address that is not on the public internet.

The program connects to the checked addresses. It does not resolve the name again after the check, because the second
answer could differ.
"""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

# RFC 6052: the last four bytes are an IPv4 address.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class PublicResolver(AbstractResolver):
    """`allow_private` is for tests against a service on loopback."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._resolver = ThreadedResolver()
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The public addresses of `host`. Raises OSError if it has none."""
        found = await self._resolver.resolve(host, port, family)
        public = [each for each in found if self._allow_private or is_public(each["host"])]
        if not public:
            raise OSError(None, "resolves to no public address")
        return public

    def refuses(self, host: str) -> bool:
        """True if `host` is a numeric address (which is never resolved) and not public."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return not (self._allow_private or is_public(host))

    async def close(self) -> None:
        await self._resolver.close()


def is_public(address: str) -> bool:
    """False for loopback, private, link-local, multicast and reserved addresses, also inside an IPv6 address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner and not is_public(str(inner)):
            return False
    return ip.is_global and not ip.is_multicast
