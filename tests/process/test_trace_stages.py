"""The stages of a message that `python -m tests.bench.trace_stages` prints."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.bench.processes import REPOSITORY
from tests.bench.trace_stages import STAGES

COMMAND = "-m tests.bench.trace_stages --rates 200 --seconds 0.2 --turns 1 --readers 40".split()


def test_the_stages_of_a_message_add_up_to_the_time_until_a_reader_has_it() -> None:
    done = subprocess.run([sys.executable, *COMMAND], cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    means = {name: float(ms) for name, ms in re.findall(r"^  (\w[\w -]*?) +mean +([\d.]+)", done.stdout, re.M)}
    assert list(means) == list(STAGES), done.stdout + done.stderr
    *stages, from_sent, from_due = means.values()
    assert all(ms >= 0 for ms in stages)
    assert from_due > from_sent > means["transaction"]
