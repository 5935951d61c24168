"""Runs a few passes of the event loop between two batches, so that messages already sent join the next batch.

The passes do not wait for a fixed time. Without them the senders of a busy room split into two halves: the server reads
the messages of one half while it writes the messages of the other half. So there are twice as many batches, and two
threads compete for the GIL.

Measured: 100 senders got 15 % more messages a second (docs/performance.md, row 2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sized

from chatserver.core import tuning

# A frame that waits in its socket becomes a transaction function within this number of passes.
PASSES = 4
# The limit on passes while each pass adds jobs. Without it a batch could wait without end, because senders that got
# their answers send their next messages during the passes.
PASSES_MAX = 16


async def between_batches(queue: Sized) -> None:
    """Run at least PASSES passes, and more while `queue`, which holds the next batch, grows."""
    if not tuning.ENABLED:
        return
    for passed in range(1, PASSES_MAX + 1):
        waiting = len(queue)
        await asyncio.sleep(0)
        if passed >= PASSES and len(queue) == waiting:
            return
