"""What the CEL specification asks of every implementation, in our own words: nesting, repetition, errors in loops."""

import pytest

from bundles import cel
from tests.bundles.test_cel import value

SUPPORTED = {
    # nested at least twelve times, brackets and chains more often
    "a" + "[a" * 11 + "[0]" + "]" * 11: 0,
    "int(uint(" * 6 + "7" + "))" * 6: 7,
    "size(" + "[" * 12 + "0" + "]" * 12 + ")": 1,
    "size(" + "{0: " * 12 + "'foo'" + "}" * 12 + ")": 1,
    "(" * 32 + "7" + ")" * 32: 7,
    "[" * 12 + "'foo'" + "]" * 12 + "[0]" * 12: "foo",
    # repeated 24 or 32 times
    "true ? true : " * 24 + "false": True,
    "false || " * 31 + "true": True,
    "true && " * 31 + "false": False,
    "3" + " - 3 + 3" * 12: 3,
    "4" + " * 4 / 4" * 12: 4,
    "!" * 32 + "true": True,
    "-" * 32 + "19": 19,
    str(list(range(32))) + "[17]": 17,
    "{" + ", ".join(f"{n}: 'n{n}'" for n in range(32)) + "}[17]": "n17",
    # loops
    "[1, 'foo', 3].exists(e, e != '1')": True,
    "[1, 'foo', 3].all(e, e == 1)": False,
    "[1, 2, 3].all(e, 6 / (2 - e) == 6)": False,
    "{6: 'six', 7: 'seven', 8: 'eight'}.exists_one(foo, foo % 5 == 2)": True,
    "{1: 1, 2: 4, 3: 9}.map(x, x * x)": [1, 4, 9],
    "{0: 10, 1: 11, 2: 12, 3: 13}.filter(x, x % 2 == 1)": [1, 3],
    "!{'key1': 1, 'key2': 2}.exists(k, k == 'key3')": True,
    # texts
    r"' \000 \012 \177 '": " \x00 \n \x7f ",
    r"b'\303\277' == b'\u00FF' && b'\xc3\xbf' == b'ÿ'": True,
    r"'\u270c' + '\U0001f431'": "✌🐱",
    "'''a\rb'''": "a\rb",
    # the same things called by different names
    "'ta©o©αT'.indexOf('©αT', 3) == 4 && 'ta©o©αT'.substring(2, 6) == '©o©α'": True,
    "'{0} days {0} hours'.replace('{0}', '2', 1).replace('{0}', '23')": "2 days 23 hours",
    "timestamp('2009-02-13T23:31:30Z').getHours('02:00')": 1,
    "timestamp('2009-02-13T02:00:00Z').getDayOfMonth('America/St_Johns')": 11,
    "timestamp('2009-02-13T23:31:30Z').getMinutes('Asia/Kathmandu')": 16,
    "duration('10000s').getHours() * 100 + duration('3730s').getMinutes()": 262,
}
REFUSED = (
    *(
        "[1, 2, 3].exists(e, e / 0 == 17)",
        "[1, 2, 3].all(e, e / 0 != 17)",
        "[1, 'foo', 3].all(e, e % 2 == 1)",
    ),
    *(
        "[3, 2, 1, 0].exists_one(n, 12 / n > 1)",
        "[2, 1, 0].map(n, 4 / n)",
        "[3, 2, 1, 0].filter(n, 12 / n > 4)",
    ),
    *("timestamp('0000-01-01T00:00:00Z')", "timestamp('10000-01-01T00:00:00Z')", "duration('320000000000s')"),
    *(
        "timestamp('0001-01-01T00:00:00Z') + duration('-1s')",
        "duration('200000000000s') + duration('200000000000s')",
    ),
    *(
        "1 && 2",
        "{}.a",
        "[][0]",
        "has({}.a.b)",
        "9223372036854775807 * 2",
        "-9223372036854775808 - 1",
        "5 % 0",
    ),
)


@pytest.mark.parametrize("text", SUPPORTED, ids=lambda text: text[:30])
def test_supported(text: str) -> None:
    assert value(text, {"a": [0]}) == SUPPORTED[text]


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(cel.CelError):
        value(text)
