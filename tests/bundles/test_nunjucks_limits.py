"""Templates of strangers: whatever they do, a rendering ends soon, stays small and sees only its values."""

import copy
import time
from typing import Any

import pytest

from bundles.nunjucks import Limits, Template, TemplateError

SECONDS = 12.0  # the default limit is 5, and the machine may be busy; far less is usual
FEWER = Limits(steps=200_000)


def refused(source: str, values: dict[str, Any] | None = None, **limits: Any) -> str:
    """The message of the refusal; the values are as they were, and it took no longer than allowed."""
    given = values or {}
    before, start = copy.deepcopy(given), time.monotonic()
    with pytest.raises(TemplateError) as caught:
        Template.parse(source, "t.prmd").render(given, limits=Limits(**limits))
    assert time.monotonic() - start < SECONDS
    assert given == before
    return caught.value.message


def outcome(source: str, **values: Any) -> str:
    """The message of the refusal, if there was one."""
    try:
        Template.parse(source).render(values, limits=FEWER)
    except TemplateError as wrong:
        return wrong.message
    return ""


def rendered(source: str, **values: Any) -> str:
    return Template.parse(source).render(values)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(1000000000) %}x{% endfor %}",
        "{{ range(0, 1000000000000) | length }}",
        "{{ range(0, 1, 0.0000000001) | length }}",
        "{{ range(10, 0, -0.0000001) | length }}",
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        "{% for i in range(9999) %}{% for j in range(9999) %}{{ i ~ j }}{% endfor %}{% endfor %}",
        "{% for c in {length: 1000000000000} %}x{% endfor %}",
        "{% set x = [1] %}{% for i in x %}{% set _ = x.push(i) %}{% endfor %}",
        "{{ [1,2,3] | batch(1000000000, 'x') }}",
        "{{ 'abc' | slice(1000000000) }}",
        "{{ [3,1,2] | slice(100000000, 'x') | length }}",
        "{% macro f(n) %}{{ g(n) }}{{ g(n) }}{% endmacro %}{% macro g(n) %}{% for i in range(9999) %}{{ i }}"
        "{% endfor %}{% endmacro %}{% for i in range(999) %}{{ f(i) }}{% endfor %}",
    ],
)
def test_loops_and_ranges_end_at_the_step_limit(source: str) -> None:
    assert "the template takes" in refused(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x'.repeat(1000000000000) }}",
        "{{ 'x'.repeat(9999999).repeat(9999999) }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ 'x'.padStart(1000000000000, 'yz') }}",
        "{{ 'x'.padEnd(99999999) }}",
        "{{ 'a\nb' | indent(999999999) }}",
        "{% set x = 'ab' %}{% for i in range(60) %}{% set x = x ~ x %}{% endfor %}{{ x }}",
        "{% set x = 'ab' %}{% for i in range(60) %}{% set x = x + x %}{% endfor %}",
        "{% set x = 'ab' %}{% for i in range(60) %}{% set x = x | replace('', x) %}{% endfor %}",
        "{% set x = 'ab' %}{% for i in range(60) %}{% set x = [x, x] | join(x) %}{% endfor %}",
        "{% set x = 'ab' %}{% for i in range(60) %}{% set x = (x | escape) ~ (x | urlencode) %}{% endfor %}",
        "{% set x = 'aa' %}{% for i in range(60) %}{% set x = x.replace(r/a/g, x) %}{% endfor %}",
        "{% set x = 'aa' %}{% for i in range(60) %}{% set x = x.split('a').join(x) %}{% endfor %}",
        "{% set x = 'aa' %}{% for i in range(60) %}{% set x %}{{ x }}{{ x }}{% endset %}{% endfor %}",
        "{% set x = [1] %}{% for i in range(60) %}{% set x = [x, x] %}{% endfor %}{{ x }}",
        "{% set x = [1] %}{% for i in range(60) %}{% set x = [x, x] %}{% endfor %}{{ x | tojson }}",
        "{% set x = [1] %}{% for i in range(60) %}{% set x = [x, x] %}{% endfor %}{{ x | dump }}",
        "{% set x = [1] %}{% for i in range(60) %}{% set x = [x, x] %}{% endfor %}{{ x.flat(99) }}",
        "{% set x = [1] %}{% for i in range(60) %}{% set x = x.concat(x) %}{% endfor %}{{ x | length }}",
        "{% set x = {a: 1} %}{% for i in range(60) %}{% set x = {a: x, b: x} %}{% endfor %}{{ x | tojson }}",
        "{% macro f(s) %}{{ s }}{{ s }}{% endmacro %}{% set x = 'a' %}"
        "{% for i in range(60) %}{% set x = f(x) %}{% endfor %}{{ x }}",
    ],
)
def test_texts_and_lists_cannot_grow_beyond_the_limits(source: str) -> None:
    message = refused(source)
    assert "characters" in message or "the template takes" in message


