"""Whatever is in the files and whatever is given: an answer, problems with places, and never an exception."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import prompttest
from bundles.promptcheck import check
from bundles.promptcompile import FORMATS, prepare
from bundles.promptlint import check as lint
from bundles.promptschema import json_schema
from tests.bundles.promptsamples import HEAD

PATH = "prompts/x.prmd"
FIELDS = [
    "inherits: ./b.prmd", "inherits: '@n/p@1.0.0/b.prmd'", "inherits: [1]", "using: '@n/p@1.0.0'",
    "using: [{name: '@n/p@1.0.0', prefix: p}]", "using: {a: {prefix: b}}", "using: [[1], {prefix: x}, 3]",
    "override: {a: null, b: b.txt}", "override: {a: 1}", "override: x", "context: [b.txt, b.py]", "context: b.txt",
    "context: {a: 1}", "system: ./b.txt", "system: [b.txt, none]", "system: {}", "user: yes", "output: 3",
    "parameters: [a, {name: b, type: integer, default: 1}]", "parameters: {a: {type: array, items: {enum: [x]}}}",
    "parameters: [{name: c, properties: {d: {required: true}}, type: object}]", "parameters: 3", "parameters: [[]]",
    "parameters: [{name: a, pattern: '('}]", "temperature: x", "tests: [{assert: [{check: contains}]}, 3]",
    "target: ./x.prmd", "id: y", "version: 1", "? [a]", "a: &x [1]\nb: *x", "\t", "- x", "---",
]  # fmt: skip
BODIES = [
    "# A", "# User", "text", "{{ a }}", "{{ b + 1 }}", "{a}", "{% if a %}", "{% endif %}", "{% for x in a %}",
    "{% endfor %}", "{% include 'b.txt' %}", "{% include a %}", "[file:b.py]", "[file:none]", "@p/b.txt", "```py",
    "```", "<!-- section-id: a -->", "\n", "{#", "#}", "{% raw %}", "---", "\ue000system\ue001", "é😀",
]  # fmt: skip
FILES = {
    "prompts/b.prmd": f"---\n{HEAD}parameters: [z]\n---\n# B\n\n{{{{ z }}}}".encode(),
    "prompts/b.txt": b"Text {{ a }}",
    "prompts/b.py": b"x = 1",
    "p/prompd.json": b'{"name": "@n/p", "version": "1.0.0"}',
    "p/b.prmd": b"no front",
    "p/b.txt": b"T",
}
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
params = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "z", "__proto__"]), json_values, max_size=4)
heads = st.lists(st.sampled_from(FIELDS), max_size=4)
bodies = st.lists(st.sampled_from(BODIES), max_size=10)


@settings(max_examples=150, deadline=None)
@given(heads, bodies, params)
def test_every_prompt_has_an_answer(head: list[str], body: list[str], values: dict[str, Any]) -> None:
    data = f"---\n{HEAD}" + "".join(f"{line}\n" for line in head) + "---\n" + "\n".join(body)
    files = FILES | {PATH: data.encode(), "prompts/x.test.prmd": data.encode()}
    prepared = prepare(files, PATH)
    for form in FORMATS:
        compiled = prepared.render(values, form)
        json.dumps(compiled.json()).encode()
        assert all(problem.line >= 1 and problem.column >= 1 for problem in compiled.problems)
    assert all(problem.file in files for problem in lint(files, PATH))
    json.dumps(json_schema(prepared.parameters))
    for texts in (False, True):
        assert check(prepared.parameters, values, texts=texts) is not None
    prompttest.run_tests(files)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"", b"---\n", f"---\n{HEAD}".encode()]))
def test_any_bytes_are_a_prompt_or_a_problem(data: bytes, start: bytes) -> None:
    prepared = prepare({PATH: start + data}, PATH)
    assert prepared.prompt.usable or prepared.problems
    prepared.render({})
