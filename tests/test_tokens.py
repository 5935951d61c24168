"""Colours: readable by day and by night, whoever asked for the night."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[1] / "static/css/tokens.css").read_text("utf-8")
BASE = (Path(__file__).parents[1] / "templates/base.html").read_text("utf-8")

Colour = tuple[float, float, float]

PAPERS = ("--paper", "--paper-raised", "--paper-sunk")
TEXT = [
    *((ink, paper) for ink in ("--ink", "--ink-soft") for paper in (*PAPERS, "--mine", "--accent-wash", "--warn-wash")),
    *((ink, paper) for ink in ("--accent", "--danger", "--warn", "--ok") for paper in (*PAPERS, "--mine")),
    ("--accent", "--accent-wash"),
    ("--danger", "--danger-wash"),
    ("--warn", "--warn-wash"),
    ("--accent-ink", "--accent"),
    ("--accent-ink", "--accent-strong"),
    ("--accent-strong", "--paper"),
    ("--on-danger", "--danger"),
]
CONTROLS = [("--line-strong", paper) for paper in PAPERS]


def rule(selector: str) -> dict[str, str]:
    """The custom properties of the first rule with this selector."""
    comments = re.compile(r"/\*.*?\*/", re.DOTALL)
    block = re.search(re.escape(selector) + r" \{(.*?)\}", comments.sub("", TOKENS), re.DOTALL)
    assert block is not None, selector
    return dict(re.findall(r"([\w-]+):\s*([^;]+);", block[1]))


DAY = rule(":root")
NIGHT = {**DAY, **rule(':root[data-theme="dark"]')}
THEMES = {"day": DAY, "night": NIGHT}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "paper"), TEXT)
def test_text_can_be_read(theme: str, ink: str, paper: str) -> None:
    assert contrast(THEMES[theme], ink, paper) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("edge", "paper"), CONTROLS)
def test_controls_have_visible_borders(theme: str, edge: str, paper: str) -> None:
    assert contrast(THEMES[theme], edge, paper) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_a_drawn_initial_can_be_read_on_every_hue(theme: str) -> None:
    tokens = THEMES[theme]
    for hue in range(0, 360, 15):
        fill, ink = (oklch(f"oklch({tokens[name]} {hue})") for name in ("--face-fill", "--face-ink"))
        assert ratio(fill, ink) >= 4.5, hue


def test_the_night_is_the_same_whoever_asked_for_it() -> None:
    assert rule(':root[data-theme="auto"]') == rule(':root[data-theme="dark"]')


def test_the_night_redefines_only_what_the_day_defines() -> None:
    assert rule(':root[data-theme="dark"]').keys() - DAY.keys() == set()


def test_the_browsers_own_bars_have_the_colour_of_the_paper() -> None:
    day, night = re.findall(r'name="theme-color" content="(#\w{6})"', BASE)
    assert (day, night) == (as_hex(colour(DAY, "--paper")), as_hex(colour(NIGHT, "--paper")))


def contrast(tokens: dict[str, str], one: str, other: str) -> float:
    return ratio(colour(tokens, one), colour(tokens, other))


def ratio(one: Colour, other: Colour) -> float:
    """WCAG 2.2's contrast ratio of two linear-light sRGB colours."""
    darker, lighter = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def colour(tokens: dict[str, str], name: str) -> Colour:
    value = tokens[name]
    reference = re.fullmatch(r"var\((--[\w-]+)\)", value)
    return colour(tokens, reference[1]) if reference else oklch(value)


def oklch(value: str) -> Colour:
    """Linear-light sRGB of `oklch(L C H)`, clipped (CSS Color 4, section 10, and Ottosson's matrices)."""
    found = re.fullmatch(r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)", value)
    assert found is not None, value
    lightness, chroma, hue = (float(number) for number in found.groups())
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        min(1.0, max(0.0, 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short)),
        min(1.0, max(0.0, -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short)),
        min(1.0, max(0.0, -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short)),
    )


def as_hex(linear: Colour) -> str:
    encoded = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear)
    return "#" + "".join(f"{round(255 * c):02x}" for c in encoded)
