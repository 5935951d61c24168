"""`hello` has the fields of all features, although they are encoded separately and cached."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatserver.core.model import Role, User
from chatserver.features.presence.feature_fields import FeatureFields
from chatserver.features.presence.hello import PROTOCOL, Hello
from chatserver.http.encode import encoded_user, user_json

MEMBERS = [
    User(1, "小明", Role.MEMBER),
    User(2, 'a "quoted" <b>&</b> name\\', Role.ADMINISTRATOR, "avatars/x.webp"),
]


def read(frame: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(frame[frame.index(b"{") :])
    return found


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_is_encoded_as_everywhere(member: User) -> None:
    encoded = encoded_user(member)
    assert json.loads(encoded) == user_json(member)
    assert not set(b"<>&") & set(encoded)


@pytest.mark.parametrize("member", [None, *MEMBERS])
def test_hello_has_the_fields_of_the_protocol_and_those_of_the_features(member: User | None) -> None:
    hello = Hello(FeatureFields([lambda: {"seq": 7}, lambda: {"limits": {"text_max": 2000}}]), "v<1>", lambda user: 9)
    assert read(hello.frame(member, 5, 3, 1_700_000_000_000)) == {
        "type": "hello",
        "protocol": PROTOCOL,
        "version": "v<1>",
        "now_ms": 1_700_000_000_000,
        "user": user_json(member) if member else None,
        "read_id": 5,
        "muted_until_ms": 9,
        "online": 3,
        "seq": 7,
        "limits": {"text_max": 2000},
    }


def test_what_a_feature_changes_is_in_the_next_hello() -> None:
    added = {"seq": 1}
    hello = Hello(FeatureFields([lambda: dict(added)]), "v", lambda user: 0)
    assert read(hello.frame(None, 0, 1, 1))["seq"] == 1
    added["seq"] = 2
    assert read(hello.frame(None, 0, 1, 1))["seq"] == 2
