"""Colours of themes: what is understood, and that text can be read whatever was chosen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import formcolours as colours
from bundles.form import Form
from bundles.formtheme import stylesheet

PART = st.integers(0, 255).map(lambda number: number / 255)
COLOUR = st.tuples(PART, PART, PART)
TEXT, EDGE = 4.5, 3.0
PAIRS = [
    ("text", "card", TEXT), ("text", "field", TEXT), ("muted", "card", TEXT), ("muted", "field", TEXT),
    ("on-primary", "primary", TEXT), ("on-primary", "pressed", TEXT), ("accent", "card", TEXT),
    ("accent", "field", TEXT), ("danger", "card", TEXT), ("danger", "field", TEXT), ("danger-text", "danger-ground", TEXT),
    ("text", "danger-ground", TEXT), ("edge", "card", EDGE), ("edge", "field", EDGE), ("button-edge", "card", EDGE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "hex"),
    [
        ("#3B82F6", "#3b82f6"),
        ("#fff", "#ffffff"),
        ("navy", "#000080"),
        ("rgb(59, 130, 246)", "#3b82f6"),
        ("rgb(59 130 246)", "#3b82f6"),
        ("rgb(100%, 0%, 0%)", "#ff0000"),
        ("hsl(217 91% 60%)", "#3c83f6"),
        ("hsl(-120deg, 100%, 50%)", "#0000ff"),
    ],
)
def test_colours_are_read_in_the_usual_ways(text: str, hex: str) -> None:
    found = colours.read(text)
    assert found is not None
    assert colours.written(found) == hex


ODD = ["", "blurple", "#12345", "#3b82f6;}", "url(x)", "rgb(1,2)", "hsl(1,2,3)", "var(--x)", "rgb(1 2 3 / 0)"]


@pytest.mark.parametrize("text", ODD)
def test_everything_else_is_none(text: str) -> None:
    assert colours.read(text) is None


@settings(max_examples=300, deadline=None)
@given(COLOUR, COLOUR)
def test_whatever_is_chosen_can_be_read(primary: colours.Rgb, page: colours.Rgb) -> None:
    made = {name: colours.of(text) for name, text in colours.palette(primary, page).colours.items()}
    for one, other, ratio in PAIRS:
        assert colours.contrast(made[one], made[other]) >= ratio, (one, other)


def test_a_background_of_ones_own_has_one_look_alone() -> None:
    assert "prefers-color-scheme" in stylesheet(Form(primary=colours.of("navy")))
    fixed = stylesheet(Form(background=colours.of("#101010")))
    assert "prefers-color-scheme" not in fixed
    assert "color-scheme: dark" in fixed


def test_fonts_stand_in_quotes_before_those_of_the_system() -> None:
    assert '--form-font: "Open Sans", serif, ui-sans-serif, system-ui, sans-serif;' in stylesheet(
        Form(fonts=("Open Sans", "serif"))
    )
