"""Expressions that want more than they are given: Python behind the values, time, memory, other people's secrets
(A054, A119, A122, A162)."""

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bundles import cel, template
from bundles.celerror import MAX_SIZE, MAX_STEPS

ROOT = Path(__file__).resolve().parents[2]


class Bait:
    """An object that must never be looked into."""

    secret = "taken"

    def __init__(self) -> None:
        self.value = "taken"

    def __call__(self, *_: Any) -> str:
        return "taken"

    def __getitem__(self, _: Any) -> str:
        return "taken"

    def __len__(self) -> int:
        return 7


SCOPE: dict[str, Any] = {
    "payload": {"name": "x", "items": [1, 2], "number": 1, "bait": Bait(), "call": len},
    "secret": {"key": "s3cret-value"},
}


def refused(text: str, scope: Mapping[str, Any] = SCOPE) -> cel.CelError:
    with pytest.raises(cel.CelError) as caught:
        cel.compile(text)(scope)
    return caught.value


# -- out of the sandbox

ESCAPES = [
    # Python
    "payload.__class__",
    "payload.__class__.__mro__[1].__subclasses__()",
    "''.__class__.__base__.__subclasses__()",
    "payload.name.__class__",
    "payload.name['__class__']",
    "payload.items.__len__()",
    "payload.number.real",
    "payload.items.append(1)",
    "payload.name.format(payload)",
    "'{0.__class__}'.format(payload)",
    "'%s' % payload.name",
    "payload.bait.value",
    "payload.bait.secret",
    "payload.bait['value']",
    "payload.bait[0]",
    "payload.bait()",
    "payload.call('x')",
    "payload.call.__self__",
    "payload.keys",
    "payload.get('name')",
    "__import__('os').system('true')",
    "__builtins__",
    "__name__",
    "globals()",
    "eval('1')",
    "exec('1')",
    "open('/etc/passwd')",
    "getattr(payload, 'name')",
    "vars(payload)",
    "lambda: 1",
    "[x for x in payload]",
    "(lambda x: x)(1)",
    "payload if true else 1",
    "payload.name := 1",
    "payload.name = 1",
    "f'{payload}'",
    "1; 2",
    "import os",
    "type('X', [], {})",
    "type(payload).__mro__",
    "int.__class__",
    "type(1).mro()",
    "int.from_bytes(b'1')",
    "math.__dict__",
    "math.factorial(100000)",
    "2 ** 1000000",
    "10 << 100000",
    # JavaScript, as n8n was taken
    "constructor",
    "payload.constructor",
    "payload.constructor.constructor('return process')()",
    "''['constructor']['constructor']('return this')()",
    "payload['constructor']",
    "payload.__proto__",
    "payload.toString",
    "[].constructor.constructor('return this.process.mainModule')()",
    "(() => process.env)()",
    "(function(){ return this.process })()",
    "this.process.mainModule.require('child_process').execSync('id')",
    "process.env",
    "globalThis",
    "arguments.callee",
    "`${7*7}`",
    "new Date()",
    "$json.x",
    "{{ 7 * 7 }}",
    "with (payload) { name }",
    # CEL itself
    "google.protobuf.Struct{}",
    "cel.bind(x, 1, x)",
    "optional.of(1)",
    "payload.items.map(__class__, __class__.__class__)",
    "has(payload.__class__.__mro__)",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_leads_out_of_the_values(text: str) -> None:
    assert "taken" not in str(refused(text))


@pytest.mark.parametrize(
    "text", ["has(payload.__class__)", "has(payload.constructor)", "'__class__' in payload"]
)
def test_special_names_are_names_like_any_other(text: str) -> None:
    assert cel.compile(text)(SCOPE) is False
    assert cel.compile("payload.__class__.constructor")({"payload": {"__class__": {"constructor": 1}}}) == 1


@pytest.mark.parametrize(
    "text",
    ["payload.bait", "[payload.bait]", "{'a': payload.call}"],
)
def test_strange_objects_do_not_become_text(text: str) -> None:
    refused(f"json({text})")
    refused(f"string({text})")
    refused(f"size({text}.x)")
    with pytest.raises(cel.CelError):
        template.compile(f"a ${{{text}}}")(SCOPE)


@pytest.mark.parametrize("text", ["payload.bait == payload.bait", "payload.bait in [payload.bait]"])
def test_strange_objects_are_equal_to_nothing(text: str) -> None:
    assert cel.compile(text)(SCOPE) is False


def test_an_evaluation_changes_nothing() -> None:
    payload = {"a": [3, 1, 2], "m": {"x": 1}}
    for text in ("payload.a.sort()", "payload.a + [4]", "merge(payload.m, {'y': 2})", "payload.a.reverse()",
                 "payload.a.map(x, x + 1)", "payload.a.sortBy(x, -x)", "payload.a.distinct()"):  # fmt: skip
        cel.compile(text)({"payload": payload})
    assert payload == {"a": [3, 1, 2], "m": {"x": 1}}


def test_what_comes_in_is_never_read_as_an_expression() -> None:
    scope = {"payload": "${secret.key} {{7*7}} {payload}", "secret": SCOPE["secret"]}
    assert template.compile("${payload}")(scope) == scope["payload"]
    assert template.compile("a ${payload}")(scope) == "a " + scope["payload"]
    assert template.compile(["${[payload]}"])(scope) == [[scope["payload"]]]


@pytest.mark.parametrize(
    "text",
    ["int(secret.key)", "secret.key + 1", "secret.key < 1", "timestamp(secret.key)", "duration(secret.key)",
     "{}[secret.key]", "secret.key.x", "parseJson(secret.key)", "'x'.getHours(secret.key)", "secret[secret.key]",
     "'a'.matches(secret.key + '(')", "base64.decode(secret.key)", "secret.key ? 1 : 2", "secret.missing",
     "-secret.key", "[1][secret.key]", "double(secret.key)", "bool(secret.key)", "[secret.key].sum()"],
)  # fmt: skip
def test_no_message_tells_a_value(text: str) -> None:
    assert "s3cret" not in str(refused(text))


# -- time and memory


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "1" + ")" * 5_000,
        "[" * 5_000 + "]" * 5_000,
        "{'a':" * 2_000 + "1" + "}" * 2_000,
        "!" * 9_999 + "true",
        "-" * 9_998 + "x",
        "1" + " + 1" * 2_400,
        "a" + ".a" * 4_900,
        "a" + "[0]" * 3_000,
        "true ? 1 : " * 900 + "1",
        "[1]" + ".map(x, [x]" * 400 + ")" * 400,
        "size(" * 1_900 + "'a'" + ")" * 1_900,
        "x" * 10_001,
        "1 " * 20_000,
        "'" + "a" * 20_000 + "'",
    ],
    ids=lambda text: text[:12],
)
def test_deep_and_long_texts_are_refused_when_they_are_read(text: str) -> None:
    started = time.process_time()
    with pytest.raises(cel.CelError, match=r"levels|longer|on top"):
        cel.compile(text)
    with pytest.raises(cel.CelError):
        template.compile("${" + text + "}")
    assert time.process_time() - started < 0.5


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [150, 900, 5_000])
@pytest.mark.parametrize("text", ["payload == other", "json(payload)", "[payload].map(x, x)", "payload in [other]",
                                  "[timestamp(0), payload]"])  # fmt: skip
