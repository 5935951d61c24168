"""Row 17: a large ledger as a workbook. How long, and what the room notices of it."""

from __future__ import annotations

import time

from tests.bench import orders, pings
from tests.bench.bench import Bench
from tests.bench.requests import fetch
from tests.bench.results import Result, at_most, percentile
from tests.bench.server import serving

ORDERS, ORDERS_WHEN_QUICK = 10_000, 400


def run(bench: Bench) -> Result:
    count = bench.size(ORDERS, ORDERS_WHEN_QUICK)
    with serving(bench) as server:
        window = orders.fill(bench, server, orders.Keeper(bench, server, bench.members[-1]), count)

        def export() -> int:
            """The size of the file, in bytes."""
            return len(fetch(server.target, f"/orders/{window}/export?format=xlsx", bench.cookies[0]).body)

        def seconds() -> float:
            started = time.perf_counter()
            export()
            return time.perf_counter() - started

        size = export()  # imports what writes workbooks
        took = bench.in_turns(alone=seconds)["alone"]
        lags = bench.in_turns(lag=lambda: pings.during(bench, server, export))["lag"]
    result = Result()
    result.line(f"{count:,} orders as XLSX ({size / 1000:,.0f} KB), until the answer", "s", took, goal=at_most(2))
    result.line("slowest answer to a ping meanwhile", "ms", [worst for worst, _ in lags], goal=at_most(30))
    result.notes.append(f"pings took {percentile([usual for _, usual in lags], 0.5):.1f} ms in the median.")
    return result
