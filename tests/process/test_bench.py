"""The benchmark's comparison of two trees: which way a ratio points, what it refuses, and a short run."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.bench import __main__ as command
from tests.bench.against import Comparison, worse_lines
from tests.bench.processes import REPOSITORY


def comparison(this: list[float], other: list[float], *, more: bool, is_judged: bool = True) -> Comparison:
    return Comparison(1, "what", "unit", more, is_judged, this, other)


def test_a_ratio_above_1_means_that_this_tree_is_better() -> None:
    assert comparison([200], [100], more=True).ratio == 2
    assert comparison([200], [100], more=False).ratio == 0.5


def test_the_ratio_is_the_median_of_the_ratios_of_the_turns() -> None:
    """Not the ratio of the medians, which here is 1: both trees ran in each of three modes of the machine."""
    assert comparison([10, 20, 30], [20, 30, 10], more=True).ratio == pytest.approx(2 / 3)


def test_a_figure_is_worse_when_it_is_judged_and_past_the_bound() -> None:
    worse, as_good = comparison([94], [100], more=True), comparison([96], [100], more=True)
    not_judged = comparison([94], [100], more=True, is_judged=False)
    lines = worse_lines([worse, as_good, not_judged], 5)
    assert lines == ["row 1 is worse by more than 5 %: what, ratio 0.940"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--against", "/nowhere"],
        ["--against", str(REPOSITORY), "--turns", "6"],
        ["--against", str(REPOSITORY), "5"],
        ["--worse-than", "5"],
    ],
    ids=["no checkout", "too few turns", "a row that cannot be compared", "nothing to be worse than"],
)
def test_the_command_refuses(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


async def test_a_tree_is_compared_with_another_checkout(tmp_path: Path) -> None:
    """The other one holds the server alone: its tests, in an older checkout, may have another layout."""
    for name in ("chatserver", "static", "templates"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    mark = "from pathlib import Path\nPath(__file__).with_name('has-run').touch()\n"
    (tmp_path / "run.py").write_text(mark + (REPOSITORY / "run.py").read_text())
    # Any ratio is worse than that: the run shows that the command's code follows the comparison.
    arguments = ["10", "--against", str(tmp_path), "--quick", "--worse-than", "-1000000"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench", *arguments, cwd=REPOSITORY, stdout=PIPE, stderr=PIPE
    )
    out, err = (text.decode() for text in await process.communicate())
    assert (tmp_path / "has-run").exists(), err
    row = next(line for line in out.splitlines() if line.startswith("| 10 | `GET /api/recent_messages/`"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2].endswith(" /s") and cells[3].endswith(" /s") and float(cells[4]) > 0
    assert cells[6] == "1"
    assert process.returncode == 1 and "row 10 is worse by more than" in err
