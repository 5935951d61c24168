"""Encrypt a message for one browser (RFC 8291), so that the push service cannot read it."""

from __future__ import annotations

# Payloads are padded to a multiple of this, so that a push service does not learn the length of a text.
PADDED_TO_BYTES = 512
# RFC 8291, section 4: the bytes for the payload in the 4,096 bytes that a push service has to accept.
PAYLOAD_MAX = 3993
PUBLIC_KEY_BYTES, AUTH_BYTES = 65, 16


def encrypted(payload: bytes, public_key: bytes, auth: bytes) -> bytes:
    """The body of the request, in the content encoding aes128gcm. `payload` is JSON, which may end with spaces.

    `public_key` is an uncompressed point of P-256, `auth` the shared secret of 16 bytes; both come from the browser.
    Raises ValueError if the key is not a point of the curve, or the payload is longer than PAYLOAD_MAX.
    """
    import http_ece
    from cryptography.hazmat.primitives.asymmetric import ec

    if len(payload) > PAYLOAD_MAX:
        raise ValueError(f"{len(payload)} bytes are more than a push service takes")
    padded = payload.ljust(min(PAYLOAD_MAX, -(-len(payload) // PADDED_TO_BYTES) * PADDED_TO_BYTES))
    sender = ec.generate_private_key(ec.SECP256R1())
    body: bytes = http_ece.encrypt(padded, private_key=sender, dh=public_key, auth_secret=auth, version="aes128gcm")
    return body


def is_point(public_key: bytes) -> bool:
    """True for an uncompressed point of the curve P-256."""
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    except ValueError:
        return False
    return len(public_key) == PUBLIC_KEY_BYTES
