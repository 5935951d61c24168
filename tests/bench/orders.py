"""Clients that order: an administrator who opens windows, and members whose orders differ only in a number."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tests.bench import frames
from tests.bench.bench import Bench
from tests.bench.members import Member
from tests.bench.requests import fetch
from tests.bench.senders import Sender, each_sends
from tests.bench.server import Server
from tests.bench.sockets import Crowd, connect

# The most orders of one member in one window.
ORDERS_OF_MEMBER = 20
# The note of an order is in the text of its message and in the message's field `order`.
MARKS_OF_ORDER = 2
NOTE_BYTES = 60
ITEMS = [
    {"name": "blueberries", "unit": "box", "price": "25.00"},
    {"name": "strawberries", "unit": "kg", "price": "12.50"},
]


class Orderer(Sender):
    """A connection that orders 1 to 5 boxes of the first item, with a note of `size` bytes."""

    def _fields(self, size: int) -> dict[str, object]:
        boxes = 1 + int(self._name, 16) % 5
        return {"type": "order", "lines": [{"item": 1, "quantity": str(boxes)}], "text": frames.text(size)}


class Keeper:
    """An administrator of a running server, who opens and closes its windows."""

    def __init__(self, bench: Bench, server: Server, member: Member) -> None:
        command = [sys.executable, "run.py", "create-admin", member.name, "--data-dir", str(server.data)]
        subprocess.run(command, cwd=bench.tree, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._server = server
        self._member = member

    def open(self, seconds: int = 3_600) -> dict[str, Any]:
        """Open a window and return it."""
        window: dict[str, Any] = self._preset({"command": "start", "seconds": seconds, "items": ITEMS})["window"]
        return window

    def close(self) -> None:
        self._preset({"command": "stop"})

    def ledger(self, window_id: int) -> dict[str, Any]:
        answer = fetch(self._server.target, f"/api/windows/{window_id}/", self._member.cookie)
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def _preset(self, fields: dict[str, Any]) -> Any:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Cookie": self._member.cookie,
            "X-CSRFToken": self._member.token,
        }
        connection = http.client.HTTPConnection(self._server.target.host, self._server.target.port, timeout=30)
        try:
            connection.request("POST", "/send_preset/", json.dumps(fields), headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status != 201:
            raise RuntimeError(f"{fields['command']} was refused: {answer.status} {said[:300]!r}")
        return json.loads(said)


def orderers(crowd: Crowd) -> list[Sender]:
    return [Orderer(peer, NOTE_BYTES) for peer in crowd.peers]


def fill(bench: Bench, server: Server, keeper: Keeper, count: int) -> int:
    """Open a window with `count` orders, with the maximum for each member. Returns the window's id."""
    window_id: int = keeper.open()["id"]
    crowd = connect(server.target, bench.cookies, -(-count // ORDERS_OF_MEMBER))
    order(crowd, orderers(crowd), min(count, ORDERS_OF_MEMBER))
    crowd.close()
    return window_id


def order(crowd: Crowd, senders: Sequence[Sender], count: int) -> None:
    """Each connection orders this number of times; it sends an order after the ack of the order before."""
    each_sends(crowd, senders, count, MARKS_OF_ORDER)