def test_the_output_has_its_own_limit() -> None:
    assert "output is longer" in refused("{% for i in range(99) %}0123456789{% endfor %}", output=500)
    assert "output is longer" in refused("{{ x }}", {"x": "y" * 501}, output=500)
    assert "output is longer" in refused("y" * 501, output=500)
    assert len(Template.parse("y" * 500).render({}, limits=Limits(output=500))) == 500


def test_steps_and_seconds_can_be_given() -> None:
    assert "100 steps" in refused("{% for i in range(99) %}{{ i }}{% endfor %}", steps=100)
    start = time.monotonic()
    message = refused(
        "{% for i in range(9999) %}{% for j in range(9999) %}{{ i }}{% endfor %}{% endfor %}",
        steps=10**9,
        seconds=0.2,
    )
    assert "0.2 s" in message
    assert time.monotonic() - start < 4


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*$",
        "(a|aa)+$",
        "(.*)*x",
        "(a*)*b",
        "^(a?){40}a{40}$x",
        "(?=(a+)+b)",
        "(?<=(a+)+)c",
        r"(a+)\1+b",
    ],
)
def test_regexes_cannot_run_away(pattern: str) -> None:
    text = "a" * 5000 + "!"
    message = outcome("{{ x.replace(r/" + pattern + "/g, '') | length }}", x=text)
    assert not message or any(word in message for word in ("the template takes", "room", "too large"))


def test_making_regexes_costs() -> None:
    loop = "{% for i in range(99999) %}{{ x.search('(((a{2}){9}){9}){' ~ (i % 3) ~ '}' ~ i) }}{% endfor %}"
    assert "steps" in refused(loop, {"x": "b"}, seconds=60)
    with pytest.raises(TemplateError, match="regular expressions of more than"):
        Template.parse("{{ x.search(r/[a-z]+/) }}" * 1000)
    loop = "{% for i in range(99999) %}{{ x.split(r/((a{30}){10}b){9}/) }}{% endfor %}"
    assert "steps" in refused(loop, {"x": "b"}, seconds=60)


def test_regexes_that_are_too_large_are_refused() -> None:
    with pytest.raises(TemplateError, match="too large"):
        Template.parse("{{ x.search(r/(((a{99}){99}){99}){99}/) }}")
    with pytest.raises(TemplateError, match="nested too deeply"):
        Template.parse("{{ r/" + "(" * 200 + ")" * 200 + "/ }}")
    with pytest.raises(TemplateError, match="longer than"):
        Template.parse("{{ r/" + "a" * 2500 + "/ }}")


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("(", ")"),
        ("[", "]"),
        ("not ", ""),
        ("-", ""),
        ("{a: ", "}"),
        ("x[", "]"),
        ("f(", ")"),
        ("1 if 1 else (", ")"),
    ],
)
def test_deep_expressions_are_refused(opening: str, closing: str) -> None:
    for depth in (200, 50_000):
        with pytest.raises(TemplateError, match="nested"):
            Template.parse("{{ " + opening * depth + "1" + closing * depth + " }}")


@pytest.mark.parametrize(
    "tag", ["if x", "for x in y", "filter upper", "set x", "macro m()", "block b", "call m()"]
)
def test_deep_tags_are_refused(tag: str) -> None:
    end = tag.split()[0]
    with pytest.raises(TemplateError):
        Template.parse(f"{{% {tag} %}}" * 5000 + f"{{% end{end} %}}" * 5000)


def test_long_chains_are_fine_or_refused_but_never_a_crash() -> None:
    assert rendered("{{ " + " + ".join(["1"] * 5000) + " }}") == "5000"
    assert rendered("{{ " + " ~ ".join(["'a'"] * 5000) + " }}") == "a" * 5000
    assert rendered("{{ " + " or ".join(["0"] * 5000) + " }}") == "0"
    assert rendered("{% if 0 %}" + "{% elif 0 %}" * 3000 + "{% else %}x{% endif %}") == "x"
    for link in (".a", "[0]", "()", "|trim"):
        with pytest.raises(TemplateError, match="in a row"):
            Template.parse("{{ a" + link * 5000 + " }}")


def test_recursion_of_macros_and_includes_ends() -> None:
    assert "nested" in refused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")
    assert "nested" in refused(
        "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{{ f() }}"
    )
    itself = Template.parse("{% include 'x' %}")
    for source in (
        "{% include 'x' %}",
        "{% extends 'x' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
    ):
        itself = Template.parse(source)
        with pytest.raises(TemplateError, match="nested"):
            itself.render({}, include=lambda name, found=itself: found)  # type: ignore[misc]


