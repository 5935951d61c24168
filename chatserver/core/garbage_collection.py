"""The garbage collector looks at fewer objects, less often.

10,000 connections are a million objects that live for days, and almost none of this program's
objects form cycles. With Python's default of a pass after every 700 new objects, accepting
connections took a fifth longer. A start creates only what stays, so the collector is off until the
server listens (it took a seventh of the start's time).
"""

from __future__ import annotations

import gc

from chatserver.core import tuning


def pause() -> None:
    """Before a start."""
    if tuning.ENABLED:
        gc.disable()


def resume() -> None:
    """When the server listens: what exists by now is never looked at again."""
    if tuning.ENABLED:
        gc.freeze()
        # A pass over the second generation holds Python's lock: of 100,000 objects for 20 to 40 ms. When it came after
        # 20 passes over the first, a large workbook made it a million objects, and 140 to 340 ms. The oldest are looked
        # at after 100 million new objects.
        gc.set_threshold(50_000, 1, 1_000)
    gc.enable()
