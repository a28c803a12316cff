"""Expressions: what CEL says, with numbers as JSON has them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bundles import cel

ORDER = {
    "id": "o-1",
    "total": 120,
    "weight": 2.5,
    "paid": True,
    "note": None,
    "customer": {"name": "Ada", "tags": ["vip", "eu"]},
    "items": [{"sku": "mug", "price": 12.5, "quantity": 2}, {"sku": "pen", "price": 3, "quantity": 5}],
    "x-odd key": 1,
}
SCOPE: dict[str, Any] = {"payload": ORDER, "trigger": {"headers": {"content-type": "text/plain"}}}


def value(text: str, scope: Mapping[str, Any] = SCOPE) -> Any:
    return cel.compile(text)(scope)


def failure(text: str, scope: Mapping[str, Any] = SCOPE) -> str:
    with pytest.raises(cel.CelError) as caught:
        cel.compile(text)(scope)
    return str(caught.value)


def same(found: Any, wanted: Any) -> bool:
    """Equal, and of the same type: 1 is neither 1.0 nor true."""
    return found == wanted and type(found) is type(wanted)


LITERALS = {
    "0": 0,
    "17u": 17,
    "0x1F": 31,
    "-0xff": -255,
    "-9223372036854775808": -(2**63),
    "9223372036854775807": 2**63 - 1,
    "1.5": 1.5,
    "-2.3e+1": -23.0,
    ".5": 0.5,
    "1e3": 1000.0,
    "true": True,
    "null": None,
    "[]": [],
    "{}": {},
    "[1, 'a', [null],]": [1, "a", [None]],
    '{"a": 1, "b": {"c": [2]},}': {"a": 1, "b": {"c": [2]}},
    "''": "",
    r"""'it\'s'""": "it's",
    r'"a\n\t\\\"\x41\u00e9\U0001F600\101\?\`"': 'a\n\t\\"Aé😀A?`',
    r'r"\n"': r"\n",
    r"R'a\'": "a\\",
    '"""two\n"lines" """': 'two\n"lines" ',
    "'''a'b''c'''": "a'b''c",
    'r"""\\d"x"""': '\\d"x',
    '"""a\r\nb"""': "a\r\nb",
    "// a remark\n 1 // another": 1,
}


@pytest.mark.parametrize("text", LITERALS)
def test_literals(text: str) -> None:
    assert same(value(text), LITERALS[text])


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("b'abc'", b"abc"),
        (r"b'\xff\377'", b"\xff\xff"),
        ("b'é'", b"\xc3\xa9"),
        (r"br'\x'", b"\\x"),
        ("b''", b""),
    ],
)
def test_bytes_are_known_inside_and_become_base64_outside(text: str, data: bytes) -> None:
    assert value(f"{text} == payload", {"payload": data}) is True
    assert value(f"size({text})") == len(data)
    assert value("b'abc'") == "YWJj"


OPERATORS = {
    "1 + 2 * 3": 7,
    "(1 + 2) * 3": 9,
    "10 - 3 - 2": 5,
    "7 / 2": 3,
    "-7 / 2": -3,
    "7 % 3": 1,
    "-7 % 3": -1,
    "7 % -3": 1,
    "7.0 / 2": 3.5,
    "1 + 0.5": 1.5,
    "7.5 % 2": 1.5,
    "2 * 2.5": 5.0,
    "- -1": 1,
    "-(3)": -3,
    "'a' + 'b'": "ab",
    "[1] + [2.5]": [1, 2.5],
    "1 == 1.0": True,
    "1 == true": False,
    "0 == false": False,
    "1 != '1'": True,
    "null == false": False,
    "[1, 2] == [1, 2.0]": True,
    "[1] == [true]": False,
    "{'a': [1]} == {'a': [1.0]}": True,
    "{'a': 1} == {'a': 1, 'b': 2}": False,
    "1 < 1.5": True,
    "9007199254740993 > 9007199254740992.0": True,
    "'a' < 'b'": True,
    "false < true": True,
    "b'a' <= b'b'": True,
    "1 in [1.0]": True,
    "true in [1]": False,
    "'x' in ['y', 'x']": True,
    "1 in ['x']": False,
    "'sku' in payload.items[0]": True,
    "1 in payload": False,
    "null in [null]": True,
    "!true || 1 + 1 == 2 && 3 > 2": True,
    "true ? 1 : false ? 2 : 3": 1,
    "false ? 1 : false ? 2 : 3": 3,
    "1 < 2 == true": True,
    "[1, 2, 3][1]": 2,
    "[1, 2, 3][1.0]": 2,
    "{'a': {'b': [5]}}.a['b'][0]": 5,
    "{'a b': 1}.`a b`": 1,
    "{1: 'a', 2: 'b'}[2]": "b",
    "{1: 'a'}[1.0] == 'a' && 1.0 in {1: 2} && !(true in {1: 2})": True,
    "{1: 'a', payload.id: {2: 3}}": {"1": "a", "o-1": {"2": 3}},
    "json({1: 'a'})": '{"1":"a"}',
    "payload.total > 100": True,
    "payload.customer.tags[1]": "eu",
    'trigger.headers["content-type"]': "text/plain",
    ".payload.id": "o-1",
    "payload.note == null": True,
    "type(payload.items) == list": True,
    "type(1) == int && type(1.0) == double && type(null) == null_type": True,
    "type(payload) == map && type('') == string && type(true) == bool": True,
}


