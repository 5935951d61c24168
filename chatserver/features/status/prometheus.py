"""The figures as Prometheus reads them: one custom collector, which asks the parts at each scrape.

Imported at the first scrape only: a room that nobody scrapes starts without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf

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
from chatserver.features.status.metrics import Disk, Metrics

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition(watch: Metrics, disk: Disk) -> bytes:
    """Every figure, in the text format 0.0.4. `disk` is what `watch.disk()` said, asked in a thread."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Room(watch, disk))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Room(Collector):
    def __init__(self, watch: Metrics, disk: Disk) -> None:
        self._watch = watch
        self._disk = disk

    def collect(self) -> Iterator[Metric]:
        now, watch = self._watch.now(), self._watch
        yield InfoMetricFamily("chat", "The program.", {"version": __version__})
        yield _labelled(
            GaugeMetricFamily("chat_connections", "WebSocket connections.", labels=["kind"]),
            {"member": now.members, "guest": now.guests},
        )
        yield GaugeMetricFamily("chat_members_online", "Members connected, each once.", now.online)
        yield CounterMetricFamily("chat_messages_posted", "Messages stored since the start.", now.posted)
        yield _labelled(
            CounterMetricFamily("chat_refusals", "Requests and frames refused, by code.", labels=["code"]),
            now.refusals,
        )
        yield _labelled(
            CounterMetricFamily("chat_http_responses", "HTTP answers, by status.", labels=["status"]),
            {str(status): count for status, count in watch.answers.items()},
        )
        yield _histogram("chat_commit_batch_units", "Units in one COMMIT.", watch.batch_units)
        yield _histogram("chat_commit_seconds", "Time of one batch with its COMMIT.", watch.commit_seconds)
        yield GaugeMetricFamily("chat_queue_length", "Units that wait for the database.", now.waiting)
        yield CounterMetricFamily(
            "chat_broadcast_bytes", "Bytes broadcast, times those they went to.", now.broadcast_bytes
        )
        yield CounterMetricFamily("chat_readers_dropped", "Readers given up: too slow, stuck or silent.", now.dropped)
        yield _histogram(
            "chat_event_loop_lag_seconds",
            "How late the event loop woke up, asked once a second while anybody is there.",
            watch.lag,
        )
        yield _labelled(
            CounterMetricFamily("chat_image_jobs", "Pictures worked on, by outcome.", labels=["outcome"]),
            now.image_jobs,
        )
        yield GaugeMetricFamily("chat_disk_free_bytes", "Free where the data lies.", self._disk.free)
        yield GaugeMetricFamily("chat_database_bytes", "The database with its log.", self._disk.database)


def _labelled(
    family: GaugeMetricFamily | CounterMetricFamily, values: dict[str, int]
) -> GaugeMetricFamily | CounterMetricFamily:
    for label, value in values.items():
        family.add_metric([label], value)
    return family


def _histogram(name: str, help: str, distribution: Histogram) -> HistogramMetricFamily:
    buckets = [("+Inf" if isinf(bound) else f"{bound:g}", count) for bound, count in distribution.cumulative()]
    return HistogramMetricFamily(name, help, buckets, distribution.sum)
