"""One table of settings. The flags, the variables, `run.py settings` and the docs all come from it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
    metrics_token: str
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
    """One row of the table. `parse` turns what somebody typed into the value, or raises ValueError.

    `in_room`: the room's administrators may change it on its settings page, while it runs.
    `is_secret`: it is never printed.
    """

    name: str
    default: str
    parse: Callable[[str], Any]
    help: str
    in_room: bool = False
    is_secret: bool = False

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
            raise ConfigError(f"{shown}: {error}" + ("" if setting.is_secret else f", not {typed!r}")) from None
        sources[setting.name] = source
    config = Config(**values)
    if bool(config.tls_cert) != bool(config.tls_key):
        raise ConfigError("CHAT_TLS_CERT and CHAT_TLS_KEY go together: set both or neither")
    return config, sources


def overridden(config: Config, words: Mapping[str, str]) -> tuple[Config, dict[str, str]]:
    """`config` with what the room's administrators typed in place of the operator's values.

    A word that cannot be used is left out: it may come from another version of this program. The
    second value says what was wrong with each of those, by name.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, typed in words.items():
        setting = ROOM_SETTINGS.get(name)
        if setting is None:
            wrong[name] = "is not a room setting"
            continue
        try:
            values[name] = setting.parse(typed)
        except ValueError as error:
            wrong[name] = f"{error}, not {typed!r}"
    return replace(config, **values), wrong


def shown(value: Any) -> str:
    """A setting's value as one would type it."""
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


@dataclass(frozen=True, slots=True)
class Text:
    """One line of `least` to `most` characters."""

    least: int
    most: int

    def __call__(self, typed: str) -> str:
        text = typed.strip()
        if not self.least <= len(text) <= self.most:
            raise ValueError(f"must have {self.least} to {self.most} characters")
        if not text.isprintable():
            raise ValueError("must be one line of printable characters")
        return text


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int
    most: int

    def __call__(self, typed: str) -> int:
        digits = typed.strip()
        if digits.isascii() and digits.isdigit() and len(digits) < 16 and self.least <= int(digits) <= self.most:
            return int(digits)
        raise ValueError(f"must be a whole number from {self.least} to {self.most}")


@dataclass(frozen=True, slots=True)
class Real:
    """A number that may be a fraction."""

    least: float
    most: float

    def __call__(self, typed: str) -> float:
        try:
            number = float(typed if len(typed) <= 40 else "")
        except ValueError:
            number = float("nan")
        if not self.least <= number <= self.most:
            raise ValueError(f"must be a number from {self.least} to {self.most}")
        return number


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def __call__(self, typed: str) -> str:
        word = typed.strip().lower()
        if word not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}")
        return word


def _origin(typed: str) -> str:
    """`https://host[:port]` alone, without the default port, as browsers write an Origin."""
    text = typed.strip().rstrip("/")
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
        raise ValueError("must be a time zone name, like Asia/Shanghai") from None


def _directory(typed: str) -> Path:
    if not typed.strip() or "\0" in typed:
        raise ValueError("must be a directory")
    return Path(typed)


def _token(typed: str) -> str:
    """Nothing, or what may stand in an Authorization header and is not guessed."""
    token = typed.strip()
    if token and not (16 <= len(token) <= 200 and token.isascii() and token.isprintable() and " " not in token):
        raise ValueError("must have 16 to 200 visible ASCII characters")
    return token


SETTINGS: tuple[Setting, ...] = (
    Setting("host", "127.0.0.1", Text(1, 255), "address to listen on"),
    Setting("port", "8000", Whole(0, 65535), "port to listen on; 0 picks a free one"),
    Setting("data_dir", "data", _directory, "directory of the database, the media and the secrets"),
    Setting(
        "base_url",
        "",
        _origin,
        "public origin (https://chat.example.org) for links, Host and Origin checks, secure cookies",
    ),
    Setting("trusted_proxies", "", _networks, "proxies whose X-Forwarded-For and -Proto headers are trusted"),
    Setting("tls_cert", "", Text(0, 4096), "TLS certificate file (PEM, with its chain)"),
    Setting("tls_key", "", Text(0, 4096), "TLS private key file (PEM)"),
    Setting("room_name", "聊天室", Text(1, 40), "name of the room", in_room=True),
    Setting(
        "language", "zh", Choice(("zh", "en")), "language for browsers that ask for neither zh nor en", in_room=True
    ),
    Setting("timezone", "Asia/Shanghai", _timezone, "time zone of the `timestamp` strings"),
    Setting(
        "registration",
        "open",
        Choice(("open", "invite", "closed")),
        "who may register: open, invite or closed",
        in_room=True,
    ),
    Setting(
        "guests",
        "read",
        Choice(("read", "none")),
        "what guests may do: read or none",
        in_room=True,
    ),
    Setting(
        "send_interval",
        "2.0",
        Real(0, 3600),
        "minimum seconds between two messages of one member; 0: no limit",
        in_room=True,
    ),
    Setting("recall_seconds", "30", Real(0, 86_400), "seconds in which the author can recall a message", in_room=True),
    Setting("history_hours", "24", Real(0.0001, 87_600), "hours that messages are kept", in_room=True),
    Setting("history_limit", "100", Whole(1, 100_000), "maximum number of messages that are kept", in_room=True),
    Setting("image_max_kb", "200", Whole(10, 10_240), "maximum size of a stored chat picture, in KiB", in_room=True),
    Setting("upload_max_mb", "20", Whole(1, 200), "maximum size of one upload, in MiB", in_room=True),
    Setting("text_max", "2000", Whole(1, 10_000), "maximum characters in a message", in_room=True),
    Setting(
        "window_seconds",
        "100",
        Whole(1, 86_400),
        "default length of an ordering window, in seconds",
        in_room=True,
    ),
    Setting("max_connections", "10000", Whole(0, 1_000_000), "maximum WebSocket connections in total; 0: no limit"),
    Setting("connections_per_address", "200", Whole(0, 1_000_000), "maximum WebSocket connections per address; 0: no limit"),
    Setting(
        "registrations_per_hour",
        "60",
        Whole(0, 1_000_000),
        "maximum registrations per address in one hour; 0: no limit",
        in_room=True,
    ),
    Setting("bcrypt_rounds", "12", Whole(4, 16), "bcrypt cost, as a power of two"),
    Setting(
        "metrics_token",
        "",
        _token,
        "bearer token for /metrics; empty: only this host may read it",
        is_secret=True,
    ),
    Setting("log_level", "info", Choice(("debug", "info", "warning", "error")), "minimum level to log"),
    Setting(
        "log_format",
        "auto",
        Choice(("auto", "text", "json")),
        "text, json, or auto: text on a terminal, json elsewhere",
    ),
)

# Those that the room's administrators may change, by name, in the table's order.
ROOM_SETTINGS = {setting.name: setting for setting in SETTINGS if setting.in_room}
