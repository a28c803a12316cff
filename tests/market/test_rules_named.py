"""Each rule of the market, R1 to R41, is named by a test that would fail without it: `grep -rnw R17 tests`."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
SPAN = re.compile(r"\bR(\d+)(?: to |–|-|…)R(\d+)\b")


def named() -> set[int]:
    found: set[int] = set()
    for path in TESTS.rglob("*.py"):
        if path != Path(__file__):
            text = path.read_text()
            found |= {int(number) for number in re.findall(r"\bR(\d+)\b", text)}
            for first, last in SPAN.findall(text):
                found |= set(range(int(first), int(last) + 1))
    return found


@pytest.mark.parametrize("number", range(1, 42))
def test_the_rule_has_a_test(number: int) -> None:
    assert number in named()