def test_includes_that_double_end_at_a_limit() -> None:
    twice = {str(n): Template.parse(f"{{% include '{n + 1}' %}}" * 2) for n in range(35)}
    with pytest.raises(TemplateError, match="the template takes"):
        twice["0"].render({}, include=lambda name: twice.get(name, Template.parse("x")))


def test_values_that_hold_themselves_and_deep_values_are_refused() -> None:
    assert "nested" in refused("{% set x = [] %}{% set _ = x.push(x) %}{{ x }}")
    assert rendered("{% set x = [] %}{% set _ = x.push(x) %}{{ x | tojson }}") == "{}"
    assert "nested" in refused("{% set x = [] %}{% set _ = x.push(x) %}{{ x | dump }}")
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    for source in ("{{ x }}", "{{ x | dump }}", "{{ x.flat(10000) }}", "{{ x == 1 }}", "{% include 'x' %}"):
        with pytest.raises(TemplateError, match="nested"):
            Template.parse(source).render({"x": deep})
    assert rendered("{{ x | fromjson }}|", x="[" * 100_000) == "|"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "__class__",
            "__class__.__mro__",
            "__init__.__globals__",
            "__dict__",
            "__getattribute__",
            "__doc__",
        ),
        *("constructor", "constructor.constructor", "__proto__", "prototype", "constructor.prototype"),
        *("call", "apply", "bind", "__defineGetter__", "format", "encode", "__subclasses__", "keys", "items"),
        *("append", "clear", "update", "gi_frame", "func_globals", "__builtins__", "popitem", "setdefault"),
    ],
)
@pytest.mark.parametrize(
    "root", ["text", "items", "data", "number", "nothing", "range", "loop", "pattern", "safe"]
)
def test_nothing_of_the_host_can_be_reached(root: str, path: str) -> None:
    values = {"text": "abc", "items": [1], "data": {"a": 1}, "number": 5, "nothing": None}
    head = "{% set pattern = r/a/ %}{% set safe = text | safe %}"
    keys = "".join(f"['{part}']" for part in path.split("."))
    for source in (f"{head}{{{{ {root}.{path} }}}}", f"{head}{{{{ {root}{keys} }}}}"):
        assert Template.parse(source).render(values) == ""
    with pytest.raises(TemplateError, match="Unable to call"):
        Template.parse(f"{head}{{{{ {root}.{path}('return 1')() }}}}").render(values)


@pytest.mark.parametrize(
    "name",
    [
        "__builtins__",
        "__import__",
        "eval",
        "exec",
        "open",
        "globalThis",
        "process",
        "require",
        "Function",
        "self",
    ],
)
def test_names_that_were_not_given_are_undefined(name: str) -> None:
    assert rendered("{{ " + name + " }}|{{ " + name + " is defined }}") == "|false"


def test_values_are_data_and_never_read_as_templates() -> None:
    hostile = "{{ 7 * 7 }}{% set x = 1 %}{# #}{% include 'x' %}${7*7} %s {x.__class__} #{7*7} <%= 7*7 %>"
    assert rendered("{{ x }}", x=hostile) == hostile
    assert rendered("{{ [x] | join | trim }}", x=hostile) == hostile
    assert rendered("{{ 'a' | replace('a', x) }}", x=hostile) == hostile
    assert rendered("{{ 'a'.replace('a', y) }}", y="$& $$ {{ x }}") == "a $ {{ x }}"


def test_setting_names_of_prototypes_changes_nothing() -> None:
    source = (
        "{% set __proto__ = 5 %}{% set constructor = 6 %}{{ __proto__ }}{{ constructor }}{{ x.polluted }}"
    )
    assert rendered(source, x={}) == "56"
    assert rendered("{{ {'__proto__': {polluted: 1} }.polluted }}|{{ x.polluted }}", x={}) == "|"
    assert rendered('{{ \'{"__proto__": {"p": 1}}\' | fromjson | length }}{{ x.p }}', x={}) == "1"


def test_values_stay_as_they_were() -> None:
    values: dict[str, Any] = {"items": [3, 1, 2], "data": {"list": [1]}}
    source = (
        "{{ items.sort() }}{{ items.push(9) }}{{ items.reverse() }}{{ data.list.pop() }}{% set items = 1 %}"
    )
    assert Template.parse(source).render(values) == "1,2,349,3,2,11"
    assert values == {"items": [3, 1, 2], "data": {"list": [1]}}
    with pytest.raises(TemplateError):  # a changing method is only found where the template names it
        Template.parse("{{ items['pu' ~ 'sh'](1) }}").render(values)
    assert Template.parse("{{ items['pu\\sh'](1) }}").render(values) == "4"
    loader = {"x": Template.parse("{{ items.push(1) }}")}
    assert Template.parse("{% include 'x' %}{{ items }}").render(values, loader.get) == "43,1,2,1"
    assert values["items"] == [3, 1, 2]


