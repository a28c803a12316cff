"""Each rule of the market, R1 to R41, is named by the tests that hold it: `grep -rnw R17 tests`.

A rule counts as named where the docstring of a test itself says its number: no heading of a file, and no span of rules.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
RULE = re.compile(r"\bR(\d+)\b")
SPAN = re.compile(r"\bR\d+(?: to |–|-|…)R\d+\b")


@cache
def named() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text()
        if RULE.search(text):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                    told = SPAN.sub("", ast.get_docstring(node) or "")
                    for number in RULE.findall(told):
                        found.setdefault(int(number), []).append(node.name)
    return found


@pytest.mark.parametrize("number", range(1, 42))
def test_the_rule_has_a_test(number: int) -> None:
    assert named().get(number), f"no test says that it is about R{number}"


def test_no_test_names_a_rule_that_does_not_exist() -> None:
    assert not {number: names for number, names in named().items() if not 1 <= number <= 41}
