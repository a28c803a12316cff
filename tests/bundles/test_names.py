"""Names: visible, short, in one form; and the name that was meant."""

import pytest

from bundles import names


@pytest.mark.parametrize(
    "name", ["cart", "Ünïcode näme", "订单", "response < 200ms", "a.b-c_d", "x" * 100, "shop 🛒"]
)
def test_visible_names_are_fine(name: str) -> None:
    assert names.fault(name) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "empty"),
        ("x" * 101, "101 characters"),
        ("a\0b", "U+0000"),
        ("a\u202eb", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("a\u2066b", "U+2066"),
        ("\u3164", "U+3164"),
        ("a\nb", "U+000A"),
        ("a\u00a0b", "U+00A0"),
        (" a", "space"),
        ("a/b", "slash"),
        ("a\\b", "slash"),
        ("..", "dots"),
        ("e\u0301", "NFC"),
    ],
)
def test_names_that_deceive_are_refused(name: str, words: str) -> None:
    assert words in names.fault(name)


def test_the_nearest_name_is_offered() -> None:
    assert names.did_you_mean("orders", ["cart", "order"]) == ", did you mean 'order'?"
    assert names.did_you_mean("CART", ["cart", "carts"]) == ", did you mean 'cart'?"
    assert names.did_you_mean("zebra", ["cart", "order"]) == ""
    assert names.did_you_mean("x" * 1_000_000, ["cart"]) == ""