def test_deep_values_are_refused(text: str, depth: int) -> None:
    refused(text, {"payload": nested(depth), "other": nested(depth)})


@pytest.mark.parametrize("text", ["parseJson('[' + payload)", "parseJson(payload)"])
def test_deep_json_is_refused(text: str) -> None:
    refused(text, {"payload": "[" * 100_000})


REGEXES = [
    "(a+)+$",
    "(a|a)*$",
    "(a|aa)+$",
    "([a-z]+)*$",
    "(.*)*x",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(a{0,30}){0,30}$",
]


@pytest.mark.parametrize("regex", REGEXES)
def test_regular_expressions_take_linear_time(regex: str) -> None:
    started = time.process_time()
    scope = {"payload": {"text": "a" * 30_000 + "!", "regex": regex}}
    with suppress(cel.CelError):  # too large a pattern may be refused, too
        cel.compile("payload.text.matches(payload.regex)")(scope)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "regex", ["(?=a)b", "(?<=a)b", r"(a)\1", "(?>a)", "a{1001}", "((a{100}){100}){100}", "a" * 1_001]
)
def test_regular_expressions_that_are_not_linear_are_refused(regex: str) -> None:
    assert "pattern" in refused("'a'.matches(payload)", {"payload": regex}).message


BOMBS = {
    # texts that grow
    "text.map(a, payload.text + payload.text + payload.text + payload.text + payload.text)": "steps|larger",
    "payload.text.replace('a', payload.text)": "longer",
    "payload.text.replace('', payload.text)": "longer",
    "payload.many.map(x, payload.text).join('')": "longer",
    "payload.many.map(x, payload.text.replace('a', 'bb'))": "steps",
    "payload.many.map(x, payload.text + 'x')": "steps",
    "payload.many.map(x, encode(payload.text))": "steps",
    "payload.many.map(x, json(payload.text))": "steps",
    "payload.many.map(x, payload.text.split(''))": "steps|larger",
    "payload.many.map(x, payload.text.matches('(a|b)*a[ab]{90}c'))": "steps",
    "payload.many.map(x, 'a'.matches('x' + string(x)))": "steps",
    # references that multiply
    "payload.many.map(x, payload)": "larger",
    "json(payload.many.map(x, payload.many.map(y, payload.text)))": "larger|steps",
    "[" + ",".join(["payload"] * 300) + "]": "larger",
    "[payload,payload].map(a, [a,a]).map(b, [b,b]).map(c, [c,c,c,c,c,c,c,c,c,c]).map(d, [d,d,d,d,d,d])": "larger",
    "payload.many.map(x, payload.many).flatten().map(x, payload.many).flatten()": "steps|larger",
    "[" + ",".join(["lists.range(100000)"] * 100) + "].flatten().map(x, x)": "steps",
    # long texts that are equal, but not the same
    "payload.many.all(a, payload.many.all(b, payload.text == payload.twin))": "steps",
    "payload.many.all(a, payload.many.all(b, payload.text <= payload.twin))": "steps",
    "payload.many.all(a, payload.many.all(b, payload.text in [payload.twin]))": "steps",
    "payload.many.all(a, payload.many.all(b, [payload.text] == [payload.twin]))": "steps",
    "payload.many.all(a, payload.many.all(b, payload.text.startsWith(payload.twin)))": "steps",
    "payload.many.all(a, payload.many.all(b, max(payload.text, payload.twin) != ''))": "steps",
    "payload.many.all(a, payload.many.all(b, [payload.text, payload.twin].sort() != []))": "steps",
    "payload.many.all(a, payload.many.all(b, [payload.text, payload.twin].distinct() != []))": "steps",
    "payload.many.all(a, payload.many.all(b, [0, 1].sortBy(i, [payload.text, payload.twin][i]) != []))": "steps",
    "payload.many.all(a, encode(payload.odd) != '')": "steps|longer",
    "payload.many.all(a, payload.odd.lowerAscii() != '')": "steps",
    # loops
    "payload.many.map(a, payload.many.map(b, payload.many.map(c, 1)))": "steps",
    "payload.many.all(a, payload.many.all(b, payload.many.all(c, true)))": "steps",
    "payload.many.exists(a, payload.many == [1] || payload.many.exists(b, b == -1))": "steps",
    "payload.many.filter(a, a in payload.many).filter(a, a in payload.many).size() == 0": "steps",
    "payload.many.all(a, payload.many == payload.copy)": "steps",
    "payload.many.map(a, payload.many.sort())": "steps",
    "payload.many.map(a, [a]).distinct()": "steps",
    "payload.many.map(a, payload.wrong.x)": "no field",
    "payload.many.exists(a, payload.nothing == 1)": "no field",
}