@pytest.mark.parametrize("text", OPERATORS)
def test_operators(text: str) -> None:
    assert same(value(text), OPERATORS[text])


ABSORBED = {
    "1 / 0 > 1 || true": True,
    "true || 1 / 0 > 1": True,
    "1 / 0 > 1 && false": False,
    "payload.nothing && false": False,
    "payload.total || true": True,
    "[1, 0].exists(x, 1 / x > 2 || x == 0)": True,
    "[0, 2].exists(x, 4 / x == 2)": True,
    "[0, 2].all(x, 4 / x == 1)": False,
    "false && payload.nothing": False,
}


@pytest.mark.parametrize("text", ABSORBED)
def test_an_error_does_not_matter_where_the_other_side_decides(text: str) -> None:
    assert value(text) is ABSORBED[text]


@pytest.mark.parametrize("text", ["1 / 0 > 1 || false", "true && 1 / 0 > 1", "[0, 2].exists(x, 4 / x == 3)"])
def test_an_error_remains_where_nothing_decides(text: str) -> None:
    assert "division by zero" in failure(text)


MACROS = {
    "has(payload.total)": True,
    "has(payload.nothing)": False,
    "has(payload.note)": True,
    'has(payload["x-odd key"])': True,
    "default(payload.nothing.at.all, 'x')": "x",
    "default(payload.note, 'x')": "x",
    "default(payload.note.deep, 'x')": "x",
    "default(payload.id, 'x')": "o-1",
    "default(nobody, 1)": 1,
    "[].all(x, x > 1)": True,
    "[].exists(x, x > 1)": False,
    "[1, 2].all(x, x > 0)": True,
    "[1, 2].exists(x, x == 2)": True,
    "[1, 2, 2].exists_one(x, x == 2)": False,
    "[1, 2].exists_one(x, x == 2)": True,
    "[1, 2].map(x, x * 2)": [2, 4],
    "[1, 2, 3].map(x, x > 1, x * 2)": [4, 6],
    "[1, 2, 3].filter(x, x % 2 == 1)": [1, 3],
    "{'a': 1, 'b': 2}.map(k, k)": ["a", "b"],
    "{'a': 1}.all(k, k == 'a')": True,
    "payload.items.map(i, i.price * i.quantity)": [25.0, 15],
    "[[1, 2], [3]].map(row, row.map(x, x + size(row)))": [[3, 4], [4]],
    "[1].map(x, [2].map(x, x) + [x])": [[2, 1]],
    "[1, 2].map(a, [a, 3].exists(b, b == 3 && a == 2))": [False, True],
    "[1, 2].map(payload, payload + 1)": [2, 3],
    "payload.items.sortBy(i, i.price).map(i, i.sku)": ["pen", "mug"],
    "sum(payload.items.map(i, i.quantity))": 7,
}


@pytest.mark.parametrize("text", MACROS)
def test_macros(text: str) -> None:
    assert same(value(text), MACROS[text])


