"""Colours have enough contrast in both themes, whether the reader or the system chose the theme."""

from __future__ import annotations

import colorsys
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
    ("--mine-ink-soft", "--mine"),
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
        fill, ink = (drawn(tokens, name, hue) for name in ("--face-fill", "--face-ink"))
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
    """Linear-light sRGB. A colour is six hexadecimal digits: engines of the floor know no oklch()."""
    value = tokens[name]
    reference = re.fullmatch(r"var\((--[\w-]+)\)", value)
    if reference:
        return colour(tokens, reference[1])
    found = re.fullmatch(r"#(\w\w)(\w\w)(\w\w)", value)
    assert found is not None, value
    return linear(*(int(part, 16) / 255 for part in found.groups()))


def drawn(tokens: dict[str, str], name: str, hue: int) -> Colour:
    """The colour `hsl(hue, saturation, lightness)`. The token holds saturation and lightness."""
    found = re.fullmatch(r"([\d.]+)%, ([\d.]+)%", tokens[name])
    assert found is not None, tokens[name]
    saturation, lightness = (float(number) / 100 for number in found.groups())
    return linear(*colorsys.hls_to_rgb(hue / 360, lightness, saturation))


def linear(*encoded: float) -> Colour:
    """Decode sRGB (CSS Color 4, section 10.2)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in encoded)
    return red, green, blue


def as_hex(colour: Colour) -> str:
    encoded = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in colour)
    return "#" + "".join(f"{round(255 * c):02x}" for c in encoded)
