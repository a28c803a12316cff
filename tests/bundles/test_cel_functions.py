"""The functions of expressions, and that each of them is described."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bundles import cel, celdocs
from bundles.celfunctions import TABLE
from bundles.celmacros import ONE
from tests.bundles.test_cel import failure, same, value

TEXTS = {
    "size('hé😀')": 3,
    "'abc'.size()": 3,
    "size([1, 2])": 2,
    "size({'a': 1})": 1,
    "'abc'.contains('bc')": True,
    "'abc'.startsWith('ab') && 'abc'.endsWith('bc')": True,
    "'aÄB'.lowerAscii()": "aÄb",
    "'aäB'.upperAscii()": "AäB",
    "'  a '.trim()": "a",
    "'abc'.reverse()": "cba",
    "[1, 2].reverse()": [2, 1],
    "'aaa'.replace('a', 'bb')": "bbbbbb",
    "'aaa'.replace('a', 'b', 2)": "bba",
    "'aaa'.replace('a', 'b', 0)": "aaa",
    "'a,b,c'.split(',')": ["a", "b", "c"],
    "'a,b,c'.split(',', 2)": ["a", "b,c"],
    "'a,b'.split(',', 0)": [],
    "'a,b'.split(',', -1)": ["a", "b"],
    "'abc'.split('')": ["a", "b", "c"],
    "'abc'.split('', 2)": ["a", "bc"],
    "['a', 'b'].join('-')": "a-b",
    "['a', 'b'].join()": "ab",
    "[].join(',')": "",
    "'hello'.substring(1)": "ello",
    "'hello'.substring(1, 3)": "el",
    "'abc'.charAt(1)": "b",
    "'abc'.charAt(3)": "",
    "'abcb'.indexOf('b')": 1,
    "'abcb'.indexOf('b', 2)": 3,
    "'abcb'.lastIndexOf('b')": 3,
    "'abcb'.lastIndexOf('b', 2)": 1,
    "'abc'.lastIndexOf('')": 3,
    "'abc'.lastIndexOf('', 2)": 2,
    "'bananananana'.lastIndexOf('nana', 7)": 6,
    "'abc'.indexOf('x')": -1,
    "'foo123'.matches('[0-9]+')": True,
    "matches('foo', '^o')": False,
    "regex.extract('order 4711.', '([0-9]+)')": "4711",
    "regex.extract('none', '[0-9]+')": "",
    "encode('a b/ü&')": "a%20b%2F%C3%BC%26",
    "json({'a': [1, 2.5, null, true, 'ü\"']})": '{"a":[1,2.5,null,true,"ü\\""]}',
    "json(timestamp(0))": '"1970-01-01T00:00:00Z"',
    "json(b'abc')": '"YWJj"',
    "parseJson('{\"a\": [1, 2.5]}').a[1]": 2.5,
    "base64.encode('abc')": "YWJj",
    "string(base64.decode('YWJj'))": "abc",
    "string(base64.decode('YQ'))": "a",
}
NUMBERS = {
    "int('42')": 42,
    "int(-2.9)": -2,
    "int(timestamp('1970-01-01T00:01:00Z'))": 60,
    "uint(3.0)": 3,
    "double('1.5e3')": 1500.0,
    "double(1)": 1.0,
    "string(1)": "1",
    "string(1.0)": "1",
    "string(1.5)": "1.5",
    "string(true)": "true",
    "string(b'abc')": "abc",
    "string(duration('90m'))": "5400s",
    "string(timestamp('2026-01-31T10:00:00+02:00'))": "2026-01-31T08:00:00Z",
    "bool('true') && !bool('f')": True,
    "dyn(1)": 1,
    "type(timestamp(0)) == timestamp": True,
    "type(duration('1s'))": "duration",
    "min(3, 1.5, 2)": 1.5,
    "max([3, 1, 2])": 3,
    "min('b', 'a')": "a",
    "math.greatest(1, 2)": 2,
    "math.least([4, 3])": 3,
    "sum([1, 2, 3.5])": 6.5,
    "math.sum([])": 0,
    "math.abs(-2)": 2,
    "math.sign(-2.5)": -1,
    "math.ceil(1.2)": 2.0,
    "math.floor(-1.2)": -2.0,
    "math.trunc(-1.8)": -1.0,
    "math.round(2.5)": 3.0,
    "math.round(-2.5)": -3.0,
    "math.round(1.005, 2)": 1.01,
    "math.round(7)": 7,
    "math.sqrt(9)": 3.0,
    "math.pow(2, 10)": 1024.0,
}
LISTS = {
    "[3, 1, 2.5].sort()": [1, 2.5, 3],
    "['b', 'a'].sort()": ["a", "b"],
    "[].sort()": [],
    "[1, 1.0, 'a', 'a', true, true, [1], [1]].distinct()": [1, "a", True, [1]],
    "[1, [2, [3]], []].flatten()": [1, 2, [3]],
    "[1, 2, 3].slice(1, 3)": [2, 3],
    "lists.range(3)": [0, 1, 2],
    "keys({'a': 1, 'b': 2})": ["a", "b"],
    "values({'a': 1, 'b': 2})": [1, 2],
    "merge({'a': 1, 'b': 1}, {'b': 2})": {"a": 1, "b": 2},
}
DAY = "timestamp('2026-11-21T23:30:15.250Z')"
TIMES = {
    f"{DAY}.getFullYear()": 2026,
    f"{DAY}.getMonth()": 10,
    f"{DAY}.getDate()": 21,
    f"{DAY}.getDate('Europe/Berlin')": 22,
    f"{DAY}.getHours('-05:00')": 18,
    f"{DAY}.getDayOfMonth()": 20,
    f"{DAY}.getDayOfWeek()": 6,
    f"{DAY}.getDayOfYear()": 324,
    f"{DAY}.getMinutes()": 30,
    f"{DAY}.getSeconds()": 15,
    f"{DAY}.getMilliseconds()": 250,
    "duration('1h30m').getMinutes()": 90,
    "duration('-90s').getMinutes()": -1,
    f"{DAY} + duration('1d') - timestamp('2026-11-21T23:30:15.250Z') == duration('24h')": True,
    f"{DAY} > timestamp('2026-01-01T00:00:00Z')": True,
    f"{DAY}": "2026-11-21T23:30:15.25Z",
    "[duration('1.5s')]": ["1.5s"],
    "duration('-1h1m1s1ms')": "-3661.001s",
    "duration('1500us')": "0.0015s",
    "timestamp(1.5)": "1970-01-01T00:00:01.5Z",
    "{'at': timestamp('2026-01-01T00:00:00-01:00')}": {"at": "2026-01-01T01:00:00Z"},
}


@pytest.mark.parametrize(
    ("text", "wanted"), [*TEXTS.items(), *NUMBERS.items(), *LISTS.items(), *TIMES.items()]
)
def test_functions(text: str, wanted: Any) -> None:
    assert same(value(text), wanted)


FAILURES = {
    "size(1)": "only texts, bytes, lists and maps have a size",
    "'a'.contains(1)": "the second argument must be a text, this is a number",
    "payload.total.contains('x')": "must be a text, this is a number",
    "['a', 1].join('')": "join needs a list of texts",
    "'abc'.substring(2, 1)": "goes beyond the ends",
    "'abc'.substring(-1)": "goes beyond the ends",
    "'abc'.charAt(4)": "goes beyond the ends",
    "int('1.5')": "not a whole number",
    "int(1e30)": "does not fit into 64 bits",
    "int(null)": "null cannot become a whole number",
    "int(true)": "true or false cannot become",
    "uint(-1)": "negative",
    "double('nan')": "not a number",
    "double('inf')": "not a number",
    "string([1])": "a list cannot become a text, json() writes anything",
    "string(b'\\xff')": "not UTF-8",
    "bool('yes')": "true or false",
    "min([])": "an empty list",
    "min(1, 'a')": "cannot be compared",
    "[1, 'a'].sort()": "cannot be compared",
    "[null].sort()": "cannot be compared",
    "sum(['a'])": "must be a number",
    "math.sqrt(-1)": "negative",
    "math.pow(10, 400)": "too large",
    "math.pow(0, -1)": "too large",
    "math.pow(-8, 0.5)": "negative",
    "math.abs(-9223372036854775808)": "does not fit",
    "math.round(1.5, 99)": "0 to 12 places",
    "timestamp('yesterday')": "not one between the years 1 and 9999",
    "timestamp('2026-02-30T00:00:00Z')": "not one between",
    "timestamp(1e300)": "not one between",
    "timestamp('9999-12-31T23:59:59Z') + duration('1s')": "too large",
    "duration('soon')": "not a duration",
    "duration('1h ')": "not a duration",
    "duration('')": "not a duration",
    "duration(1e300)": "10,000 years",
    "duration('99999999999h')": "10,000 years",
    f"{DAY}.getHours('../etc/passwd')": "time zone is not known",
    f"{DAY}.getHours('Europe/Nowhere')": "time zone is not known",
    "'x'.getHours()": "must be a time",
    "parseJson('{')": "not JSON",
    "parseJson('NaN')": "not JSON",
    "base64.decode('*')": "not base64",
    "lists.range(100001)": "at most 100000",
    "[1].slice(0, 2)": "beyond the ends",
    "keys([1])": "must be a map",
    "merge({}, 1)": "the second argument must be a map",
    "'a'.matches('(')": "the pattern cannot be used",
}


@pytest.mark.parametrize("text", FAILURES)
def test_functions_refuse_what_they_cannot_do(text: str) -> None:
    assert FAILURES[text] in failure(text)


def test_times_of_the_scope_are_known_too() -> None:
    started = {"started": datetime(2026, 1, 1, tzinfo=UTC), "naive": datetime(2026, 1, 1)}
    scope = {"execution": {**started, "took": timedelta(seconds=3)}}
    assert value("execution.started == execution.naive && execution.took < duration('4s')", scope) is True
    assert value("execution.started + execution.took", scope) == "2026-01-01T00:00:03Z"


def test_a_pattern_that_cannot_be_used_is_told_when_the_expression_is_read() -> None:
    with pytest.raises(cel.CelError) as caught:
        cel.compile("payload.matches('(?=x)')")
    assert caught.value.column == 17
    assert "no lookaround" in caught.value.message


def test_everything_that_can_be_called_is_described_and_works_as_its_row_says() -> None:
    rows = {row["name"]: row for row in celdocs.rows()}
    assert set(TABLE) <= set(rows)
    assert set(ONE) - {"existsOne"} <= set(rows)
    assert set(cel.ROOTS) <= set(rows)
    for row in rows.values():
        assert row["doc"].endswith(".") or row["kind"] == "name", row
        assert row["name"].rpartition(".")[2] in row["signature"], row
        assert row["group"]
