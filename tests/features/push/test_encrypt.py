"""Encryption and the server's key pair, checked by another implementation of the RFCs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from chatserver.features.push.encrypt import PADDED_TO_BYTES, PAYLOAD_MAX, encrypted, is_point
from chatserver.features.push.vapid import TOKEN_SECONDS, VapidKeys
from tests.features.push.browsers import Device, from_base64url
from tests.support import FakeClock

SERVICE = "https://push.example.org"


def test_the_browser_of_these_tests_reads_the_example_of_rfc_8291() -> None:
    """Appendix A of the RFC, so that the test does not only repeat the library."""
    number = int.from_bytes(from_base64url("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
    auth = from_base64url("BTBZMqHH6r4Tts7J_aSIgg")
    device = Device(SERVICE, ec.derive_private_key(number, ec.SECP256R1()), auth)
    body = from_base64url(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert device.decrypted(body) == b"When I grow up, I want to be a watermelon"


def test_what_is_encrypted_is_read_by_its_browser_alone() -> None:
    device, other = Device(SERVICE), Device(SERVICE)
    payload = json.dumps({"body": "周五水果"}).encode()
    first, second = (encrypted(payload, device.public_key, device.auth) for _ in range(2))
    assert device.payload(first) == device.payload(second) == {"body": "周五水果"}
    assert first != second, "each has a key and a salt of its own"
    other.auth = device.auth
    with pytest.raises(Exception):  # noqa: B017 # InvalidTag, of the compiled module
        other.decrypted(first)


def test_its_length_tells_little_and_is_what_every_service_takes() -> None:
    device = Device(SERVICE)
    lengths = {len(encrypted(b"{}" + b" " * size, device.public_key, device.auth)) for size in range(0, 500, 50)}
    assert lengths == {PADDED_TO_BYTES + 16 + 4 + 1 + 65 + 16 + 1}
    assert len(encrypted(b"x" * PAYLOAD_MAX, device.public_key, device.auth)) <= 4096
    with pytest.raises(ValueError, match="3994"):
        encrypted(b"x" * (PAYLOAD_MAX + 1), device.public_key, device.auth)


def test_a_point_that_is_not_on_the_curve_is_none() -> None:
    good = Device(SERVICE).public_key
    assert is_point(good)
    for bad in (good[:-1], b"\x04" + bytes(64), bytes([2]) + good[1:33], b"", good + b"\0"):
        assert not is_point(bad)


async def test_the_server_signs_with_one_key_pair_for_good(tmp_path: Path) -> None:
    clock = FakeClock()
    keys = VapidKeys(tmp_path, clock, "https://chat.example.org:8443")
    public = await keys.public_key()
    assert (tmp_path / "vapid.key").stat().st_mode & 0o777 == 0o600
    header = keys.authorization(SERVICE)
    scheme, _, fields = header.partition(" ")
    parts = dict(part.split("=", 1) for part in fields.split(","))
    assert (scheme, parts["k"]) == ("vapid", public)
    signed, _, signature = parts["t"].rpartition(".")
    number = from_base64url(signature)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(public))
    pair = encode_dss_signature(int.from_bytes(number[:32]), int.from_bytes(number[32:]))
    key.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA256()))
    head, claims = (json.loads(from_base64url(part)) for part in signed.split("."))
    assert head["alg"] == "ES256"
    end = clock.now_ms() // 1000 + TOKEN_SECONDS
    assert claims == {"aud": SERVICE, "exp": end, "sub": "https://chat.example.org:8443"}

    clock.forward(60)
    assert keys.authorization(SERVICE) == header, "signed once for many messages"
    clock.forward(TOKEN_SECONDS / 2)
    assert keys.authorization(SERVICE) != header
    again = VapidKeys(tmp_path, clock, "https://chat.example.org")
    assert await again.public_key() == public


async def test_a_damaged_key_is_named_and_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "vapid.key"
    for content in (b"", b"\0" * 32, b"\xff" * 32, b"x" * 31):
        file.write_bytes(content)
        with pytest.raises(OSError, match="is no private key"):
            await VapidKeys(tmp_path, FakeClock(), "https://localhost").public_key()
        assert file.read_bytes() == content
