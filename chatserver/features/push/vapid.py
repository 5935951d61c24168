"""The server's key pair (RFC 8292), by which push services recognise the messages of this room."""

from __future__ import annotations

import asyncio
import errno
import secrets
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chatserver.core import durable_files
from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.clock import Clock

# The extra `push` of pyproject.toml.
IS_INSTALLED = find_spec("http_ece") is not None and find_spec("py_vapid") is not None

FILE_NAME = "vapid.key"
KEY_BYTES = 32
# The order of the curve P-256: a private key is below it (SEC 1, 3.2.1).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# Lifetime of a token: RFC 8292, section 2, allows at most 24 hours. A new token is signed after half of this time.
TOKEN_SECONDS = 12 * 3600
_ORIGINS_MAX = 64


class VapidKeys:
    """Reads the key pair at its first use, and creates it if it does not exist. Use it only if IS_INSTALLED.

    `subject` is the operator's address, for `sub` of RFC 8292. Apple's service refuses a message without it.
    """

    def __init__(self, data_dir: Path, clock: Clock, subject: str) -> None:
        self._data_dir = data_dir
        self._clock = clock
        self._subject = subject
        self._lock = threading.Lock()
        self._signer: Any = None
        # Origin -> the header's value, and when it was signed, in Unix seconds.
        self._headers: BoundedDict[str, tuple[str, int]] = BoundedDict(_ORIGINS_MAX)

    async def public_key(self) -> str:
        """The key that a browser subscribes with, as base64url without padding. Raises OSError."""
        return await asyncio.to_thread(self._public_key)

    def authorization(self, origin: str) -> str:
        """The header Authorization of a message to a service at `origin`. Blocks; raises OSError."""
        with self._lock:
            now_s = self._clock.now_ms() // 1000
            header, signed_s = self._headers.get(origin, ("", 0))
            if not header or not 0 <= now_s - signed_s < TOKEN_SECONDS // 2:
                claims = {"aud": origin, "exp": now_s + TOKEN_SECONDS, "sub": self._subject}
                header = self._loaded().sign(claims)["Authorization"]
                self._headers[origin] = header, now_s
            return header

    def _public_key(self) -> str:
        with self._lock:
            signer = self._loaded()
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
        from py_vapid.utils import b64urlencode

        encoded: str = b64urlencode(signer.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        return encoded

    def _loaded(self) -> Any:
        if self._signer is None:
            from cryptography.hazmat.primitives.asymmetric import ec
            from py_vapid import Vapid02

            number = int.from_bytes(_load(self._data_dir))
            # `no-strict`, because the library's own check of `sub` refuses an origin with a port.
            self._signer = Vapid02(ec.derive_private_key(number, ec.SECP256R1()), conf={"no-strict": True})
        return self._signer


def _load(data_dir: Path) -> bytes:
    """Read `vapid.key`; create it if it does not exist. Raises OSError, also if the file is not a private key."""
    path = data_dir / FILE_NAME
    if not path.exists():
        durable_files.write(path, (1 + secrets.randbelow(_ORDER - 1)).to_bytes(KEY_BYTES))
        durable_files.sync(data_dir)
    key = path.read_bytes()
    if len(key) != KEY_BYTES or not 0 < int.from_bytes(key) < _ORDER:
        advice = "restore it from a backup, or delete it: then members turn notifications on again"
        raise OSError(errno.EINVAL, f"is no private key; {advice}", str(path))
    return key
