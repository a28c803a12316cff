"""The documentation: every page renders, every link leads somewhere, everything that can be written or set is in it."""

import argparse
import json
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from textwrap import indent

import pytest
import wasmtime
from django.apps import apps
from django.conf import settings
from django.core.management import load_command_class
from django.test import Client
from django.urls import Resolver404, get_resolver, resolve

from bundles import (
    bundle,
    cel,
    celdocs,
    celerror,
    checks,
    flow,
    promptlint,
    prompttest,
    template,
    values,
)
from bundles.flowfields import KEPT
from bundles.flowkinds import BUILTINS
from bundles.interceptorkinds import KINDS
from bundles.promptparams import TYPES
from bundles.prompttest import CHECKS
from bundles.schema import FLOW_TABLES, PROMPT_TABLES, TABLES
from bundles.service import SERVICE_FIELDS
from bundles.wasmfile import inspect
from bundles.wasmimports import PRIOSTACK
from priostack import docs
from priostack.api import api
from runtime import hostcalls, wasmtrap
from runtime.wasm import Guest, HostCall, engine

ROOT = Path(settings.BASE_DIR)
OURS = ("billing", "bundles", "market", "runtime", "priostack")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Where TABLES' blocks are described in yaml.md.
SECTIONS = {
    "bundle.yaml": "bundle.yaml",
    "services[]": "An entry of services",
    "wasm[], flows[], prompts[]": "An entry of wasm, flows or prompts",
    "http": "http",
    "service": "service",
    "goals[]": "A goal",
    "metrics[]": "A metric",
    "intents[]": "An intent",
    "api": "api",
    "endpoints[]": "An endpoint",
    "resourceContract": "resourceContract",
}
TESTS = {
    "A file": checks.FILE_FIELDS,
    "A test": checks.CHECK_FIELDS,
    "A request": checks.REQUEST_FIELDS,
    "What is expected": checks.EXPECT_FIELDS,
}


@cache
def text(slug: str) -> str:
    return (docs.FOLDER / f"{slug}.md").read_text(encoding="utf-8")


def section(slug: str, heading: str) -> str:
    found = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#|\Z)", text(slug), re.MULTILINE | re.DOTALL)
    assert found, f"{slug}.md has no heading {heading!r}"
    return found[2]


def blocks(language: str) -> Iterator[tuple[str, str]]:
    for slug in docs.PAGES:
        yield from ((slug, code) for kind, code in FENCE.findall(text(slug)) if kind == language)


# -- pages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", docs.PAGES)
def test_a_stranger_reads_every_page(slug: str, client: Client) -> None:
    answer = client.get("/docs" if slug == "index" else f"/docs/{slug}")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert html.count("<h1") == 1
    assert " style=" not in html
    assert 'aria-current="page"' in html


def test_every_file_has_its_place_in_the_contents() -> None:
    assert {path.stem for path in docs.FOLDER.glob("*.md")} == set(docs.PAGES)


def test_an_unknown_page_is_not_found(client: Client) -> None:
    assert client.get("/docs/nothing").status_code == 404
    assert client.get("/docs/..%2f..%2fREADME").status_code == 404


def test_html_in_markdown_stays_text() -> None:
    html, _ = docs.render("# A <b>x</b>\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))")
    assert "<script" not in html
    assert "<b>" not in html
    assert "href" not in html


def test_headings_have_anchors_of_their_own() -> None:
    _, headings = docs.render("# One\n\n## Same\n\n## Same\n\n### no_capacity `x`")
    assert [heading.anchor for heading in headings] == ["one", "same", "same-2", "no_capacity-x"]


def test_columns_are_aligned_by_classes() -> None:
    html, _ = docs.render("| a | b |\n|---|---:|\n| 1 | 2 |")
    assert '<td class="text-right">2</td>' in html
    assert "style" not in html


def test_code_is_coloured_by_classes() -> None:
    html, _ = docs.render('```yaml\nname: "x"\n```\n\n```unknown\n<&>\n```')
    assert '<span class="nt">name</span>' in html
    assert "&lt;&amp;&gt;" in html


@pytest.mark.parametrize("slug", docs.PAGES)
def test_every_link_leads_somewhere(slug: str) -> None:
    shown = docs.page(slug)
    assert shown
    for address in map(unescape, re.findall(r'<a href="([^"]+)"', shown.html)):
        path, _, anchor = (f"/docs/{slug}{address}" if address[0] == "#" else address).partition("#")
        if path.startswith("/docs"):
            other = docs.page(path.removeprefix("/docs").strip("/") or "index")
            assert other, address
            assert not anchor or anchor in {heading.anchor for heading in other.headings}, address
        elif path.startswith("/"):
            resolve(path)
        else:
            assert address.startswith("https://"), address


