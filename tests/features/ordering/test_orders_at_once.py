"""Orders of one member over two sockets and forms at once."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.client import House, Socket
from tests.orders import lines, whole_ledger
from tests.support import eventually


async def test_two_sockets_and_a_form_of_one_member_stay_under_the_limit(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    await admin.preset("start", items=[{"name": "蓝莓", "unit": "盒", "limit": "8", "stock": "40"}], seconds=60)
    sockets = [await ming.socket(), await ming.socket()]

    async def by_socket(number: int, n: int) -> bool:
        client_id = f"s{number}-{n}"
        await sockets[number].send("order", client_id=client_id, lines=lines(i1="1"))
        frame = await eventually(lambda: answer_to(sockets[number], client_id))
        assert frame["type"] == "ack" or (frame["code"], frame["have"]) == ("over_limit", "8"), frame
        return bool(frame["type"] == "ack")

    async def by_form(n: int) -> bool:
        answer = await ming.post("/order/", {"item-1": "1", "client_id": f"f-{n}"})
        assert answer.status == 201 or (answer.code, answer.json["error"]["have"]) == ("over_limit", "8"), answer.body
        return answer.status == 201

    asked = [each for n in range(6) for each in (by_socket(0, n), by_form(n), by_socket(1, n))]
    accepted = await asyncio.gather(*asked)
    assert sum(accepted) == 8
    assert len((await whole_ledger(ming, {}))["orders"]) == 8


def answer_to(socket: Socket, client_id: str) -> dict[str, Any]:
    """The answer to an order, or {} while there is none."""
    frames = (*socket.heard("ack"), *socket.heard("refused"))
    return next((frame for frame in frames if frame["client_id"] == client_id), {})


async def test_the_same_order_over_two_sockets_and_a_form_at_once_is_one(house: House) -> None:
    admin, ming = await house.administrator(), await house.member("小明")
    await admin.preset("start", items=[{"name": "蓝莓", "limit": "2", "stock": "2"}], seconds=60)
    sockets = [await ming.socket(), await ming.socket()]
    for socket in sockets:
        await socket.send("order", client_id="once", lines=lines(i1="2"))
    form = await ming.post_json("/order/", {"client_id": "once", "lines": lines(i1="2")})
    acks = [await socket.expect("ack", client_id="once") for socket in sockets]
    assert acks[0] == acks[1] and form.status in (200, 201)
    assert (form.json["id"], form.json["receipt"]) == (acks[0]["id"], acks[0]["receipt"])
    assert len((await whole_ledger(ming, {"once": acks[0]}))["orders"]) == 1
