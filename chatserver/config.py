"""One table of settings. The flags, the variables, `run.py settings` and the docs all come from it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo


class ConfigError(Exception):
    """A setting that cannot be used; the message is one line that says which and why."""


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, read and checked. See SETTINGS for what each means."""

    host: str
    port: int
    data_dir: Path
    base_url: str
    trusted_proxies: tuple[Network, ...]
    tls_cert: str
    tls_key: str
    room_name: str
    language: str
    timezone: ZoneInfo
    registration: str
    guests: str
    send_interval: float
    recall_seconds: float
    history_hours: float
    history_limit: int
    image_max_kb: int
    upload_max_mb: int
    text_max: int
    window_seconds: int
    max_connections: int
    connections_per_address: int
    registrations_per_hour: int
    bcrypt_rounds: int
    log_level: str
    log_format: str

    @property
    def upload_max_bytes(self) -> int:
        return self.upload_max_mb * 1024 * 1024

    @property
    def image_max_bytes(self) -> int:
        return self.image_max_kb * 1024

    @property
    def history_ms(self) -> int:
        return int(self.history_hours * 3_600_000)

    @property
    def secure(self) -> bool:
        """True when browsers reach us over https, so that cookies must be `Secure`."""
        return self.base_url.startswith("https://") or bool(self.tls_cert)


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `parse` turns what somebody typed into the value, or raises ValueError."""

    name: str
    default: str
    parse: Callable[[str], Any]
    help: str

    @property
    def variable(self) -> str:
        return "CHAT_" + self.name.upper()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


def load(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> tuple[Config, dict[str, str]]:
    """Read every setting: the flag wins over the variable, the variable over the default.

    `flags` maps setting names to what was typed, None where nothing was. Returns the Config and,
    for each setting, where its value came from: "flag", "variable" or "default". Raises
    ConfigError for a value that cannot be used.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for setting in SETTINGS:
        typed = flags.get(setting.name)
        if typed is not None:
            source, shown = "flag", setting.flag
        elif setting.variable in environ:
            typed, source, shown = environ[setting.variable], "variable", setting.variable
        else:
            typed, source, shown = setting.default, "default", setting.variable
        try:
            values[setting.name] = setting.parse(typed)
        except ValueError as error:
            raise ConfigError(f"{shown}: {error}, not {typed!r}") from None
        sources[setting.name] = source
    config = Config(**values)
    if bool(config.tls_cert) != bool(config.tls_key):
        raise ConfigError("CHAT_TLS_CERT and CHAT_TLS_KEY go together: set both or neither")
    return config, sources


def shown(value: Any) -> str:
    """A setting's value as one would type it."""
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _text(most: int, least: int = 0) -> Callable[[str], str]:
    def parse(typed: str) -> str:
        text = typed.strip()
        if not least <= len(text) <= most:
            raise ValueError(f"must have {least} to {most} characters")
        if not text.isprintable():
            raise ValueError("must be one line of printable characters")
        return text

    return parse


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(typed: str) -> int:
        digits = typed.strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
            raise ValueError(f"must be a whole number from {least} to {most}")
        number = int(digits)
        if not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return number

    return parse


def _real(least: float, most: float) -> Callable[[str], float]:
    def parse(typed: str) -> float:
        try:
            number = float(typed)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            raise ValueError(f"must be a number from {least} to {most}")
        return number

    return parse


def _choice(*words: str) -> Callable[[str], str]:
    def parse(typed: str) -> str:
        word = typed.strip().lower()
        if word not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return word

    return parse


def _origin(typed: str) -> str:
    """`https://host[:port]` alone, without the default port, as browsers write an Origin."""
    text = typed.strip().rstrip("/")
    if not text:
        return ""
    problem = ValueError("must be an origin alone, like https://chat.example.org")
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


def _networks(typed: str) -> tuple[Network, ...]:
    words = typed.replace(",", " ").split()
    try:
        return tuple(ipaddress.ip_network(word) for word in words)
    except ValueError:
        raise ValueError("must be addresses or networks, separated by commas") from None


def _timezone(typed: str) -> ZoneInfo:
    try:
        return ZoneInfo(typed.strip())
    except Exception:  # ZoneInfo raises half a dozen kinds for a name that is no zone
        raise ValueError("must be a time zone's name, like Asia/Shanghai") from None


def _directory(typed: str) -> Path:
    if not typed.strip() or "\0" in typed:
        raise ValueError("must be a directory")
    return Path(typed)


SETTINGS: tuple[Setting, ...] = (
    Setting("host", "127.0.0.1", _text(255, 1), "address to listen on"),
    Setting("port", "8000", _whole(0, 65535), "port to listen on; 0 picks a free one"),
    Setting("data_dir", "data", _directory, "directory of the database, the media and the secrets"),
    Setting("base_url", "", _origin, "public origin (https://chat.example.org): links, Host and Origin checks, secure cookies"),
    Setting("trusted_proxies", "", _networks, "addresses whose X-Forwarded-For and -Proto are believed"),
    Setting("tls_cert", "", _text(4096), "certificate file (PEM) for own TLS"),
    Setting("tls_key", "", _text(4096), "key file (PEM) for own TLS"),
    Setting("room_name", "聊天室", _text(40, 1), "title of the room"),
    Setting("language", "zh", _choice("zh", "en"), "language when the browser asks for neither zh nor en"),
    Setting("timezone", "Asia/Shanghai", _timezone, "time zone of the `timestamp` strings"),
    Setting("registration", "open", _choice("open", "invite", "closed"), "who may register: open, invite or closed"),
    Setting("guests", "read", _choice("read", "none"), "what someone who is not logged in may do: read or none"),
    Setting("send_interval", "2.0", _real(0, 3600), "seconds between two messages of one member; 0 turns it off"),
    Setting("recall_seconds", "30", _real(0, 86_400), "seconds in which an author may recall a message"),
    Setting("history_hours", "24", _real(0.0001, 87_600), "hours that a message is kept"),
    Setting("history_limit", "100", _whole(1, 100_000), "messages that are kept at most"),
    Setting("image_max_kb", "200", _whole(10, 10_240), "ceiling of every stored chat image, in KiB"),
    Setting("upload_max_mb", "20", _whole(1, 200), "ceiling of one upload, in MiB"),
    Setting("text_max", "2000", _whole(1, 10_000), "characters in a message"),
    Setting("window_seconds", "100", _whole(1, 86_400), "length of an ordering window opened without one, in seconds"),
    Setting("max_connections", "10000", _whole(0, 1_000_000), "sockets in all; 0: no limit"),
    Setting("connections_per_address", "200", _whole(0, 1_000_000), "sockets of one address; 0: no limit"),
    Setting("registrations_per_hour", "60", _whole(0, 1_000_000), "registrations of one address in an hour; 0: no limit"),
    Setting("bcrypt_rounds", "12", _whole(4, 16), "cost of a password's hash, as a power of two"),
    Setting("log_level", "info", _choice("debug", "info", "warning", "error"), "least level that is logged"),
    Setting("log_format", "auto", _choice("auto", "text", "json"), "text, json, or auto: text on a terminal, json elsewhere"),
)
