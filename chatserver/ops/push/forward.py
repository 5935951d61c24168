"""The loop of `chatserver push`: takes messages from the server, sends them concurrently, and reports the results."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from pathlib import Path
from typing import Any

from chatserver.core.errors import DomainError
from chatserver.ops.control.client import ask_at
from chatserver.ops.push.sender import Message, Outcome, Sender

log = logging.getLogger(__name__)

# The most messages in progress, including messages that wait for a retry.
UNDER_WAY_MAX = 200
TAKE_MAX = 50
# A request is answered after 20 s at most (features/push/handover.py).
ANSWER_SECONDS = 60.0
# The first and the longest pause while the server does not answer; the pause doubles after each failure.
PAUSE_SECONDS, PAUSE_MAX_SECONDS = 1.0, 30.0


class Forward:
    def __init__(self, socket: Path, sender: Sender) -> None:
        self._socket = socket
        self._sender = sender
        self._gone: list[int] = []
        # Name of the outcome -> number of messages, since the last report to the server.
        self._outcomes: Counter[str] = Counter()
        # Subscription and topic -> the task that sends their newest message.
        self._under_way: dict[tuple[int, str], asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Forward messages until cancelled."""
        pause = PAUSE_SECONDS
        try:
            while True:
                try:
                    await self._step()
                    pause = PAUSE_SECONDS
                except (DomainError, OSError, ValueError, LookupError, TypeError) as error:
                    log.warning("the server does not answer (%s); next attempt in %.0f s", error, pause)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, PAUSE_MAX_SECONDS)
        finally:
            tasks = list(self._under_way.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _step(self) -> None:
        while len(self._under_way) >= UNDER_WAY_MAX:
            await asyncio.wait(self._under_way.values(), return_when=asyncio.FIRST_COMPLETED)
        if gone := self._gone[:TAKE_MAX]:
            await self._ask("push_forget", {"subscriptions": gone})
            del self._gone[: len(gone)]
        limit = min(TAKE_MAX, UNDER_WAY_MAX - len(self._under_way))
        told = dict(self._outcomes)
        taken = await self._ask("push_take", {"limit": limit, "outcomes": told})
        self._outcomes.subtract(told)
        for shown in taken["messages"]:
            self._start(Message.of(shown))

    def _start(self, message: Message) -> None:
        key = message.subscription, message.topic
        older = self._under_way.get(key)
        task = asyncio.create_task(self._send(message, older))
        self._under_way[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))

    async def _send(self, message: Message, older: asyncio.Task[None] | None) -> None:
        """Send the message. Cancel the task `older` first, because the older message must not arrive after it."""
        if older is not None:
            older.cancel()
            await asyncio.wait([older])
        outcome = await self._sender.send(message)
        self._outcomes[outcome.name.lower()] += 1
        if outcome is Outcome.GONE:
            self._gone.append(message.subscription)

    def _ended(self, key: tuple[int, str], task: asyncio.Task[None]) -> None:
        if self._under_way.get(key) is task:
            del self._under_way[key]
        if not task.cancelled() and (error := task.exception()):
            log.error("sending a message failed", exc_info=error)

    async def _ask(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await ask_at(self._socket, command, arguments)
