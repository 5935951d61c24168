"""A message's JSON has the same fields for every kind of message."""

from __future__ import annotations

import json
import random
from zoneinfo import ZoneInfo

import pytest

from chatserver.core.json import dumps
from chatserver.core.model import AddedFields, Kind, Message, Preset, Reaction, Role, State, User
from chatserver.features.messages.encode import MessageEncoder

ENCODER = MessageEncoder(ZoneInfo("Asia/Shanghai"))
AUTHOR = User(7, "小明", Role.ADMINISTRATOR, "avatars/a.webp")
TEXTS = ("", "你好", 'a "quoted" \\ word', "</script><!-- & -->", "line\nline\ttab", "\u2028\u2029", "%d", "👍🏽\x7f")


def test_the_shape_in_its_order() -> None:
    """The fields of section 3 of the protocol."""
    message = Message(
        12, 34, State.LIVE, Kind.IMAGE, AUTHOR, "看", "images/b.webp", "images/b.thumb.webp", 640, 480,
        1_700_000_000_123, 1_700_000_030_123, 5, "c-1", album="5e884898da280471",
        reactions=(Reaction("👍", ("小红", "小明")),),
    )  # fmt: skip
    assert list(ENCODER.as_dict(message).items()) == [
        ("id", 12),
        ("seq", 34),
        ("state", "live"),
        ("kind", "image"),
        ("user", "小明"),
        ("user_id", 7),
        ("role", "administrator"),
        ("avatar", "/media/avatars/a.webp"),
        ("text", "看"),
        ("image", "/media/images/b.webp"),
        ("thumb", "/media/images/b.thumb.webp"),
        ("width", 640),
        ("height", 480),
        ("timestamp", "2023-11-15 06:13:20"),
        ("created_ms", 1_700_000_000_123),
        ("recall_until_ms", 1_700_000_030_123),
        ("reply_to", 5),
        ("client_id", "c-1"),
        ("preset", None),
        ("closes_ms", None),
        ("window_id", None),
        ("album", "5e884898da280471"),
        ("edited_ms", None),
        ("reactions", [{"emoji": "👍", "users": ["小红", "小明"]}]),
        ("recalled_by", ""),
    ]


@pytest.mark.parametrize("seed", range(50))
def test_it_is_written_as_any_json_of_ours_is(seed: int) -> None:
    """Compact, in UTF-8, and safe inside an HTML data block, with any text and any name."""
    chance = random.Random(seed)
    author = User(chance.randrange(9), chance.choice(TEXTS), chance.choice(list(Role)), chance.choice(("", "a.webp")))
    message = Message(
        chance.randrange(2**60), chance.randrange(2**60), chance.choice(list(State)), chance.choice(list(Kind)),
        author, chance.choice(TEXTS), chance.choice(("", "b.webp")), "", 0, chance.randrange(2048),
        1_700_000_000_000 + chance.randrange(10**9), 0, chance.choice((None, 1)), chance.choice(TEXTS),
        chance.choice((None, *Preset)), chance.choice((None, 0, 1_700_000_000_000)),
        chance.choice((None, 3)), chance.choice((None, "5e884898da280471")),
        chance.choice(((), (Reaction("🎉", TEXTS[1:]),))), chance.choice(TEXTS),
        added=AddedFields(edited_ms=chance.choice((None, 1_700_000_000_001))),
    )  # fmt: skip
    encoded = ENCODER(message)
    assert encoded == dumps(json.loads(encoded))
    shape = ENCODER.as_dict(message)
    assert (shape["text"], shape["user"], shape["client_id"]) == (message.text, author.name, message.client_id)
    assert (shape["id"], shape["reply_to"], shape["closes_ms"]) == (message.id, message.reply_to, message.closes_ms)
    assert (shape["window_id"], shape["album"]) == (message.window_id, message.album)
    assert shape["edited_ms"] == message.added.edited_ms
    assert (shape["state"], shape["kind"], shape["preset"]) == (message.state, message.kind, message.preset)
    assert shape["recalled_by"] == (message.ended_by if message.state is State.RECALLED else "")
    assert [tuple(each["users"]) for each in shape["reactions"]] == [each.names for each in message.reactions]