FAILURES = {
    "": "column 1: the expression is empty",
    "1 +": "column 4: the expression ends too early",
    "(1": "column 3: the expression ends too early, a ) is missing",
    "1 2": "column 3: 2 is not expected here",
    "payload and true": "column 9: and is not expected here, did you mean &&?",
    "a = 1": "column 3: = is not an operator, did you mean ==?",
    "a & b": "column 3: & is not an operator, did you mean &&?",
    "'abc": "column 1: the text has no closing quote",
    "'a\nb'": "column 1: the text has no closing quote",
    r"'\q'": "column 2: this escape sequence is not known",
    r"'\ud800'": "column 2: this escape sequence is not known",
    "9223372036854775808": "column 1: the number does not fit into 64 bits",
    "1e999": "column 1: the number is too large",
    "1.foo": "column 3: a number has no field foo",
    "while": "column 1: while is a reserved word",
    "payload.": "column 9: a field's name is missing after the dot",
    "payload.?total": "column 9: optional fields are not known here, use has() or default()",
    "Order{id: 1}": 'column 6: messages are not known here, write a map: {"name": value}',
    "(1)(2)": "column 4: only a name can be called",
    "{true: 2}": "column 2: keys of a map are texts or whole numbers",
    "{payload.weight: 2}": "column 10: keys of a map are texts or whole numbers, this is a number",
    "{1: 2}[2]": "column 7: the map has no such key",
    "{'a': 1, 'a': 2}": "column 10: the map has this key twice",
    "payload.totl": "column 9: there is no field totl, did you mean 'total'?",
    "payloda.total": "column 1: there is no payloda here, did you mean 'payload'?",
    "payload.customer.nmae == 'x'": "column 18: there is no field nmae, did you mean 'name'?",
    "payload.note.x": "column 14: null has no field x",
    "payload.total.x": "column 15: a number has no field x",
    "payload.items[2]": "column 14: the list has no such element",
    "payload.items[-1]": "column 14: the list has no such element",
    "payload.items['0']": "column 14: a list has no field 0",
    "payload.items[payload.id]": "column 14: elements of a list are counted from 0, this is a text",
    "payload[true]": "column 8: keys of a map are texts or whole numbers, this is true or false",
    "9223372036854775807 + 1": "column 21: the whole number does not fit into 64 bits",
    "-9223372036854775808 / -1": "column 22: the whole number does not fit into 64 bits",
    "-(-9223372036854775808)": "column 1: the whole number does not fit into 64 bits",
    "1e308 * 10": "column 7: the number is too large",
    "1 / 0": "column 3: division by zero",
    "1.5 % 0": "column 5: division by zero",
    "1 < 'a'": "column 3: a number cannot be compared with a text",
    "null < 1": "column 6: null cannot be compared with a number",
    "true < 1": "column 6: true or false cannot be compared with a number",
    "'a' + 1": "column 5: a text and a number cannot be added, string() makes texts",
    "true + 1": "column 6: true or false and a number cannot be added",
    "-true": "column 1: true or false has no negative",
    "!1": "column 1: this must be true or false, it is a number",
    "1 ? 2 : 3": "column 1: this must be true or false, it is a number",
    "1 || false": "column 1: this must be true or false, it is a number",
    "'a' in 'abc'": "column 5: in needs a list or a map, this is a text, use contains()",
    "1.map(x, x)": "column 3: only lists and maps can be gone through, this is a number",
    "[1].map(1, x)": "column 9: the first argument is a name for each element",
    "[1].map(x)": "column 5: write it as list.map(x, …) with x for each element",
    "[1].filter(x, 1)": "column 5: this must be true or false, it is a number",
    "[1].map(math, 1)": "column 9: math has a meaning already, choose another name",
    "has(payload)": "column 1: has needs a field, as has(payload.total)",
    "has(payload.total.x)": "column 19: a number has no fields",
    "zzz(1)": "column 1: there is no function zzz",
    "sizee('a')": "column 1: there is no function sizee, did you mean 'size'?",
    "'a'.length()": "column 5: there is no function length, did you mean size?",
    "contains('a', 'b')": "column 1: contains is called as text.contains(part)",
    "'a'.contains()": "column 5: write it as text.contains(part)",
    "math.flor(1.5)": "column 6: there is no function math.flor, did you mean 'math.floor'?",
    "math": "column 1: math is a group of functions",
}


@pytest.mark.parametrize("text", FAILURES)
def test_what_is_wrong_is_told_with_its_column(text: str) -> None:
    assert failure(text) == FAILURES[text]


def test_an_expression_tells_which_names_it_uses_and_where() -> None:
    expression = cel.compile("payload.items.exists(i, i.sku == secret.sku) && index > 1 && type(1) == int")
    assert expression.names == {"payload", "secret", "index"}
    assert expression.columns["secret"] == 34
    assert cel.compile("payload").bare == "payload"
    assert cel.compile("payload.x").bare == ""
    assert cel.compile("[1, 2].map(x, x)").names == frozenset()


class Lazy(Mapping[str, Any]):
    """A scope that makes its values when they are asked for."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values_by_name, self.asked = values, list[str]()

    def __getitem__(self, name: str) -> Any:
        self.asked.append(name)
        return self.values_by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values_by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)


def test_only_what_is_named_is_touched() -> None:
    scope = Lazy({"payload": Lazy({"a": 1, "b": 2}), "trigger": {}, "steps": {}})
    assert value("payload.a == 1 || trigger.x == 1", scope) is True
    assert scope.asked == ["payload"]
    assert scope.values_by_name["payload"].asked == ["a"]


def test_lazy_maps_are_maps_everywhere() -> None:
    scope = Lazy({"payload": Lazy({"a": 1, "b": [2]})})
    assert (
        value("has(payload.a) && 'b' in payload && size(payload) == 2 && type(payload) == map", scope) is True
    )
    assert value("payload == {'a': 1, 'b': [2]} && payload.exists(k, k == 'a')", scope) is True
    assert value("json(payload)", scope) == '{"a":1,"b":[2]}'
    assert value("merge(payload, {'c': 3})", scope) == {"a": 1, "b": [2], "c": 3}


def test_conditions_must_be_true_or_false() -> None:
    assert cel.truth(True) is True
    assert cel.truth(False) is False
    for wrong in (1, 0, "", "true", None, [], {}):
        with pytest.raises(cel.CelError, match="a condition must be true or false"):
            cel.truth(wrong)


def test_one_expression_serves_many_evaluations() -> None:
    expression = cel.compile("payload.map(x, [x].map(y, y + 1))")
    assert [expression({"payload": [n]}) for n in (1, 2)] == [[[2]], [[3]]]


def test_long_conditions_are_not_deep() -> None:
    assert value(" || ".join(["payload.total == 1"] * 400 + ["true"])) is True