LARGE = (
    "max(payload.n)", "sum(payload.n)", "payload.n.sort()", "payload.t.sort()", "payload.t.distinct()",
    "payload.n.map(x, math.round(x, 2))", "payload.n.map(x, string(x))", "payload.t.map(x, x + 'a')",
    "payload.t.all(x, x.matches('^t[0-9]+$'))", "payload.m.map(x, default(x.b, 0))", "json(payload.m)",
    "payload.m.exists(x, x.b == 1)", "payload.n.map(x, [x, x])", "payload.l.map(x, x + x)", "json(payload.n)",
    "payload.t.filter(x, x > 'a')", "payload.n.sortBy(x, -x)", "payload.n.map(x, timestamp(x)).size()",
    "payload.l.filter(x, x == x)", "lists.range(100000).map(x, lists.range(3))", "payload.m.map(x, json(x))",
)  # fmt: skip


@pytest.fixture(scope="module")
def large() -> dict[str, Any]:
    numbers = [place * 1.2345 for place in range(200_000)]
    texts = [f"t{place * 7919 % 1_000_003}" for place in range(200_000)]
    found = {"n": numbers, "t": texts, "m": [{"a": one} for one in numbers], "l": [[1, 2]] * 200_000}
    return {"payload": found}


@pytest.mark.parametrize("text", LARGE)
def test_large_lists_hold_the_loop_for_a_blink(text: str, large: dict[str, Any]) -> None:
    """About 50 ms; three times that before it is an error, since other things run on this machine."""
    expression, best = cel.compile(text), 9.0
    for _ in range(3):
        started = time.process_time()
        with suppress(cel.CelLimit):
            expression(large)
        best = min(best, time.process_time() - started)
    assert best < 0.15


