"""The rows of the table, a file for each kind of measurement."""

from __future__ import annotations

from tests.bench.bench import Row
from tests.bench.rows import (
    accepting,
    all_at_once,
    alone,
    cold_start,
    idle_memory,
    last_second,
    ledger_pages,
    many_idle,
    many_readers,
    one_at_a_time,
    open_loop,
    orders_at_once,
    pages,
    photo,
    resuming,
    slow_readers,
    the_load,
    workbook,
)

ROWS: tuple[Row, ...] = (
    Row(0, "the load itself: frames a second that it can count", the_load.run),
    Row(
        1,
        "one message at a time, 200 bytes, 1,000 readers: deliveries a second",
        one_at_a_time.run,
        one_at_a_time.comparable,
        pairs=4,
        turns=16,  # the number of messages that share a round of the fan-out differs between two starts of the server
    ),
    Row(
        2,
        "100 members sending as fast as acks allow, 100 readers: messages a second",
        all_at_once.to_a_hundred,
        all_at_once.comparable_to_a_hundred,
        pairs=6,
    ),
    Row(
        3,
        "the same with 1,000 readers: deliveries a second",
        all_at_once.to_a_thousand,
        all_at_once.comparable_to_a_thousand,
        pairs=6,
    ),
    Row(4, "10 senders, 1,000 readers, by the clock at 50 to 2,000 messages a second: latency", open_loop.run),
    Row(5, "10,000 readers, one message a second: time until all have it", many_readers.run),
    Row(6, "two readers that never read, 50 that do, 8 KB messages for 4 s", slow_readers.run),
    Row(
        7,
        "memory of an idle connection, at 5,000",
        idle_memory.run,
        idle_memory.comparable,
        is_disturbed_by_others=False,
    ),
    Row(8, "connections accepted a second, logged in", accepting.run, accepting.comparable, pairs=3),
    Row(9, "GET / with 100 messages: answers a second", pages.room, pages.comparable_room, pairs=6),
    Row(10, "GET /api/recent_messages/: answers a second", pages.api, pages.comparable_api, pairs=6),
    Row(11, "resume over 100 changes, 1,000 clients at once: time until all are back", resuming.run),
    Row(12, "a photo of 12 megapixels to 200 KB, and the loop meanwhile", photo.run, photo.comparable, pairs=4),
    Row(
        13,
        "from nothing to `listening on`, against importing aiohttp: time",
        cold_start.run,
        cold_start.comparable,
        pairs=4,
    ),
    Row(14, "1,000 members order in the last second of a window: time until the last is answered", last_second.run),
    Row(15, "100 members order as fast as acks allow, 100 readers: orders a second, against texts", orders_at_once.run),
    Row(16, "the ledger of 2,000 orders, its page and its JSON: answers a second", ledger_pages.run),
    Row(17, "10,000 orders as an XLSX workbook, and the loop meanwhile", workbook.run),
    Row(
        18,
        "a message that no other overlaps, 1,000 readers: time until the last one has it",
        alone.run,
        alone.comparable,
        pairs=6,
    ),
    Row(
        19,
        "50,000 readers of several addresses, one message a second: memory, and time until all have it",
        many_idle.run,
    ),
)
