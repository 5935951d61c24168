"""Row 16: the page of a window that fills, which many readers request, compared with a bare handler of the same
bytes."""

from __future__ import annotations

from tests.bench import orders
from tests.bench.bench import Bench
from tests.bench.results import Result
from tests.bench.rows.pages import compare_with_constant
from tests.bench.server import serving

ORDERS, ORDERS_WHEN_QUICK = 2_000, 200
GOAL = 0.4


def run(bench: Bench) -> Result:
    count = bench.size(ORDERS, ORDERS_WHEN_QUICK)
    result = Result()
    with serving(bench) as server:
        window = orders.fill(bench, server, orders.Keeper(bench, server, bench.members[-1]), count)
        for path, name in ((f"/orders/{window}/", "/orders/N/"), (f"/api/windows/{window}/", "/api/windows/N/")):
            what = f"`GET {name}` with {count:,} orders"
            compare_with_constant(bench, server, path, what, GOAL, result)
    return result
