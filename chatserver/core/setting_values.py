"""Parsers from the text of a setting to its value. Each parser raises ValueError with the rule that the text breaks."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from chatserver.core.numbers import whole_number

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Text:
    """One line of `least` to `most` characters."""

    least: int
    most: int

    def __call__(self, text: str) -> str:
        line = text.strip()
        if not self.least <= len(line) <= self.most:
            raise ValueError(f"must have {self.least} to {self.most} characters")
        if not line.isprintable():
            raise ValueError("must be one line of printable characters")
        return line


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def __call__(self, text: str) -> int:
        number = whole_number(text.strip(), self.least, self.most)
        if number is not None:
            return number
        raise ValueError(f"must be a whole number from {self.least} to {self.most}")


@dataclass(frozen=True, slots=True)
class Real:
    """A number from `least` to `most`, with or without a fraction."""

    least: float
    most: float

    def __call__(self, text: str) -> float:
        try:
            number = float(text if len(text) <= 40 else "")
        except ValueError:
            number = float("nan")
        if not self.least <= number <= self.most:
            raise ValueError(f"must be a number from {self.least} to {self.most}")
        return number


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the listed options, in upper or lower case."""

    options: tuple[str, ...]

    def __call__(self, text: str) -> str:
        option = text.strip().lower()
        if option not in self.options:
            raise ValueError(f"must be one of {', '.join(self.options)}")
        return option


def origin(text: str) -> str:
    """`https://host[:port]` without the default port, as browsers serialize an origin (RFC 6454, section 6.2)."""
    text = text.strip().rstrip("/")
    if not text:
        return ""
    problem = ValueError("must be an origin without a path, like https://chat.example.org")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise problem from None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or parts.path
        or parts.query
        or parts.fragment
        or parts.username is not None
        or any(c.isspace() for c in text)
    ):
        raise problem
    try:
        name = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise problem from None
    default = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{name}" + (f":{port}" if port and port != default else "")


def networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ValueError("must be addresses or networks, separated by commas") from None


def timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text.strip())
    except Exception:  # ZoneInfo raises several unrelated classes for an invalid name
        raise ValueError("must be the name of a time zone, like Asia/Shanghai") from None


def directory(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise ValueError("must be a directory")
    return Path(text)


def token(text: str) -> str:
    """Accept "", or a token that is too long to be guessed and valid in an Authorization header."""
    typed = text.strip()
    if typed and not (16 <= len(typed) <= 200 and typed.isascii() and typed.isprintable() and " " not in typed):
        raise ValueError("must have 16 to 200 visible ASCII characters")
    return typed
