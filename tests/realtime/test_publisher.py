"""The data that a batch of events sends. If one event fails, all others are sent."""

from __future__ import annotations

import asyncio

import pytest

from chatserver.core.events import Event
from chatserver.realtime import frames
from chatserver.realtime.hub import Hub
from chatserver.realtime.publisher import Publisher
from tests.realtime.connections import connect
from tests.support import FakeClock


class Sound(Event):
    def frame(self) -> bytes | None:
        return b'{"type":"sound"}'


class Faulty(Event):
    def frame(self) -> bytes | None:
        raise ZeroDivisionError


@pytest.mark.parametrize("batch", [[Faulty(), Sound()], [Sound(), Faulty()]])
async def test_an_event_that_fails_is_logged_and_the_others_are_sent_with_the_reply(
    batch: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    hub = Hub(clock)
    connection, transport = connect(clock)
    hub.join(connection)
    publisher, heard = Publisher(hub), []
    publisher.subscribe(Event, heard.append)
    publisher.replies[connection].append(b'{"type":"ack"}')
    publisher(batch)
    await asyncio.sleep(0)
    assert transport.passed == frames.text(b'{"type":"sound"}') + frames.text(b'{"type":"ack"}')
    assert heard == batch
    assert "encoding Faulty failed" in caplog.text


async def test_a_listener_that_fails_is_logged_and_the_next_one_is_called(caplog: pytest.LogCaptureFixture) -> None:
    publisher, heard = Publisher(Hub(FakeClock())), []

    def fail(event: Event) -> None:
        raise ZeroDivisionError

    publisher.subscribe(Sound, fail)
    publisher.subscribe(Sound, heard.append)
    first, second = Sound(), Sound()
    publisher([first, second])
    assert heard == [first, second]
    assert "a listener of Sound failed" in caplog.text