def test_the_errors_that_a_call_may_have_are_explained() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "runtime").glob("*.py"))
    kinds = {kind for kind, _ in wasmtrap._KINDS.values()} | set(re.findall(r'Trap\("(\w+)"', sources))
    called = (ROOT / "runtime" / "call.py").read_text()
    named = set(re.findall(r'(?:failed|problem_reply)\(\s*\d+, "([a-z-]+)"', called))
    wanted = {kind.replace("_", "-") for kind in kinds - {"fuel"}} | named | {"no_capacity", "queue_timeout"}
    page = docs.page("errors")
    assert page
    assert len(named) > 4
    assert wanted <= {heading.anchor for heading in page.headings}


# -- everything is described ------------------------------------------------------------------------------


@pytest.mark.parametrize("block", TABLES)
def test_every_field_is_described_with_its_block(block: str) -> None:
    described = section("yaml", SECTIONS[block])
    for field in TABLES[block].values():
        row = re.search(rf"^\| `{field.name}` \| (.*?) \| (.*) \|$", described, re.MULTILINE)
        assert row, f"{block}: {field.name}"
        assert row[2].replace("\\|", "|") == field.meaning
        assert ("required" in row[1]) == field.required
    assert described.count("\n| `") == len(TABLES[block]), f"{block}: a field is described that is not there"


@pytest.mark.parametrize("heading", FLOW_TABLES)
def test_every_field_of_a_flow_file_is_described(heading: str) -> None:
    described = section("flows", heading)
    rows = [field for field in FLOW_TABLES[heading].values() if field.meaning != KEPT]
    for field in rows:
        row = re.search(rf"^\| `{field.name}` \| (.*?) \| (.*) \|$", described, re.MULTILINE)
        assert row, f"{heading}: {field.name}"
        assert row[2].replace("\\|", "|") == field.meaning
        assert ("required" in row[1]) == field.required
        assert all(f"`{choice}`" in row[1] for choice in field.choices)
    assert described.count("\n| `") == len(rows), f"{heading}: a field is described that is not there"
    assert all(f"`{name}`" in described for name in FLOW_TABLES[heading])


@pytest.mark.parametrize("heading", PROMPT_TABLES)
def test_every_field_of_a_prompt_is_described(heading: str) -> None:
    described = section("prompts", heading)
    for field in PROMPT_TABLES[heading].values():
        row = re.search(rf"^\| `{field.name}` \| (.*?) \| (.*) \|$", described, re.MULTILINE)
        assert row, f"{heading}: {field.name}"
        assert row[2] == field.meaning
        assert ("required" in row[1]) == field.required


def test_every_code_type_and_check_of_prompts_is_described() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "bundles").glob("prompt*.py"))
    codes = set(re.findall(r'(?:error|warning|say)\(\s*[^"]*?"([A-Z][A-Z_]+)"', sources))
    assert len(codes) > 20
    assert codes <= set(re.findall(r"^\| `([A-Z_]+)` \|", text("prompts"), re.MULTILINE))
    assert all(f"`{word}`" in text("prompts") for word in (*TYPES, *CHECKS))


def test_the_prompts_of_the_page_compile_and_their_tests_pass() -> None:
    main, tests = (code.encode() for slug, code in blocks("prmd") if slug == "prompts")
    files = {"prompts/review.prmd": main, "prompts/x.test.prmd": tests, "systems/reviewer.md": b"Review."}
    assert not promptlint.check(files, "prompts/review.prmd")
    assert [one.passed for one in prompttest.run_tests(files)] == [True]
    for _, code in blocks("prmd"):
        assert all(
            one.code == "FILE_NOT_FOUND" for one in promptlint.check({"a.prmd": code.encode()}, "a.prmd")
        )


@pytest.mark.parametrize("kind", BUILTINS)
def test_every_builtin_is_described_with_its_keys(kind: str) -> None:
    described, options = section("flows", f"builtin:{kind}"), BUILTINS[kind].options
    for key in options.values():
        row = re.search(rf"^\| `{key.name}` \| (.*?) \| (.*) \|$", described, re.MULTILINE)
        assert row, f"{kind}: {key.name}"
        assert row[2].startswith(key.help)
        assert ("required" in row[1]) == key.required
    assert described.count("\n| `") == len(options)


@pytest.mark.parametrize("heading", TESTS)
def test_every_field_of_declared_tests_is_described(heading: str) -> None:
    for field in TESTS[heading].values():
        assert f"| `{field.name}` |" in section("yaml", heading)


