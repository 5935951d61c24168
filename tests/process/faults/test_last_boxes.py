"""Hundreds of members order the last boxes at the same time, over sockets and forms: no box is sold twice, all get an
answer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.bench import members
from tests.bench.frames import masked
from tests.bench.members import Member
from tests.client import Browser
from tests.orders import lines, whole_ledger
from tests.process.faults.crowd import Guest, handshake
from tests.process.serving import make_administrator, serving

BOXES = 40
SOCKETS, FORMS = 450, 50
FLAGS = ("--registrations-per-hour", "0", "--connections-per-address", "0", "--history-limit", "500")


async def test_of_500_after_the_last_40_boxes_40_are_accepted(tmp_path: Path) -> None:
    assert (await make_administrator(tmp_path)).code == 0
    async with serving(tmp_path, *FLAGS) as server, Browser(server.address) as admin:
        await admin.log_in("店长")
        here = urlsplit(server.address)
        people = await asyncio.to_thread(members.register, here.hostname or "", here.port or 0, SOCKETS + FORMS)
        item = {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": str(BOXES)}
        assert (await admin.preset("start", items=[item], seconds=3600)).status == 201
        sockets = [await connected(server.address, member) for member in people[:SOCKETS]]
        start = asyncio.Event()
        async with aiohttp.ClientSession(server.address, connector=aiohttp.TCPConnector(limit=0)) as session:
            asked = [over_socket(socket, start) for socket in sockets]
            asked += [over_form(session, member, start) for member in people[SOCKETS:]]
            tasks = [asyncio.ensure_future(each) for each in asked]
            await asyncio.sleep(0)
            start.set()
            answers = await asyncio.wait_for(asyncio.gather(*tasks), 60)
        for socket in sockets:
            socket.drop()
        accepted = [answer for answer in answers if "receipt" in answer]
        refused = [answer for answer in answers if "receipt" not in answer]
        assert (len(accepted), len(refused)) == (BOXES, SOCKETS + FORMS - BOXES)
        assert {(each["code"], each["item"], each["left"]) for each in refused} == {("sold_out", 1, "0")}
        assert {answer["no"] for answer in accepted} == {*range(1, BOXES + 1)}
        assert len((await whole_ledger(admin, {}))["orders"]) == BOXES


async def connected(address: str, member: Member) -> Guest:
    here = urlsplit(address)
    reader, writer = await asyncio.open_connection(here.hostname, here.port)
    writer.write(handshake(address, cookies=member.cookie))
    guest = Guest(reader, writer)
    await guest.until(b'"type":"hello"')
    return guest


async def over_socket(socket: Guest, start: asyncio.Event) -> dict[str, Any]:
    """Order one box. Returns the `ack` or the refusal."""
    order = {"type": "order", "client_id": "c-1", "lines": lines(i1="1")}
    await start.wait()
    socket.write(masked(json.dumps(order).encode()))
    return await socket.answer()


async def over_form(session: aiohttp.ClientSession, member: Member, start: asyncio.Event) -> dict[str, Any]:
    headers = {"Cookie": member.cookie, "X-CSRFToken": member.token, "Accept": "application/json"}
    await start.wait()
    async with session.post("/order/", data={"item-1": "1", "client_id": "c-1"}, headers=headers) as response:
        told = await response.json()
        if response.status == 201:
            return {"no": told["order"]["no"], "receipt": told["receipt"]}
        refusal: dict[str, Any] = told["error"]
        return refusal
