"""The administrators' status page: the state of the server in plain words, with charts of the last hour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from aiohttp import web

from chatserver import __version__
from chatserver.features.status.charts import HEIGHT, WIDTH, chart
from chatserver.features.status.metrics import Disk, Figures, Metrics, resident_bytes
from chatserver.features.status.sample_history import SAMPLES_MAX, Sample
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.page_context import local_time
from chatserver.http.route import Route
from chatserver.http.viewer import VIEWER, wants_json
from chatserver.i18n import explain

Translate = Callable[..., str]

# From these values on, the page shows a remark.
DISK_LOW_BYTES = 1024 * 1024 * 1024
COMMIT_SLOW_SECONDS = 0.5
LAG_SLOW_SECONDS = 0.25
WAITING_MANY = 1_000
REFUSALS_SHOWN = 8


class StatusPage:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def get_page(self, request: web.Request) -> web.Response:
        """The page; as JSON `version`, `started_ms`, the figures of `now` and the samples of the last `hour`."""
        disk = await asyncio.to_thread(self._metrics.disk)
        if wants_json(request):
            return responses.as_json(self._json(disk))
        return responses.page(request, "status.html", self._page(request, disk))

    def _json(self, disk: Disk) -> dict[str, Any]:
        metrics = self._metrics
        return {
            "version": __version__,
            "started_ms": metrics.started_ms,
            "now": {**asdict(metrics.now()), "resident_bytes": resident_bytes(), "disk": asdict(disk)},
            "hour": [asdict(sample) for sample in metrics.hour],
        }

    def _page(self, request: web.Request, disk: Disk) -> dict[str, Any]:
        viewer, now, hour = request[VIEWER], self._metrics.now(), list(self._metrics.hour)
        return {
            "version": __version__,
            "started": local_time(request, self._metrics.started_ms),
            "remarks": list(_remarks(viewer.t, now, disk, hour)),
            "charts": list(_charts(viewer.t, hour)),
            "chart_size": (WIDTH, HEIGHT),
            "facts": list(_facts(viewer.t, now, disk)),
            "refusals": [
                (explain(viewer.language, code, {"reason": "general"}), f"{count:,}")
                for code, count in list(now.refusals.items())[:REFUSALS_SHOWN]
            ],
        }

    ROUTES = (Route("GET", "/status/", get_page, Access.ADMINISTRATOR, title="page.status.title"),)


def _remarks(t: Translate, now: Figures, disk: Disk, hour: list[Sample]) -> Iterator[str]:
    """Remarks about problems that need the operator's attention."""
    if disk.free < DISK_LOW_BYTES:
        yield t("page.status.disk_low", free=_size(disk.free))
    commit = max((sample.commit_seconds for sample in hour), default=0.0)
    if commit >= COMMIT_SLOW_SECONDS:
        yield t("page.status.disk_slow", time=_time(commit))
    lag = max((sample.lag_seconds for sample in hour), default=0.0)
    if lag >= LAG_SLOW_SECONDS:
        yield t("page.status.busy", time=_time(lag))
    if now.waiting >= WAITING_MANY:
        yield t("page.status.queue", count=f"{now.waiting:,}")
    if now.push.is_on and not now.push.is_running:
        note = "push_not_sent" if now.push.is_installed else "push_not_installed"
        yield t("page.status.push_stopped", why=t(f"page.settings.note_{note}"))


def _charts(t: Translate, hour: list[Sample]) -> Iterator[dict[str, Any]]:
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


def _facts(t: Translate, now: Figures, disk: Disk) -> Iterator[tuple[str, str]]:
    yield t("page.status.here"), t("page.status.here_value", members=now.online, guests=now.guests)
    yield t("page.status.connections"), _count(now.members + now.guests)
    yield t("page.status.posted"), _count(now.posted)
    yield t("page.status.waiting"), _count(now.waiting)
    yield t("page.status.sent"), _size(now.broadcast_bytes)
    yield t("page.status.dropped"), _count(now.dropped)
    done = now.image_jobs.get("done", 0)
    refused = sum(now.image_jobs.values()) - done
    yield t("page.status.pictures"), t("page.status.pictures_value", done=_count(done), refused=_count(refused))
    if now.push.is_on:
        counts = {name: _count(count) for name, count in now.push.outcomes.items()}
        yield t("page.status.push"), t("page.status.push_value", waiting=_count(now.push.waiting), **counts)
    yield t("page.status.memory"), _size(resident_bytes())
    yield t("page.status.database"), _size(disk.database)
    yield t("page.status.disk_free"), _size(disk.free)


def _size(bytes_: int) -> str:
    """Format a size in the unit in which it has one to four digits."""
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
