"""Every administrators' request that changes the room adds one entry to the audit log, or its row here gives a reason.

A new route of administrators without a row here fails.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatserver.http.access import Access
from chatserver.http.route import ID
from tests.bots import made
from tests.client import Answer, Browser, House, Socket, picture
from tests.declared import FRAME_TYPES, ROUTES
from tests.kept_rooms import KeptRooms

MEMBER = "/members/{member}/"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"


@dataclass
class Scene:
    """A room with an administrator, a member, a bot, an invitation, a template, and an open window with an order."""

    house: House
    admin: Browser
    socket: Socket
    ids: dict[str, int | str]

    async def entries(self) -> list[dict[str, Any]]:
        """The entries, oldest first."""
        found: list[dict[str, Any]] = (await self.admin.get("/audit/")).json["entries"]
        return found[::-1]


async def furnished(house: House) -> tuple[dict[str, Browser], dict[str, int | str]]:
    admin, member = await house.administrator(User_Agent=PHONE), await house.member("小明")
    await member.post("/profile/", {}, {"avatar": picture()})
    bot = await made(admin)
    await admin.preset("start", seconds=60)
    order = (await member.post_json("/order/", {"lines": [], "text": "two boxes"})).json
    said = await member.say("hello")
    own = await admin.say("mine")
    template = (await admin.post_json("/orders/templates/", {"act": "make", "title": "水果"})).json["template"]
    planned = {"act": "make", "repeat": "daily", "at": "18:00", "title": "水果"}
    plan = (await admin.post_json("/orders/plans/", planned)).json["plan"]
    invite = (await admin.post("/invites/", {"uses": 3, "hours": 24})).json["invite"]
    ids = {
        "member": said["user_id"], "bot": bot["id"], "order": order["id"], "window": 1, "message": said["id"],
        "own": own["id"], "template": template["id"], "invite": invite["id"],
        "plan": plan["id"],
    }  # fmt: skip
    return {"admin": admin}, ids


ROOMS = KeptRooms(furnished)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    room = await ROOMS.get(tmp_path, {})
    async with room.opened(tmp_path, User_Agent=PHONE) as (house, browsers):
        yield Scene(house, browsers["admin"], await browsers["admin"].socket(), dict(room.facts))


Act = Callable[[Scene], Awaitable[Any]]


@dataclass(frozen=True)
class Row:
    """`leaves`: the acts of the expected entries; if empty, `why` gives the reason. `first` is done before and does not
    count."""

    path: str
    name: str
    act: Act
    leaves: str = ""
    why: str = ""
    first: tuple[Act, ...] = field(default=())


def sent(path: str, image: bool = False, **fields: Any) -> Act:
    """Send a POST of JSON, or of a form with a picture. A value that names one of `ids` in braces is replaced by that
    id."""

    async def act(scene: Scene) -> Answer:
        at = path.format(**scene.ids)
        values = {
            name: scene.ids[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value
            for name, value in fields.items()
        }
        if image:
            answer = await scene.admin.post(at, values, {"image": picture()})
        else:
            answer = await scene.admin.post_json(at, values)
        assert answer.status in (200, 201), answer.text
        return answer

    return act


def formed(path: str, **fields: Any) -> Act:
    """Send a POST of a form."""

    async def act(scene: Scene) -> Answer:
        values = {name: str(value).format(**scene.ids) for name, value in fields.items()}
        answer = await scene.admin.post(path.format(**scene.ids), values)
        assert answer.status in (200, 201), answer.text
        return answer

    return act


def frame(kind: str, answered_by: str, **fields: Any) -> Act:
    async def act(scene: Scene) -> None:
        await scene.socket.send(kind, **{**fields, "id": scene.ids[fields["id"]]})
        await scene.socket.expect(answered_by)

    return act


def acting(name: str, *first: str) -> Row:
    before = tuple(sent(MEMBER, act=act) for act in first)
    return Row(f"/members/{ID}/", name, sent(MEMBER, act=name), f"member.{name}", first=before)


def preset(command: str, **fields: Any) -> Act:
    return sent("/send_preset/", command=command, **fields)


TEMPLATES, PLANS, MARKS = "/orders/templates/", "/orders/plans/", "/orders/{window}/marks"
BOTS, NOTICE = "/bots/", "/notice/"
STOPPED = (preset("stop"),)

ROWS = [
    Row("/settings/", "change", sent("/settings/", text_max="77"), "setting.change"),
    Row("/settings/", "two", sent("/settings/", text_max="77", room_name="店"), "setting.change setting.change"),
    Row("/settings/", "the same", sent("/settings/", text_max="2000"), why="nothing changed"),
    acting("mute"), acting("unmute", "mute"), acting("ban"), acting("unban", "ban"), acting("promote"),
    acting("demote", "promote"), acting("take_avatar"), acting("take_name"),
    Row(f"/members/{ID}/", "not muted", sent(MEMBER, act="unmute"), why="nothing changed"),
    Row(f"/members/{ID}/password-link", "make", formed("/members/{member}/password-link"), "member.password_link"),
    Row("/invites/", "make", formed("/invites/", uses=2, hours=24), "invite.make"),
    Row("/invites/", "withdraw", formed("/invites/", withdraw="{invite}"), "invite.withdraw"),
    Row(BOTS, "make", sent(BOTS, name="第二个"), "bot.make"),
    Row(BOTS, "change", sent(BOTS, change="{bot}", rate=5), "bot.change"),
    Row(BOTS, "the same", sent(BOTS, change="{bot}", rate=10), why="nothing changed"),
    Row(BOTS, "new token", sent(BOTS, new_token="{bot}"), "bot.token"),
    Row(BOTS, "end token", sent(BOTS, end_token="{bot}"), "bot.end_token"),
    Row(BOTS, "remove", sent(BOTS, remove="{bot}"), "bot.remove"),
    Row("/upload_global_background", "replace", sent("/upload_global_background", image=True), "picture.announcement"),
    Row("/send_preset_image/", "replace", sent("/send_preset_image/", image=True), "picture.preset"),
    Row(
        "/send_preset_image/", "post", formed("/send_preset_image/"), why="a message, which names its author",
        first=(sent("/send_preset_image/", image=True),),
    ),
    Row(NOTICE, "put", sent(NOTICE, text="on Friday"), "notice.change"),
    Row(NOTICE, "take down", sent(NOTICE, text=""), "notice.remove", first=(sent(NOTICE, text="on Friday"),)),
    Row(NOTICE, "take down none", sent(NOTICE, text=""), why="nothing changed"),
    Row("/send_preset/", "start", preset("start", seconds=60), "window.open", first=STOPPED),
    Row("/send_preset/", "move", preset("start", seconds=90), "window.move"),
    Row("/send_preset/", "stop", preset("stop"), "window.stop"),
    Row("/send_preset/", "countdown", preset("countdown"), why="a message, which names its author"),
    Row(TEMPLATES, "make", sent(TEMPLATES, act="make", title="蔬菜"), "template.make"),
    Row(TEMPLATES, "change", sent(TEMPLATES, act="change", id="{template}", title="蔬菜"), "template.change"),
    Row(TEMPLATES, "remove", sent(TEMPLATES, act="remove", id="{template}"), "template.remove"),
    Row(TEMPLATES, "open", sent(TEMPLATES, act="open", id="{template}"), "window.open", first=STOPPED),
    Row(PLANS, "make", sent(PLANS, act="make", repeat="daily", at="19:00"), "plan.make"),
    Row(PLANS, "change", sent(PLANS, act="change", id="{plan}", at="19:00"), "plan.change"),
    Row(PLANS, "skip", sent(PLANS, act="skip", id="{plan}"), "plan.skip"),
    Row(PLANS, "remove", sent(PLANS, act="remove", id="{plan}"), "plan.remove"),
    Row(f"/orders/{ID}/marks", "mark", sent(MARKS, user_id="{member}", paid=True), "order.mark"),
    Row(f"/orders/{ID}/marks", "the same", sent(MARKS, user_id="{member}", paid=False), why="nothing changed"),
    Row(
        f"/orders/{ID}/readings", "confirm",
        sent("/orders/{window}/readings", no=1, lines=[{"name": "蓝莓", "quantity": "2"}]), "order.reading",
    ),
    Row(f"/order/{ID}/", "change another's", sent("/order/{order}/", lines=[], text="three"), "order.change"),
    Row(f"/recall_message/{ID}/", "another's", formed("/recall_message/{message}/"), "message.recall"),
    Row(f"/recall_message/{ID}/", "an order", formed("/recall_message/{order}/"), "order.withdraw"),
    Row(f"/recall_message/{ID}/", "one's own", formed("/recall_message/{own}/"), why="one's own, as any member does"),
    Row(f"/delete_message/{ID}/", "another's", formed("/delete_message/{message}/"), "message.delete"),
    Row(f"/delete_message/{ID}/", "an order", formed("/delete_message/{order}/"), "order.withdraw"),
    Row(f"/delete_message/{ID}/", "one's own", formed("/delete_message/{own}/"), why="one's own, as any member does"),
    Row("recall", "another's", frame("recall", "recall", id="message"), "message.recall"),
    Row("delete", "another's", frame("delete", "delete", id="message"), "message.delete"),
    Row(
        "order_change", "another's",
        frame("order_change", "ack", id="order", lines=[], text="three", client_id="c"), "order.change",
    ),
]  # fmt: skip

# Acts that members do with their own things. No member can place an `/order/` for another one.
OF_MEMBERS = {"post", "edit", "react", "read", "typing", "ping", "order"}
ON_OTHERS = {f"/recall_message/{ID}/", f"/delete_message/{ID}/", f"/order/{ID}/"}


def test_every_route_and_frame_has_a_row() -> None:
    routes = {route.path for route in ROUTES if route.method != "GET" and route.access is Access.ADMINISTRATOR}
    assert {row.path for row in ROWS} == routes | ON_OTHERS | FRAME_TYPES - OF_MEMBERS
    assert all(bool(row.leaves) != bool(row.why) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.path} {row.name}")
async def test_it_leaves_what_its_row_says(scene: Scene, row: Row) -> None:
    for act in row.first:
        await act(scene)
    before = await scene.entries()
    scene.house.clock.forward(1)
    await row.act(scene)
    after = await scene.entries()
    assert after[: len(before)] == before, "nothing in the room changes an entry"
    new = after[len(before) :]
    assert [entry["act"] for entry in new] == row.leaves.split()
    for entry in new:
        assert (entry["by"]["name"], entry["at_ms"]) == ("店长", scene.house.clock.now_ms())
        assert entry["device"] == "Chrome · Android"
        whom = "小明" if entry["act"].startswith(("member.", "message.", "order.")) else None
        if not entry["act"].startswith(("bot.", "member.take_name")):
            assert (entry["user"] or {}).get("name") == whom