@pytest.mark.parametrize("kind", KINDS)
def test_every_interceptor_is_described_with_its_options(kind: str) -> None:
    described, options = section("interceptors", "Your own" if kind == "wasm" else kind), KINDS[kind].options
    assert KINDS[kind].help in described
    for option in options.values():
        row = re.search(rf"^\| `{option.name}` \| (.*?) \| (.*) \|$", described, re.MULTILINE)
        assert row, f"{kind}: {option.name}"
        assert row[2] == option.meaning
        assert ("required" in row[1]) == option.required
        assert all(f"`{choice}`" in row[1] for choice in option.choices)
    assert described.count("\n| `") == len(options)


def in_table(text: str) -> str:
    return text.replace("|", "\\|")


@pytest.mark.parametrize("row", celdocs.rows(), ids=lambda row: row["name"])
def test_every_name_and_function_of_expressions_is_described(row: celdocs.Row) -> None:
    described = section("expressions", row["group"])
    assert f"\n| `{in_table(row['signature'])}` | {in_table(row['doc'])} |\n" in described


def test_every_operator_is_described_and_every_limit_is_true() -> None:
    for operator, meaning in celdocs.OPERATORS:
        assert f"\n| `{in_table(operator)}` | {meaning} |\n" in section("expressions", "Operators")
    limits = section("expressions", "Limits")
    for name in ("MAX_SOURCE", "MAX_NESTING", "MAX_DEPTH", "MAX_STEPS", "MAX_SIZE", "MAX_LEVELS"):
        assert re.search(rf"\b{getattr(celerror, name):,}\b", limits), name
    assert f"{template.MAX_HOLES} expressions" in limits


def test_the_examples_of_expressions_have_these_values() -> None:
    shown = section("expressions", "Examples")
    payload = re.search(r"^With a payload of `(.*)`:$", shown, re.MULTILINE)
    examples = re.findall(r"^\| `(.*)` \| `(.*)` \|$", shown, re.MULTILINE)
    assert payload
    assert len(examples) > 8
    for expression, wanted in examples:
        found = cel.compile(expression.replace("\\|", "|"))({"payload": json.loads(payload[1])})
        assert json.dumps(found) == wanted


def environment() -> Iterator[str]:
    read = re.compile(r"""\benv\.[a-z]+\(\s*"(\w+)\"""")
    for folder in OURS:
        for path in (ROOT / folder).rglob("*.py"):
            yield from read.findall(path.read_text())
    yield from re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text())
    for path in (ROOT / "scripts").glob("*.py"):
        yield from re.findall(r'environ\.get\("(PRIOSTACK_\w+)"', path.read_text())


def test_every_setting_is_described() -> None:
    names = set(environment())
    assert {"PRIOSTACK_PORT", "DATABASE_URL", "POSTGRES_PASSWORD"} <= names
    assert [name for name in sorted(names) if f"`{name}`" not in text("settings")] == []


def commands() -> list[tuple[str, str]]:
    folders = [(app, Path(apps.get_app_config(app).path) / "management" / "commands") for app in OURS]
    return [(app, path.stem) for app, folder in folders for path in sorted(folder.glob("[a-z]*.py"))]


@pytest.mark.parametrize(("app", "name"), commands())
def test_every_command_is_described_with_its_options(app: str, name: str) -> None:
    described = section("commands", name)
    parser = argparse.ArgumentParser()
    load_command_class(app, name).add_arguments(parser)
    options = [option for action in parser._actions for option in action.option_strings]
    assert [o for o in options if o.startswith("--") and o != "--help" and f"`{o}" not in described] == []


def test_every_operation_is_described_and_no_other() -> None:
    paths = api.get_openapi_schema()["paths"]
    there = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs}
    assert set(re.findall(r"^\| `([A-Z]+ /api/\S+)`", text("rest"), re.MULTILINE)) == there


def test_every_parameter_of_an_operation_is_described() -> None:
    for path, verbs in api.get_openapi_schema()["paths"].items():
        for verb, operation in verbs.items():
            row = next(line for line in text("rest").splitlines() if f"`{verb.upper()} {path}`" in line)
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    assert f"`{parameter['name']}`" in row, row


def test_every_host_function_is_described_with_its_types_and_price() -> None:
    listed = section("host", "Host functions")
    priced = section("host", "Metering")
    for name, signature in PRIOSTACK.items():
        row = re.search(rf"^\| `{name}` \| `\((.*?)\)(?: -> (\w+))?` \|", listed, re.MULTILINE)
        assert row, name
        assert tuple(re.findall(r": (\w+)", row[1])) == signature.params, name
        assert tuple(filter(None, (row[2],))) == signature.results, name
        price = re.search(rf"^\|[^|]*`{name}`[^|]*\| ([\d,]+) \|", priced, re.MULTILINE)
        assert price, name
        assert int(price[1].replace(",", "")) == hostcalls.TARIFF[name]


