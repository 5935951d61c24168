"""The metrics in Prometheus' text format. The table METRICS has an entry for each.

Imported at the first scrape, so that a server which is not scraped does not load the library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isinf
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from chatserver import __version__
from chatserver.core.histogram import Histogram
from chatserver.features.status.metrics import Disk, Figures, Metrics

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Scrape(NamedTuple):
    """The data that one scrape reads."""

    now: Figures
    metrics: Metrics
    disk: Disk


class Figure(NamedTuple):
    """One metric family. `read` returns its value: a number, or if there is a `label`, label value -> number.

    `kind` is gauge, counter (`_total` is added to the name), histogram (`read` returns a Histogram) or info
    (`read` returns label -> text).
    """

    kind: str
    name: str
    help: str
    read: Callable[[Scrape], Any]
    label: str = ""


METRICS = (
    Figure("info", "chat", "The program.", lambda scrape: {"version": __version__}),
    Figure(
        "gauge",
        "chat_connections",
        "WebSocket connections.",
        lambda scrape: {"member": scrape.now.members, "guest": scrape.now.guests},
        "kind",
    ),
    Figure("gauge", "chat_members_online", "Members connected, each once.", lambda scrape: scrape.now.online),
    Figure("counter", "chat_messages_posted", "Messages stored since the start.", lambda scrape: scrape.now.posted),
    Figure(
        "counter", "chat_refusals", "Requests and frames refused, by code.", lambda scrape: scrape.now.refusals, "code"
    ),
    Figure(
        "counter", "chat_http_responses", "HTTP answers, by status.", lambda scrape: scrape.metrics.answers, "status"
    ),
    Figure(
        "histogram", "chat_commit_batch_units", "Transactions in one COMMIT.", lambda scrape: scrape.metrics.batch_jobs
    ),
    Figure(
        "histogram",
        "chat_commit_seconds",
        "Time of one batch with its COMMIT.",
        lambda scrape: scrape.metrics.commit_seconds,
    ),
    Figure("gauge", "chat_queue_length", "Transactions that wait for the database.", lambda scrape: scrape.now.waiting),
    Figure(
        "counter",
        "chat_broadcast_bytes",
        "Bytes broadcast, times the connections that they were for.",
        lambda scrape: scrape.now.broadcast_bytes,
    ),
    Figure(
        "counter",
        "chat_readers_dropped",
        "Connections dropped: too slow, stuck or silent.",
        lambda scrape: scrape.now.dropped,
    ),
    Figure(
        "histogram",
        "chat_event_loop_lag_seconds",
        "Delay of the event loop, measured once a second while there are connections.",
        lambda scrape: scrape.metrics.lag,
    ),
    Figure(
        "counter", "chat_image_jobs", "Pictures processed, by outcome.", lambda scrape: scrape.now.image_jobs, "outcome"
    ),
    Figure(
        "gauge",
        "chat_push_sender_running",
        "1 if `chatserver push` has asked for messages in the last 90 s, else 0.",
        lambda scrape: int(scrape.now.push.is_running),
    ),
    Figure(
        "gauge",
        "chat_push_queue_length",
        "Push messages that wait for `chatserver push`.",
        lambda scrape: scrape.now.push.waiting,
    ),
    Figure(
        "counter",
        "chat_push_messages",
        "Push messages that left the room, by outcome.",
        lambda scrape: scrape.now.push.outcomes,
        "outcome",
    ),
    Figure(
        "gauge",
        "chat_push_last_sent_timestamp_seconds",
        "When a push service last took a message; 0 for not since the start.",
        lambda scrape: (scrape.now.push.last_sent_ms or 0) / 1000,
    ),
    Figure(
        "gauge",
        "chat_disk_free_bytes",
        "Free space on the data directory's file system.",
        lambda scrape: scrape.disk.free,
    ),
    Figure("gauge", "chat_database_bytes", "Size of the database with its log.", lambda scrape: scrape.disk.database),
)


def exposition(metrics: Metrics) -> bytes:
    """Encode all metrics in the text format 0.0.4.

    Reads the file system and /proc, so call it in a thread. Raises OSError.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Room(Scrape(metrics.now(), metrics, metrics.disk())))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Room(Collector):
    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def collect(self) -> Iterator[Metric]:
        for figure in METRICS:
            yield _family(figure, figure.read(self._scrape))


def _family(figure: Figure, value: Any) -> Metric:
    if figure.kind == "info":
        return InfoMetricFamily(figure.name, figure.help, value)
    if figure.kind == "histogram":
        return HistogramMetricFamily(figure.name, figure.help, _buckets(value), value.sum)
    kind = GaugeMetricFamily if figure.kind == "gauge" else CounterMetricFamily
    if not figure.label:
        return kind(figure.name, figure.help, value)
    family = kind(figure.name, figure.help, labels=[figure.label])
    for label, number in value.items():
        family.add_metric([str(label)], number)
    return family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    return [("+Inf" if isinf(bound) else f"{bound:g}", count) for bound, count in histogram.cumulative()]
