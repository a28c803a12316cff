"""The template tags of the shell."""

import pytest

from priostack.templatetags.ui import icon, sparkline, within


@pytest.mark.parametrize(
    ("path", "inside"),
    [("/runs", True), ("/runs/7", True), ("/runs2", False), ("/", False), ("/x/runs", False)],
)
def test_a_menu_entry_is_current_for_itself_and_what_lies_below(path: str, inside: bool) -> None:
    assert within(path, "/runs") is inside


def test_an_icon_is_hidden_from_screen_readers_and_escapes_its_name() -> None:
    assert 'aria-hidden="true"' in icon("menu")
    assert "<b>" not in icon("<b>")


def test_a_sparkline_has_the_highest_value_at_the_top() -> None:
    assert sparkline([0, 10, 5]) == "0.0,24.0 50.0,0.0 100.0,12.0"


@pytest.mark.parametrize("values", [[], [3], [2, 2, 2]])
def test_a_sparkline_survives_few_or_equal_values(values: list[float]) -> None:
    assert len(sparkline(values).split()) == len(values)