def test_every_metric_is_described() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "runtime").glob("*.py"))
    families = set(re.findall(r'MetricFamily\(\s*"(priostack_\w+)"', sources))
    families |= {f"priostack_{name}" for name in re.findall(r'\bgauge\("(\w+)"', sources)}
    assert len(families) > 8
    described = section("operations", "Metrics")
    assert [name for name in sorted(families) if f"`{name}" not in described] == []


def test_the_proxy_example_knows_every_path_of_the_platform() -> None:
    first = {str(pattern.pattern).split("/")[0] for pattern in urls()} - {"", "metrics"}
    known = set(re.search(r"location ~ \^/\(([^)]+)\)", text("operations"))[1].split("|"))  # type: ignore[index]
    assert first <= known | {"docs"}
    for segment in known - {"static", "webhooks", "accounts", "runs"}:
        try:
            resolve(f"/{segment}")
        except Resolver404:
            assert any(str(pattern.pattern).startswith(f"{segment}/") for pattern in urls()), segment


def urls() -> Iterator[object]:
    for pattern in get_resolver().url_patterns:
        nested = getattr(pattern, "url_patterns", None)
        if nested and not str(pattern.pattern):
            yield from nested
        else:
            yield pattern


# -- examples are right -----------------------------------------------------------------------------------


def errors(files: dict[str, bytes]) -> list[str]:
    return [problem.message for problem in bundle.load(files).problems if problem.severity == "error"]


def as_bundle(root: values.Mapping, code: str) -> dict[str, bytes] | None:
    """The bundle that an example is, or is a part of; None when it is something else."""
    fields = root.entries.keys()
    if "services" in fields and fields & {"name", "bundle"}:
        named = re.findall(r"- path: (\S+)", code)
        return {"bundle.yaml": code.encode()} | {path: b"name: " + path.encode()[:3] for path in named}
    if fields <= {"services"}:
        return {"bundle.yaml": b"name: x\n" + code.encode()}
    if "name" in fields and fields <= SERVICE_FIELDS.keys():
        return {"bundle.yaml": b"name: x\nservices: [{path: s.yaml}]\n", "s.yaml": code.encode()}
    return None


def as_flow(root: values.Node, code: str) -> str | None:
    """The flow that an example is, or whose listeners it shows; None when it is something else."""
    if isinstance(root, values.Mapping):
        return code if "organism" in root.entries and "listeners" in root.entries else None
    first = root.items[0] if isinstance(root, values.Sequence) and root.items else None
    is_node = isinstance(first, values.Mapping) and first.entries.keys() & {"handler", "agent"}
    return f"organism: {{name: x}}\nmemory: 1KiB\nlisteners:\n{indent(code, '  ')}" if is_node else None


def syntax_errors(code: str) -> list[str]:
    """Without those about nodes that a part of a flow leaves out."""
    found = flow.load("x", "flows/x.yaml", {"flows/x.yaml": code.encode()}).problems
    return [one.message for one in found if one.severity == "error" and "no listener" not in one.message]


def test_every_yaml_example_loads_without_an_error() -> None:
    seen = 0
    for slug, code in blocks("yaml"):
        root = values.parse(code.encode(), file=slug).root
        assert root is not None, code
        if (text := as_flow(root, code)) is not None:
            assert syntax_errors(text) == [], code
        elif isinstance(root, values.Sequence):
            found = checks.read({"tests/x.yaml": code.encode()})
            assert found.checks
            assert not found.problems
        elif isinstance(root, values.Mapping) and (files := as_bundle(root, code)):
            seen += 1
            assert errors(files) == [], code
    assert seen >= 15


def test_every_json_example_is_json() -> None:
    for _, code in blocks("json"):
        for part in code.split("\n\n"):
            json.loads(part)


def test_the_wat_example_answers() -> None:
    (_, code), *rest = blocks("wat")
    data = bytes(wasmtime.wat2wasm(code))
    assert not rest
    assert inspect(data).interface == "plain-i64"
    call = HostCall("x", 0)
    assert Guest.compile(engine(), data).call("hello", b"{}", call).body == b'{"hello":"world"}'
    assert call.logs == [("info", "asked")]


def test_the_assemblyscript_example_is_the_one_of_the_example_bundle() -> None:
    code = next(code for page, code in blocks("ts") if page != "code")
    assert code in (ROOT / "examples" / "ecommerce" / "README.md").read_text()


def test_the_function_of_the_docs_is_the_one_that_the_editor_begins_with() -> None:
    template = (ROOT / "static" / "canvas" / "code" / "template.ts").read_text()
    assert [code in template for page, code in blocks("ts") if page == "code"] == [True]
