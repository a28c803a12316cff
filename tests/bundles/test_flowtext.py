"""A flow written as YAML loads into the same flow, from whatever file it came."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bundles import flow, flowtext
from bundles.flow import Flow, Listener
from tests.bundles.flowsamples import FILE, ORDERS, load

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"


def nowhere(one: Any) -> Any:
    return replace(one, file="", line=1, column=1)


def bare(listener: Listener) -> Listener:
    handler = replace(listener.handler, line=0, column=0, text=listener.handler.kind)
    return replace(nowhere(listener), handler=handler, options=dict(listener.options))


def assert_the_same(one: Flow) -> None:
    text = flowtext.write(one)
    again = flow.load(one.name, FILE, {FILE: text.encode()})
    assert not again.has_errors, (text, again.problems)
    assert [bare(listener) for listener in again.listeners] == [bare(listener) for listener in one.listeners]
    assert [nowhere(trigger) for trigger in again.triggers] == [nowhere(trigger) for trigger in one.triggers]
    for name in (
        "title",
        "description",
        "scheduling",
        "max_hops",
        "concurrency",
        "per_agent",
        "memory",
        "llm",
    ):
        assert getattr(again, name) == getattr(one, name), name
    assert flow.edges(again) == flow.edges(one)


def test_the_order_intake_survives() -> None:
    assert_the_same(load(ORDERS))


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("flows/*.yaml")), ids=lambda path: path.stem)
def test_every_example_loads_without_a_problem_and_survives(path: Path) -> None:
    found = flow.load("x", FILE, {FILE: path.read_bytes()})
    assert not found.problems
    assert_the_same(found)


def test_the_corpus_survives(corpus: Path) -> None:
    whole = [path for path in (corpus / "organism").glob("*.yaml") if "fragment" not in path.name]
    for path in [*whole, *(corpus / "pdflow").glob("*.pdflow")]:
        file = f"flows/{path.name}"
        assert_the_same(flow.load("x", file, {file: path.read_bytes()}))


def test_names_that_a_yaml_flow_cannot_have_are_changed_everywhere() -> None:
    text = b"""{"nodes": [
      {"id": "1 start", "type": "trigger", "data": {}},
      {"id": "2", "type": "condition", "data": {"conditions": [{"id": "x", "expression": "true", "target": "3/a"}]}},
      {"id": "3/a", "type": "output", "data": {}}], "edges": [{"source": "1 start", "target": "2"}]}"""
    found = flow.load("x", "x.pdflow", {"x.pdflow": text})
    again = flow.load("x", FILE, {FILE: flowtext.write(found).encode()})
    assert not again.problems
    assert [listener.name for listener in again.listeners] == ["n3-a", "n2"]
    assert again.listeners[1].options["cases"][0]["to"] == "n3-a"
    assert (again.triggers[0].name, again.triggers[0].to) == ("n1-start", "n2")
