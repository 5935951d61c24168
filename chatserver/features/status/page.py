"""The administrators' status page: how the room is doing, in plain words, with the last hour drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from aiohttp import web

from chatserver import __version__
from chatserver.features.status.charts import HEIGHT, WIDTH, chart
from chatserver.features.status.hour import SAMPLES_MAX, Sample
from chatserver.features.status.metrics import Disk, Figures, Metrics, resident_bytes
from chatserver.http import responses
from chatserver.http.keys import METRICS, VIEWER
from chatserver.http.page_context import moment
from chatserver.http.viewer import wants_json
from chatserver.i18n import explain

Overrides = Callable[..., str]

# From here on the page remarks on it.
DISK_LOW_BYTES = 1024 * 1024 * 1024
COMMIT_SLOW_SECONDS = 0.5
LAG_SLOW_SECONDS = 0.25
WAITING_MANY = 1_000
REFUSALS_SHOWN = 8


async def page(request: web.Request) -> web.Response:
    watch = request.app[METRICS]
    disk = await asyncio.to_thread(watch.disk)
    if wants_json(request):
        return responses.json(_json(watch, disk))
    return responses.page(request, "status.html", _page(request, watch, disk))


def _json(watch: Metrics, disk: Disk) -> dict[str, Any]:
    return {
        "version": __version__,
        "started_ms": watch.started_ms,
        "now": {**asdict(watch.now()), "resident_bytes": resident_bytes(), "disk": asdict(disk)},
        "hour": [asdict(sample) for sample in watch.hour],
    }


def _page(request: web.Request, watch: Metrics, disk: Disk) -> dict[str, Any]:
    viewer, now, hour = request[VIEWER], watch.now(), list(watch.hour)
    return {
        "version": __version__,
        "started": moment(request, watch.started_ms),
        "remarks": list(_remarks(viewer.t, now, disk, hour)),
        "charts": list(_charts(viewer.t, hour)),
        "chart_size": (WIDTH, HEIGHT),
        "facts": list(_facts(viewer.t, now, disk)),
        "refusals": [
            (explain(viewer.language, code, {"reason": "general"}), f"{count:,}")
            for code, count in list(now.refusals.items())[:REFUSALS_SHOWN]
        ],
    }


def _remarks(t: Overrides, now: Figures, disk: Disk, hour: list[Sample]) -> Iterator[str]:
    """What the operator should look at; nothing when all is well."""
    if disk.free < DISK_LOW_BYTES:
        yield t("page.status.disk_low", free=size(disk.free))
    commit = max((sample.commit_seconds for sample in hour), default=0.0)
    if commit >= COMMIT_SLOW_SECONDS:
        yield t("page.status.disk_slow", time=_time(commit))
    lag = max((sample.lag_seconds for sample in hour), default=0.0)
    if lag >= LAG_SLOW_SECONDS:
        yield t("page.status.busy", time=_time(lag))
    if now.waiting >= WAITING_MANY:
        yield t("page.status.queue", count=f"{now.waiting:,}")


def _charts(t: Overrides, hour: list[Sample]) -> Iterator[dict[str, Any]]:
    rows: tuple[tuple[str, list[float], float, Callable[[float], str]], ...] = (
        (t("page.status.chart_connections"), [each.connections for each in hour], 5, _count),
        (t("page.status.chart_posted"), [each.posted for each in hour], 5, _count),
        (t("page.status.chart_commit"), [each.commit_seconds for each in hour], 0.05, _time),
        (t("page.status.chart_lag"), [each.lag_seconds for each in hour], 0.05, _time),
    )
    for title, values, least_top, shown in rows:
        yield {
            "title": title,
            "drawn": chart(values, SAMPLES_MAX, least_top),
            "now": shown(values[-1]) if values else "–",
            "most": t("page.status.most", value=shown(max(values))) if values else t("page.status.soon"),
        }


def _facts(t: Overrides, now: Figures, disk: Disk) -> Iterator[tuple[str, str]]:
    yield t("page.status.here"), t("page.status.here_value", members=now.online, guests=now.guests)
    yield t("page.status.connections"), _count(now.members + now.guests)
    yield t("page.status.posted"), _count(now.posted)
    yield t("page.status.waiting"), _count(now.waiting)
    yield t("page.status.sent"), size(now.broadcast_bytes)
    yield t("page.status.dropped"), _count(now.dropped)
    done = now.image_jobs.get("done", 0)
    refused = sum(now.image_jobs.values()) - done
    yield t("page.status.pictures"), t("page.status.pictures_value", done=_count(done), refused=_count(refused))
    yield t("page.status.memory"), size(resident_bytes())
    yield t("page.status.database"), size(disk.database)
    yield t("page.status.disk_free"), size(disk.free)


def size(bytes_: int) -> str:
    """In the unit that leaves one to four figures."""
    value = float(bytes_)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TB"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _count(value: float) -> str:
    return f"{value:,.0f}"