def test_one_rendering_leaves_nothing_for_the_next() -> None:
    template = Template.parse(
        "{% set x = x + 1 %}{{ x }}{% macro m() %}{% set y = 1 %}{% endmacro %}{{ m() }}{{ y }}"
    )
    assert [template.render({"x": 1}) for _ in range(3)] == ["2", "2", "2"]


@pytest.mark.parametrize(
    "piece", ["{{a}}", "{{ [a,a,a,a,a,a,a] }}", "x {% if a %} y {% endif %}", "{% set a = 1 %}"]
)
def test_sources_of_many_tags_are_refused_soon(piece: str) -> None:
    start = time.monotonic()
    with pytest.raises(TemplateError, match="words"):
        Template.parse(piece * (2_000_000 // len(piece)))
    assert time.monotonic() - start < SECONDS


def test_sources_have_a_limit_and_reading_them_is_quick() -> None:
    with pytest.raises(TemplateError, match="longer than"):
        Template.parse("x" * 2_000_001)
    start = time.monotonic()
    for source in (
        "{#" * 200_000,
        "{%" * 200_000,
        "{{ '" + "\\" * 300_000,
        "{{ r/" + "\\/" * 99_999,
    ):
        with pytest.raises(TemplateError):
            Template.parse(source)
    assert time.monotonic() - start < SECONDS


@pytest.mark.parametrize(
    "source",
    [
        "{{ x | striptags | length }}",
        "{{ x | urlize | length }}",
        "{{ x | trim | length }}",
        "{{ x | wordwrap(5) | length }}",
        "{{ x | dedent | length }}",
        "{{ x | fromcsv | length }}",
        "{{ x | striptags(true) | length }}",
        "{{ x | truncate(9) }}",
        "{{ x | wordcount }}",
        "{{ x.split(r/\\s+$/) | length }}",
        "{{ x.replace(r/<[^>]*>/g, '') | length }}",
    ],
)
@pytest.mark.parametrize("unit", ["<a", "<", " ", "<!--", "a@a.", "a ", '"', "\n", "(", "<a>", "\t\n", "1,"])
def test_no_filter_is_slow_for_any_text(source: str, unit: str) -> None:
    start = time.monotonic()
    message = outcome(source, x=unit * 20_000)
    assert not message or "the template takes" in message
    assert time.monotonic() - start < SECONDS


@pytest.mark.parametrize(
    "source",
    [
        "{{ x.lastIndexOf('b' ~ x.slice(1000000)) }}",
        "{{ x.indexOf(x.slice(1000000) ~ 'b') }}",
        "{{ x.replace(r/a[^>]*>/g, '') | length }}",
        "{{ y.normalize('NFD').length }}",
        "{{ x | replace('a', 'bb') | length }}",
        "{{ x == x ~ '' }}{{ x < x ~ 'b' }}{{ x in x }}",
    ],
)
def test_no_method_is_slow_for_texts_of_a_megabyte(source: str) -> None:
    start = time.monotonic()
    message = outcome(source, x="a" * 2_000_000, y="a" + "\u0315\u0316" * 300_000)
    assert not message or "the template takes" in message
    assert time.monotonic() - start < SECONDS


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(9999) %}{{ z[i] }}{{ z.length }}{% endfor %}",
        "{% for k, v in z %}{{ v }}{% endfor %}",
        "{% set l = [] %}{% for i in range(9999) %}{% set _ = l.push(x) %}{% endfor %}"
        "{% for i in range(99) %}{{ y in l }}{{ l.indexOf(y) }}{{ l.includes(y) }}{% endfor %}",
        "{% set l = [] %}{% for i in range(999) %}{% set _ = l.push(x, 'a' ~ i) %}{% endfor %}{{ l | sort | length }}",
        "{% for i in range(9999) %}{{ x == y }}{{ x < y }}{% endfor %}",
    ],
)
def test_what_reads_long_texts_again_and_again_is_charged(source: str) -> None:
    start = time.monotonic()
    message = outcome(source, x="a" * 1_000_000, y="a" * 999_999 + "b", z="é😀" * 500_000)
    assert not message or "the template takes" in message
    assert time.monotonic() - start < SECONDS
