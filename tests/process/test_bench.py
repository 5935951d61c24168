"""The benchmark's comparison of two trees: the direction of a ratio, invalid arguments, and a short run."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.bench import __main__ as command
from tests.bench.against import Comparison, Turn, worse_lines
from tests.bench.processes import REPOSITORY
from tests.bench.results import Figure

VALUES = (("slow", 94), ("as good", 96), ("core", 94))


def turn(*pairs: tuple[float, float], more: bool) -> Turn:
    return Turn.of([(Figure("what", "unit", this, more), Figure("what", "unit", other, more)) for this, other in pairs])


def test_a_ratio_above_1_means_that_this_tree_is_better() -> None:
    assert turn((200, 100), more=True).ratio == 2
    assert turn((200, 100), more=False).ratio == 0.5


def test_the_ratio_is_the_mean_of_the_pairs_ratios_and_the_median_of_the_turns() -> None:
    """The machine's speed changed between the pairs, so this is not the ratio of the means, which is 1.2 for this
    turn."""
    found = turn((10, 10), (100, 50), (10, 40), more=True)
    assert (found.this, found.other, found.ratio) == (40, pytest.approx(100 / 3), pytest.approx(0.5 ** (1 / 3)))
    turns = [found, turn((3, 1), more=True), turn((2, 1), more=True)]
    assert Comparison(1, "what", "unit", True, turns).ratio == 2


def test_a_figure_is_worse_when_it_is_judged_and_past_the_bound() -> None:
    found = [Comparison(1, name, "/s", name != "core", [turn((value, 100), more=True)]) for name, value in VALUES]
    assert worse_lines(found, 5) == ["row 1 is worse by more than 5 %: slow, ratio 0.940"]


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
    """The other tree contains only the server, because an older checkout may have another layout of its tests."""
    for name in ("chatserver", "static", "templates"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    mark = "from pathlib import Path\nPath(__file__).with_name('has-run').touch()\n"
    (tmp_path / "run.py").write_text(mark + (REPOSITORY / "run.py").read_text())
    # Any ratio is worse than that, so the run shows that the command's exit code follows the comparison.
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
