"""Templates read as Nunjucks reads them: a table of facts, the corpus's probes, and where errors are."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles.nunjucks import Limits, Template, TemplateError

HERE = Path(__file__).parent
PACKAGE = HERE.parent.parent / "bundles" / "nunjucks"
TABLE: dict[str, Any] = json.loads((HERE / "nunjucks_facts.json").read_text())
PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-",
    "if",
    "for",
    "in",
    "x",
    "|",
    "upper",
    "endif",
    "endfor",
    "set",
    "=",
]
PIECES += [
    "(",
    ")",
    "[",
    "]",
    ".",
    ",",
    '"',
    "'",
    "\\",
    "1",
    "not",
    "is",
    "raw",
    "endraw",
    "macro",
    "r/",
    "\n",
    " ",
    "é😀",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def rendered(source: str, **values: Any) -> str:
    return Template.parse(source).render(values)


def with_files(source: str) -> str:
    def include(name: str) -> Template | None:
        return Template.parse(TABLE["files"][name], name) if name in TABLE["files"] else None

    return Template.parse(source).render(TABLE["values"], include)


@pytest.mark.parametrize("fact", TABLE["facts"], ids=lambda fact: fact["template"][:60])
def test_templates_give_what_nunjucks_gives(fact: dict[str, Any]) -> None:
    if "output" in fact:
        assert with_files(fact["template"]) == fact["output"]
    else:
        with pytest.raises(TemplateError):
            with_files(fact["template"])


def test_the_probes_of_the_corpus_agree(corpus: Path) -> None:
    given = json.loads((corpus / "expected" / "nunjucks_probes.json").read_text())
    for probe in given["probes"]:
        assert Template.parse(probe["template"]).render(given["context"]) == probe["output"], probe["id"]


@pytest.mark.parametrize(
    ("source", "line", "column", "said"),
    [
        ("a\nb {{ x", 2, 7, "expected variable end"),
        ("{% if x %}\nb", 2, 2, "expected elif, else, or endif, got end of file"),
        ("\n\n  {% nope %}", 3, 6, "unknown block tag: nope"),
        ("{{ a b }}", 1, 6, "expected variable end"),
        ("text\n #}", 2, 2, "unexpected end of comment"),
        ("x\n{# y", 2, 1, "expected end of comment"),
        ("{% for x of y %}{% endfor %}", 1, 4, 'expected "in" keyword'),
        ("{{ [1 2] }}", 1, 4, "expected comma"),
        ("{% set %}x{% endset %}", 1, 8, "unexpected token: %}"),
        ("{{ r/(/ }}", 1, 4, "Unterminated group"),
        ("{% block a %}{% endblock %}\n{% block a %}{% endblock %}", 2, 4, "defined more than once"),
    ],
)
def test_a_source_that_cannot_be_read_says_where(source: str, line: int, column: int, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(source, "a.prmd")
    assert (caught.value.line, caught.value.column, caught.value.name) == (line, column, "a.prmd")
    assert said in caught.value.message
    assert str(caught.value).startswith(f"a.prmd:{line}:{column}: ")


def test_what_fails_while_rendering_says_where_and_in_which_file() -> None:
    part = Template.parse("one\n  {{ x.y() }}", "part.md")
    main = Template.parse("{% if true %}\n{% include 'part.md' %}\n{% endif %}", "main.md")
    with pytest.raises(TemplateError) as caught:
        main.render({"x": {}}, {"part.md": part}.get)
    assert (caught.value.name, caught.value.line, caught.value.column) == ("part.md", 2, 3)
    assert 'Unable to call `x["y"]`, which is undefined or falsey' in caught.value.message
    with pytest.raises(TemplateError, match=r"main\.md:2:4: template not found: part\.md"):
        main.render({"x": {}})


def test_unknown_filters_are_told_when_read_and_fail_when_used() -> None:
    template = Template.parse("{% if x %}\n{{ 1 | nosuch }}{{ 1 is strange }}{% endif %}ok")
    assert template.unknown == (("nosuch", 2), ("strange", 2))
    assert template.render({"x": False}) == "ok"
    with pytest.raises(TemplateError, match="filter not found: nosuch"):
        template.render({"x": True})


def test_whole_numbers_of_any_size_print_as_doubles() -> None:
    assert rendered("{{ x }} {{ x + 1 }} {{ x | tojson }}", x=10**25) == "1e+25 1e+25 1e+25"
    assert rendered("{{ x }}", x=2**53 + 1) == "9007199254740992"
    assert rendered("{{ x }} {{ -x }} {{ x | tojson }}", x=10**400) == "Infinity -Infinity null"
    assert rendered("{{ x }} {{ x == x }} {{ x or 'no' }}", x=float("nan")) == "NaN false no"
    assert rendered("{{ x }}", x=-0.0) == "0"


def test_half_characters_never_leave() -> None:
    assert rendered("{{ x[0] }}{{ x[1] }}", x="😀") == "😀".encode("utf-16", "surrogatepass").decode("utf-16")
    assert rendered("{{ x[0] }}", x="😀") == "\ufffd"
    assert rendered("{{ x | list | join('') }}{{ x | length }}", x="😀") == "😀2"
    assert rendered("{{ x }}", x="\ud83d") == "\ufffd"


def test_what_chance_decides_stays_within_its_bounds() -> None:
    assert sorted(rendered("{{ x | shuffle }}", x=[1, 2, 3]).split(",")) == ["1", "2", "3"]
    assert rendered("{{ x | sample }}", x=["a"]) == "a"
    assert len(rendered("{{ x | sample(2) | join }}", x=["a", "b", "c"])) == 2
    assert rendered("{{ x | sample(9) | length }} {{ 'no' | shuffle }}", x=[1, 2]) == "2 "
    assert rendered("{{ x | random }}", x=["a"]) == "a"
    assert rendered("{{ [] | random }}|") == "|"


def test_a_template_renders_again_and_again_and_side_by_side() -> None:
    template = Template.parse("{% for i in x %}{{ loop.index }}{{ i }}{% else %}none{% endfor %}")
    assert [template.render({"x": x}) for x in (["a"], [], "bc", ["a"])] == ["1a", "none", "1b2c", "1a"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), VALUES)
def test_any_text_is_a_template_or_an_error(source: str, value: Any) -> None:
    try:
        assert isinstance(Template.parse(source).render({"x": value}, limits=Limits(steps=20_000)), str)
    except TemplateError as wrong:
        place = (wrong.line, wrong.column)
        assert min(place) >= 1


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_any_value_prints_and_goes_through_json(value: Any) -> None:
    text = rendered("{{ x }}{{ x | length }}{{ x ~ x }}{{ x == x }}{{ [x] | join }}", x=value)
    assert text.encode()
    assert rendered("{{ x | tojson | fromjson | tojson }}", x=value) == rendered("{{ x | tojson }}", x=value)


def test_the_package_needs_the_standard_library_only() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                name = (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
                top = name.split(".")[0]
                assert (
                    name.startswith("bundles.nunjucks")
                    or name == "__future__"
                    or top in sys.stdlib_module_names
                )
                assert top not in {"socket", "subprocess", "os", "importlib", "ctypes", "pickle"}, path.name
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            assert called not in {"eval", "exec", "compile", "__import__", "open"}, f"{path.name}: {called}"


def test_django_is_not_loaded_by_the_package() -> None:
    code = "import sys, bundles.nunjucks; assert not [name for name in sys.modules if name.split('.')[0] == 'django']"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGE.parent.parent, timeout=60)
