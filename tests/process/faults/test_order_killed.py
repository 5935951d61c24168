"""An order is a message, a row of the ledger, an entry of the journal and counters, all in one commit.

The server is killed between any two of its writes: the log, its sync, the frames to the members. The program does not
take part: the kernel kills it when it makes the system call.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.client import Browser
from tests.orders import lines, whole_ledger
from tests.process.faults.tracing import killing_from_now, needs_strace
from tests.process.serving import make_administrator, serving

# An order is about thirty writes to the log, a sync, and a write to each member. These numbers kill the server during
# the first order, between two orders, and during a later order.
STEPS = [("pwrite64", 1), ("pwrite64", 2), ("pwrite64", 15), ("pwrite64", 60), ("fdatasync", 1), ("fdatasync", 3)]
STEPS += [("writev", 1), ("writev", 3), ("writev", 6)]
STOCK, ORDERS = 40, 8
FLAGS = ("--registrations-per-hour", "0", "--history-limit", "500")


@needs_strace
@pytest.mark.parametrize(("call", "number"), STEPS)
async def test_an_acknowledged_order_is_everywhere_and_no_order_is_twice(
    tmp_path: Path, call: str, number: int
) -> None:
    assert await killed_and_looked_after(tmp_path, call, number), "the server was not killed: the step is never taken"


async def killed_and_looked_after(data: Path, call: str, number: int) -> bool:
    """Order until the server dies at its `number`th `call`; start it again and check. False: it did not die."""
    assert (await make_administrator(data)).code == 0
    sent: dict[str, dict[str, Any]] = {}
    acks: dict[str, dict[str, Any]] = {}
    async with Browser("") as member:
        async with serving(data, *FLAGS) as server, Browser(server.address) as admin:
            member.address = server.address
            await admin.log_in("店长")
            await member.register("小明")
            item = {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": str(STOCK), "limit": str(STOCK)}
            assert (await admin.preset("start", items=[item], seconds=3600)).status == 201
            socket = await member.socket()
            async with killing_from_now(server.process.pid, call, number):
                with suppress(AssertionError, aiohttp.ClientError, OSError):  # the socket ends with the server
                    for n in range(ORDERS):
                        sent[f"c-{n}"] = {"lines": lines(i1=str(n % 3 + 1)), "text": f"第{n}次"}
                        await socket.send("order", client_id=f"c-{n}", **sent[f"c-{n}"])
                        await socket.expect("ack", client_id=f"c-{n}")
                assert not socket.heard("refused")
                acks = {ack["client_id"]: ack for ack in socket.heard("ack")}
            died = len(acks) < ORDERS
            if died:
                await asyncio.wait_for(server.process.wait(), 60)
        async with serving(data, *FLAGS) as server:
            member.address = server.address
            before = await whole_ledger(member, acks)
            assert len(before["orders"]) - len(acks) in (0, 1), "only the order that was under way may be there too"
            socket = await member.socket()
            for client_id, order in sent.items():
                await socket.send("order", client_id=client_id, **order)
                ack = await socket.expect("ack", client_id=client_id)
                assert acks.setdefault(client_id, ack) == ack
            after = await whole_ledger(member, acks)
            assert len(after["orders"]) == len(sent)
    return died
