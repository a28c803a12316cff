"""Target expressions of goals."""

import pytest

from bundles import objective


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("< 200ms", ("<", 200.0, "ms")),
        ("> 99.9%", (">", 0.999, "fraction")),
        (">=99.5 %", (">=", 0.995, "fraction")),
        ("<= 2s", ("<=", 2000.0, "ms")),
        ("= 3", ("=", 3.0, "")),
        (" < 0.5s ", ("<", 500.0, "ms")),
    ],
)
def test_the_expressions_of_the_documentation_read(text: str, expected: tuple[str, float, str]) -> None:
    assert objective.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "200ms",
        "<",
        "< ms",
        "< -1ms",
        "=> 5",
        "== 5",
        "< 5 parsecs",
        "< 1e9",
        "<< 5",
        "< 5ms extra",
        "!= 1",
    ],
)
def test_anything_else_is_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(objective.ObjectiveError, match="a comparison"):
        objective.parse(text)


def test_more_than_everything_is_refused() -> None:
    with pytest.raises(objective.ObjectiveError, match="more than 100%"):
        objective.parse("> 101%")


def test_a_long_text_costs_nothing() -> None:
    with pytest.raises(objective.ObjectiveError):
        objective.parse("<" + " " * 1_000_000 + "1")
