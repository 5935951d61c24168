"""The table of settings: the source of the flags, the environment variables, and `chatserver settings`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from chatserver.core.push_services import push_services
from chatserver.core.setting_values import (
    Choice,
    Network,
    Real,
    Text,
    Whole,
    directory,
    networks,
    origin,
    timezone,
    token,
)


class ConfigError(Exception):
    """An invalid setting. The message is one line: the flag or variable, and the reason."""


class _Computed:
    """Values that are computed once for each Config, because each message needs them."""

    __slots__ = ("history_ms", "recall_ms")
    history_ms: int
    recall_ms: int


@dataclass(frozen=True, slots=True)
class Config(_Computed):
    """The values of all settings, parsed and checked. SETTINGS gives the meaning of each."""

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
    edit_seconds: float
    history_hours: float
    history_limit: int
    ledger_days: float
    image_max_kb: int
    upload_max_mb: int
    text_max: int
    window_seconds: int
    max_connections: int
    connections_per_address: int
    registrations_per_hour: int
    push: str
    push_services: tuple[str, ...]
    bcrypt_rounds: int
    metrics_token: str
    log_level: str
    log_format: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "history_ms", int(self.history_hours * 3_600_000))
        object.__setattr__(self, "recall_ms", int(self.recall_seconds * 1000))

    @property
    def send_interval_ms(self) -> int:
        return int(self.send_interval * 1000)

    @property
    def edit_ms(self) -> int:
        return int(self.edit_seconds * 1000)

    @property
    def upload_max_bytes(self) -> int:
        return self.upload_max_mb * 1024 * 1024

    @property
    def image_max_bytes(self) -> int:
        return self.image_max_kb * 1024

    @property
    def ledger_ms(self) -> int:
        return int(self.ledger_days * 86_400_000)

    @property
    def secure(self) -> bool:
        """True if browsers use https, so that cookies must have the attribute `Secure`."""
        return self.base_url.startswith("https://") or bool(self.tls_cert)


class CurrentConfig(Protocol):
    """Gives the present settings. Features read `now` on each use, because administrators can change it."""

    @property
    def now(self) -> Config: ...


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `parse` converts a text into the value, or raises ValueError with the rule.

    `group`: the section of the settings page on which administrators can change the setting while the server
    runs; "" if only the operator can. `unit`: the unit of its value on that page. The message catalogue has the
    texts for the section, the unit and the setting: `page.settings.part_GROUP`, `.unit_UNIT`, `.NAME`, `.NAME_hint`.
    `is_secret`: the value is never printed.
    """

    name: str
    default: str
    parse: Callable[[str], Any]
    help: str
    group: str = ""
    unit: str = ""
    is_secret: bool = False

    @property
    def in_room(self) -> bool:
        """True for a setting that administrators can change on the settings page."""
        return bool(self.group)

    @property
    def variable(self) -> str:
        return "CHAT_" + self.name.upper()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


