"""Durations: an integer with a unit, nothing else (MARKET R35)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import duration


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("500ms", 500), ("5s", 5000), ("2m", 120_000), ("24h", 86_400_000), ("7d", 604_800_000), ("0s", 0)],
)
def test_an_integer_with_a_unit_is_a_duration(text: str, milliseconds: int) -> None:
    """R35."""
    assert duration.parse(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "-1s",
        "+1s",
        "1.5s",
        "1e99h",
        "5 s",
        " 5s",
        "5s\n",
        "5parsecs",
        "5 parsecs",
        "5S",
        "s",
        "٥s",
        "1h30m",
        "9" * 5000 + "s",
    ],
)
def test_anything_else_is_refused_with_the_grammar(text: str) -> None:
    """R35."""
    with pytest.raises(duration.DurationError, match="an integer and a unit: ms, s, m, h or d"):
        duration.parse(text)


@pytest.mark.parametrize("text", ["999999999999h", "3651d"])
def test_more_than_ten_years_is_refused(text: str) -> None:
    with pytest.raises(duration.DurationError, match="longer than 3650d"):
        duration.parse(text)


@settings(deadline=None)
@given(st.integers(0, 3650 * 86_400_000))
def test_what_is_written_reads_back(milliseconds: int) -> None:
    assert duration.parse(duration.written(milliseconds)) == milliseconds
