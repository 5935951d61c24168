"""Row 17: a large ledger as a workbook: the time, and the delay of the event loop."""

from __future__ import annotations

from tests.bench import orders, pings
from tests.bench.bench import Bench
from tests.bench.processes import Meter
from tests.bench.requests import fetch
from tests.bench.results import Result, Work, at_most, percentile
from tests.bench.server import serving

ORDERS, ORDERS_WHEN_QUICK = 10_000, 400


def run(bench: Bench) -> Result:
    count = bench.size(ORDERS, ORDERS_WHEN_QUICK)
    with serving(bench) as server:
        window = orders.fill(bench, server, orders.Keeper(bench, server, bench.members[-1]), count)

        def export() -> int:
            """The size of the file, in bytes."""
            return len(fetch(server.target, f"/orders/{window}/export?format=xlsx", bench.cookies[0]).body)

        def exported() -> Work:
            meter = Meter(server.pid)
            export()
            return meter.read(1)

        size = export()  # so that the library for workbooks is imported before the measurement
        took = bench.in_turns(alone=exported)["alone"]
        lags = bench.in_turns(lag=lambda: pings.during(bench, server, export))["lag"]
    result = Result()
    what = f"{count:,} orders as XLSX ({size / 1000:,.0f} KB), until the answer"
    result.line(what, "s", [work.seconds for work in took], goal=at_most(2))
    result.line("time of the core for it", "s", [work.core_seconds for work in took])
    result.line("slowest answer to a ping meanwhile", "ms", [worst for worst, _ in lags], goal=at_most(30))
    result.notes.append(f"pings took {percentile([usual for _, usual in lags], 0.5):.1f} ms in the median.")
    return result
