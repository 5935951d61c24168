"""Hand messages over to `chatserver push`, encrypted: the operations of the socket `push/push.sock`.

The socket is separate from the control socket, because a process with internet access must not have the control
socket, which can create an administrator.
"""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.push_services import origin_of
from chatserver.db.database import Database
from chatserver.features.push import store
from chatserver.features.push.delivery import Delivery
from chatserver.features.push.encrypt import encrypted
from chatserver.features.push.queue import Push, PushQueue
from chatserver.features.push.store import Address
from chatserver.features.push.vapid import IS_INSTALLED, VapidKeys

# How long a request waits for a message before its answer is empty.
WAIT_SECONDS = 20.0
TAKEN_MAX, FORGOTTEN_MAX = 50, 100
_ID_MAX = 10**18 - 1


class Handover:
    """Takes messages from the queue, and owns the key pair that the other parts of the feature use.

    `subject` is the operator's address, "" for none: see VapidKeys.
    """

    def __init__(
        self,
        database: Database,
        settings: CurrentConfig,
        clock: Clock,
        queue: PushQueue,
        delivery: Delivery,
        data_dir: Path,
        subject: str,
    ) -> None:
        self.queue = queue
        self.keys = VapidKeys(data_dir, clock, subject or "https://localhost")
        self._database = database
        self._settings = settings
        self._clock = clock
        self._delivery = delivery
        # The number of the newest request. An older request that still waits belongs to a process that has ended.
        self._newest = 0
        self._is_stopping = False
        self._woken = asyncio.Event()
        self.queue.added = self._woken.set

    def notes(self) -> dict[str, str]:
        """Why `push` has no effect, as setting -> note of the settings page; empty if it works or is off."""
        if not IS_INSTALLED:
            return {"push": "push_not_installed"}
        is_on = self._settings.now.push == "on"
        return {"push": "push_not_sent"} if is_on and not self._delivery.is_running else {}

    def operations(self) -> dict[str, Any]:
        return {"push_take": self.on_take, "push_forget": self.on_forget}

    def stop(self) -> None:
        """Answer the waiting request at once."""
        self._is_stopping = True
        self._woken.set()

    async def on_take(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Hand over at most `limit` (1 to TAKEN_MAX) messages. Answers `messages`, after at most WAIT_SECONDS.

        `outcomes` (optional): how many messages were sent, failed, or gone since the request before.
        Each message has `subscription` (an id), `endpoint`, `topic`, `urgency`, `ttl` (seconds), `authorization`, and
        `body` in base64. Messages that were handed over are not kept, so a process that ends loses them.
        """
        limit = arguments.get("limit")
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= TAKEN_MAX:
            raise DomainError(ErrorCode.BAD_REQUEST, field="limit")
        self._delivery.on_asked(arguments.get("outcomes"))
        self._newest = mine = self._newest + 1
        self._woken.set()
        await self._until_something_waits(mine)
        if mine != self._newest:
            return {"messages": []}
        taken = self.queue.take(limit, self._clock.now_ms())
        if not taken or not IS_INSTALLED or self._settings.now.push != "on":
            return {"messages": []}
        addresses = await self._database.run(lambda tx: store.addresses(tx, {push.subscription_id for push in taken}))
        services, now_ms = self._settings.now.push_services, self._clock.now_ms()
        return {"messages": await asyncio.to_thread(self._prepared, taken, addresses, services, now_ms)}

    async def on_forget(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Delete `subscriptions`, a list of ids that are unknown to their push services now."""
        ids = arguments.get("subscriptions")
        if not isinstance(ids, list) or len(ids) > FORGOTTEN_MAX or not all(map(_is_id, ids)):
            raise DomainError(ErrorCode.BAD_REQUEST, field="subscriptions")
        await self._database.run(lambda tx: store.forget(tx, ids))
        return {}

    async def _until_something_waits(self, mine: int) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not len(self.queue) and mine == self._newest and not self._is_stopping:
                    self._woken.clear()
                    await self._woken.wait()
        except TimeoutError:
            pass

    def _prepared(
        self, taken: list[Push], addresses: dict[int, Address], services: tuple[str, ...], now_ms: int
    ) -> list[dict[str, Any]]:
        """Encrypt the messages. Runs in a thread, because each message takes 0.2 ms."""
        found = []
        for push in taken:
            address = addresses.get(push.subscription_id)
            origin = origin_of(address.endpoint, services) if address else None
            if address is None or origin is None:  # session ended, or services changed
                continue
            body = encrypted(push.payload, address.public_key, address.auth)
            found.append(
                {
                    "subscription": push.subscription_id,
                    "endpoint": address.endpoint,
                    "topic": push.topic,
                    "urgency": push.urgency,
                    "ttl": max(0, push.expires_ms - now_ms) // 1000,
                    "authorization": self.keys.authorization(origin),
                    "body": base64.b64encode(body).decode(),
                }
            )
        return found


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _ID_MAX