def load(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> tuple[Config, dict[str, str]]:
    """Read every setting. A flag overrides the variable, and the variable overrides the default.

    `flags` maps setting names to texts, None for a flag that is not given. Returns the Config, and the
    source of each setting's value: "flag", "variable" or "default". Raises ConfigError for an invalid value.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for setting in SETTINGS:
        text = flags.get(setting.name)
        if text is not None:
            source, name = "flag", setting.flag
        elif setting.variable in environ:
            text, source, name = environ[setting.variable], "variable", setting.variable
        else:
            text, source, name = setting.default, "default", setting.variable
        try:
            values[setting.name] = setting.parse(text)
        except ValueError as error:
            raise ConfigError(f"{name}: {error}" + ("" if setting.is_secret else f", not {text!r}")) from None
        sources[setting.name] = source
    config = Config(**values)
    if bool(config.tls_cert) != bool(config.tls_key):
        raise ConfigError("CHAT_TLS_CERT and CHAT_TLS_KEY go together: set both or neither")
    return config, sources


def overridden(config: Config, overrides: Mapping[str, str]) -> tuple[Config, dict[str, str]]:
    """Replace values of `config` by the administrators' overrides (name -> text).

    Ignores an invalid override, which may come from another version of this program. The second value
    gives the reason for each ignored name.
    """
    values: dict[str, Any] = {}
    invalid: dict[str, str] = {}
    for name, text in overrides.items():
        setting = ROOM_SETTINGS.get(name)
        if setting is None:
            invalid[name] = "is not a setting of the room"
            continue
        try:
            values[name] = setting.parse(text)
        except ValueError as error:
            invalid[name] = f"{error}, not {text!r}"
    return replace(config, **values), invalid


def as_text(value: Any) -> str:
    """A setting's value in the form that its `parse` accepts."""
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


# Name, default, parser, help; group and unit.
SETTINGS: tuple[Setting, ...] = (
    Setting("host", "127.0.0.1", Text(1, 255), "address to listen on"),
    Setting("port", "8000", Whole(0, 65535), "port to listen on; 0: a free port"),
    Setting("data_dir", "data", directory, "directory of the database, the media files and the secrets"),
    Setting(
        "base_url",
        "",
        origin,
        "public origin (https://chat.example.org), for links, Host and Origin checks, secure cookies",
    ),
    Setting("trusted_proxies", "", networks, "proxies whose X-Forwarded-For and X-Forwarded-Proto headers are used"),
    Setting("tls_cert", "", Text(0, 4096), "certificate file (PEM), to serve TLS"),
    Setting("tls_key", "", Text(0, 4096), "key file (PEM), to serve TLS"),
    Setting("room_name", "聊天室", Text(1, 40), "name of the room", "room"),
    Setting("language", "zh", Choice(("zh", "en")), "language if the browser prefers neither zh nor en", "room"),
    Setting("timezone", "Asia/Shanghai", timezone, "time zone of the `timestamp` strings"),
    Setting(
        "registration",
        "open",
        Choice(("open", "invite", "closed")),
        "who may register: open, invite or closed",
        "members",
    ),
    Setting(
        "guests",
        "read",
        Choice(("read", "none")),
        "permission of readers who are not logged in: read or none",
        "members",
    ),
    Setting(
        "send_interval",
        "2.0",
        Real(0, 3600),
        "minimum seconds between two messages of one member; 0: no limit",
        "messages",
        "seconds",
    ),
    Setting(
        "recall_seconds",
        "30",
        Real(0, 86_400),
        "seconds in which the author can recall a message",
        "messages",
        "seconds",
    ),
    Setting(
        "edit_seconds",
        "300",
        Real(0, 86_400),
        "seconds in which the author can edit a text; 0: not at all",
        "messages",
        "seconds",
    ),
    Setting("history_hours", "24", Real(0.0001, 87_600), "hours until a message expires", "history", "hours"),
    Setting(
        "history_limit", "100", Whole(1, 100_000), "maximum number of messages in the history", "history", "messages"
    ),
    Setting(
        "ledger_days",
        "30",
        Real(0.0001, 3_660),
        "days that the orders of a closed window are kept",
        "history",
        "days",
    ),
    Setting(
        "image_max_kb", "200", Whole(10, 10_240), "maximum size of a stored chat picture, in KiB", "pictures", "kb"
    ),
    Setting("upload_max_mb", "20", Whole(1, 200), "maximum size of one upload, in MiB", "pictures", "mb"),
    Setting(
        "text_max", "2000", Whole(1, 10_000), "maximum number of characters in a message", "messages", "characters"
    ),
    Setting(
        "window_seconds",
        "100",
        Whole(1, 86_400),
        "default length of an ordering window, in seconds",
        "messages",
        "seconds",
    ),
    Setting("max_connections", "10000", Whole(0, 1_000_000), "maximum number of WebSocket connections; 0: no limit"),
    Setting(
        "connections_per_address",
        "200",
        Whole(0, 1_000_000),
        "maximum number of WebSocket connections of one address; 0: no limit",
    ),
    Setting(
        "registrations_per_hour",
        "60",
        Whole(0, 1_000_000),
        "maximum number of registrations of one address in an hour; 0: no limit",
        "members",
        "people",
    ),
    Setting("push", "off", Choice(("off", "on")), "Web Push to members who want it: off or on", "push"),
    Setting(
        "push_services",
        "fcm.googleapis.com, updates.push.services.mozilla.com, *.push.services.mozilla.com, web.push.apple.com, "
        "*.push.apple.com, *.notify.windows.com",
        push_services,
        "hosts of the push services that may be written to, separated by commas; *.host: all hosts below it",
    ),
    Setting("bcrypt_rounds", "12", Whole(4, 16), "cost of a password hash, as a power of two"),
    Setting(
        "metrics_token", "", token, "bearer token for /metrics from other hosts; empty: only this host", is_secret=True
    ),
    Setting("log_level", "info", Choice(("debug", "info", "warning", "error")), "lowest level that is logged"),
    Setting(
        "log_format", "auto", Choice(("auto", "text", "json")), "text, json, or auto: text on a terminal, else json"
    ),
)

# Name -> setting, for the settings that administrators can change on the settings page, in the table's order.
ROOM_SETTINGS = {setting.name: setting for setting in SETTINGS if setting.in_room}

# The fields and properties of Config that the room page gets as `limits`, in this order.
LIMITS = (
    "send_interval_ms",
    "recall_ms",
    "edit_ms",
    "text_max",
    "upload_max_bytes",
    "image_max_bytes",
    "history_limit",
    "history_ms",
    "window_seconds",
)
