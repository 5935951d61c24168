"""A browser's part of Web Push, written after RFC 8291 with only the primitives of `cryptography`."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HEADER_BYTES = 16 + 4 + 1


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


@dataclass
class Device:
    """A subscription of a browser at a push service, with its private key."""

    endpoint: str
    private_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    @property
    def public_key(self) -> bytes:
        return point(self.private_key.public_key())

    def fields(self, **wishes: Any) -> dict[str, Any]:
        """The fields that its page sends to `/push/`."""
        kinds = {"opened": True, "closes": True, "named": True, "words": False}
        keys = {"p256dh": base64url(self.public_key), "auth": base64url(self.auth)}
        return {"endpoint": self.endpoint, **keys, **kinds, **wishes}

    def decrypted(self, body: bytes) -> bytes:
        """RFC 8291, section 3.4, over one record of RFC 8188, section 2, without its padding."""
        salt, record_size, id_length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, record = body[HEADER_BYTES : HEADER_BYTES + id_length], body[HEADER_BYTES + id_length :]
        assert len(record) <= record_size
        sender_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.private_key.exchange(ec.ECDH(), sender_key)
        info = b"WebPush: info\0" + self.public_key + sender
        keying_material = _hkdf(self.auth, shared, info, 32)
        key = _hkdf(salt, keying_material, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _hkdf(salt, keying_material, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, record, None)
        text, delimiter, padding = padded.rpartition(b"\x02")
        assert delimiter and not padding.strip(b"\0")
        return text

    def payload(self, body: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.decrypted(body))
        return found