def test_the_cases_of_a_branch_share_their_steps(large: dict[str, Any]) -> None:
    case, left = (cel.compile("payload.n.exists(x, x < 0)"), "never"), [2 * MAX_STEPS]
    assert cel.decide([], "else", large, left) == "else"
    assert cel.decide([(cel.compile("payload.n[0] == 0"), "first"), case], "else", large, left) == "first"
    some = {"payload": {"n": large["payload"]["n"][:40_000]}}
    assert cel.decide([case, case], "else", some, left) == "else"
    with pytest.raises(cel.CelLimit):
        cel.decide([case] * 4, "else", some, left)


@pytest.fixture(scope="module")
def fuel() -> dict[str, Any]:
    many = list(range(3_000))
    texts = {"text": "a" * 100_000, "twin": "".join(["a"] * 100_000), "odd": "Ä/" * 50_000}
    return {"payload": {**texts, "many": many, "copy": list(many), "wrong": 1}, "text": many}


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:40])
def test_bombs_do_not_go_off(text: str, fuel: dict[str, Any]) -> None:
    expression = cel.compile(text)
    started = time.process_time()
    with pytest.raises(cel.CelError, match=BOMBS[text]):
        expression(fuel)
    assert time.process_time() - started < 1
    tracemalloc.start()
    try:
        with suppress(cel.CelError):
            expression.within(fuel, MAX_STEPS // 4)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * MAX_SIZE  # of a quarter of the steps, since tracing is slow


@pytest.mark.parametrize(
    "text",
    ["payload * payload", "payload + 1.5", "payload == 1.5 || payload / 2 > 1", "string(payload)", "int(payload) > 0",
     "double(payload) > 0", "math.sqrt(payload) > 0", "math.pow(payload, payload)", "math.round(payload, 3) + 1",
     "timestamp(payload)", "duration(payload)", "lists.range(payload)", "'a'.substring(payload)", "[1][payload]",
     "payload % 7.5", "[payload, payload].sum()", "-payload"],
)  # fmt: skip
def test_huge_whole_numbers_are_refused_wherever_they_come_from(text: str) -> None:
    refused(text, {"payload": 10**4_000})


def test_numbers_in_texts_are_short() -> None:
    for call in ("int", "double", "duration", "timestamp", "bool"):
        started = time.process_time()
        refused(f"{call}(payload)", {"payload": "9" * 1_000_000})
        assert time.process_time() - started < 0.2
    refused("parseJson(payload)", {"payload": "9" * 100_000})


def test_what_may_have_been_meant_is_only_looked_for_when_somebody_asks() -> None:
    fields = {f"field{n}": n for n in range(5_000)}
    scope = {"payload": list(range(5_000)), "vars": fields}
    started = time.process_time()
    assert cel.compile("payload.exists(x, vars.feild == x || x == 4999)")(scope) is True
    assert time.process_time() - started < 0.5


def test_the_budget_is_not_absorbed_by_or() -> None:
    slow = "payload.all(a, payload.all(b, payload.all(c, true)))"
    for text in (
        f"{slow} || true",
        f"!({slow} && false)",
        f"[1].exists(x, {slow} || true)",
        f"default({slow}, 1) == 1",
    ):
        assert "steps" in refused(text, {"payload": list(range(200))}).message


# -- the code itself


def test_the_language_has_no_way_to_python() -> None:
    """No eval, no getattr, no imports by name, no str.format on what comes in."""
    forbidden = ("eval(", "exec(", "getattr(", "__import__", ".format(", "format_map", "importlib", "pickle")
    for path in [*(ROOT / "bundles").glob("cel*.py"), ROOT / "bundles" / "template.py"]:
        found = [word for word in forbidden if word in path.read_text()]
        assert not found, path.name


def test_patterns_that_fail_write_nothing_to_the_log() -> None:
    code = "from bundles import cel\ntry: cel.compile(\"'a'.matches('(')\")\nexcept cel.CelError: print('refused')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert (done.stdout, done.stderr) == ("refused\n", "")
