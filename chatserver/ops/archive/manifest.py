"""The manifest: the list of an archive's files, and the state of the room at the backup."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_MAX = 64 * 1024 * 1024
DATABASE = "chat.db"

# Valid names: the database, the secrets and the media. A path outside the data directory or a hidden file is invalid.
_MEDIA = r"media/[a-z]{1,20}/[A-Za-z0-9_-]{20,64}(?:\.thumb)?\.(?:webp|avif)"
_NAME = re.compile(rf"chat\.db|[a-z][a-z0-9-]{{0,40}}\.key|{_MEDIA}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Damaged(Exception):
    """An archive cannot be used. The message gives the reason, and is printed after the file's name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: the name in the data directory, the size in bytes, the SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`schema` is the database's version, `seq` the room's last change, `missing` the media files not found on disk."""

    program: str
    schema: int
    created_ms: int
    created: str
    epoch: str
    seq: int
    messages: int
    missing: tuple[str, ...]
    files: tuple[Entry, ...]

    @property
    def total(self) -> int:
        """The size of all files in bytes."""
        return sum(entry.size for entry in self.files)

    @property
    def media(self) -> int:
        """The number of pictures."""
        return sum(entry.name.startswith("media/") for entry in self.files)

    def encode(self) -> bytes:
        value = {
            "format": FORMAT,
            "program": self.program,
            "schema": self.schema,
            "created": self.created,
            "created_ms": self.created_ms,
            "epoch": self.epoch,
            "seq": self.seq,
            "messages": self.messages,
            "missing": list(self.missing),
            "files": [{"name": entry.name, "size": entry.size, "sha256": entry.sha256} for entry in self.files],
        }
        return json.dumps(value, indent=1).encode() + b"\n"


def decode(data: bytes) -> Manifest:
    """Parse a manifest. Raises Damaged if it is invalid or has another format."""
    try:
        value = json.loads(data)
        number = value["format"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise Damaged("is not a backup of this program") from None
    if number != FORMAT:
        raise Damaged(f"has format {number!r}; this program reads format {FORMAT}")
    try:
        return _manifest(value)
    except (ValueError, LookupError, TypeError):
        raise Damaged("is damaged: its manifest cannot be read") from None


def _manifest(value: dict[str, Any]) -> Manifest:
    files = tuple(_entry(item) for item in value["files"])
    names = {entry.name for entry in files}
    if len(names) != len(files) or DATABASE not in names:
        raise ValueError("files")
    return Manifest(
        program=str(value["program"]),
        schema=_whole(value["schema"]),
        created=str(value["created"]),
        created_ms=_whole(value["created_ms"]),
        epoch=str(value["epoch"]),
        seq=_whole(value["seq"]),
        messages=_whole(value["messages"]),
        missing=tuple(str(name) for name in value["missing"]),
        files=files,
    )


def _entry(item: dict[str, Any]) -> Entry:
    entry = Entry(item["name"], _whole(item["size"]), item["sha256"])
    if not _NAME.fullmatch(entry.name) or not _SHA256.fullmatch(entry.sha256):
        raise ValueError(entry)
    return entry


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value
