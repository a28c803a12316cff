"""Conformance: every organism document and every .pdflow of the corpus loads, and says what it cannot run."""

import json
from pathlib import Path

from bundles import flow, jsontree, pdgraph, values
from bundles.values import Mapping, Report


def names(path: Path) -> list[str]:
    root = values.plain(values.parse(path.read_bytes(), file=path.name).root)  # type: ignore[arg-type]
    return [listener["name"] for listener in root["listeners"]]


def test_every_complete_organism_loads_with_all_its_listeners(corpus: Path) -> None:
    whole = [path for path in sorted((corpus / "organism").glob("*.yaml")) if "fragment" not in path.name]
    assert len(whole) >= 6
    for path in whole:
        found = flow.load("x", path.name, {path.name: path.read_bytes()})
        assert not found.has_errors, (path.name, found.problems)
        assert [listener.name for listener in found.listeners] == names(path)
        assert all("not executable" in problem.message for problem in found.problems), found.problems


def test_fragments_say_that_they_are_no_organisms(corpus: Path) -> None:
    for path in sorted((corpus / "organism").glob("*_fragment.yaml")):
        found = flow.load("x", path.name, {path.name: path.read_bytes()})
        assert [problem.message for problem in found.problems] == ["not an organism: missing organism.name"]


def test_the_agents_of_the_corpus_are_what_their_dialect_says(corpus: Path) -> None:
    path = corpus / "organism" / "pypi040_template_full.yaml"
    found = flow.load("x", path.name, {path.name: path.read_bytes()})
    assert [listener.handler.kind for listener in found.listeners] == ["agent", "unbound", "builtin"]
    assert found.listeners[0].peers == ("calculator", "fetcher")
    assert found.llm["backends"][0]["model"] == "grok-2"
    path = corpus / "organism" / "doc_configuration_1.yaml"
    swarm = flow.load("x", path.name, {path.name: path.read_bytes()})
    assert "web_search" in swarm.listeners[3].peers
    assert [listener.broadcast for listener in swarm.listeners[4:]] == [True, True]
    assert (swarm.scheduling, swarm.llm["strategy"]) == ("breadth-first", "failover")


def test_pdflows_run_in_the_order_of_the_reference(corpus: Path) -> None:
    for case in json.loads((corpus / "expected" / "pdflow_orders.json").read_text()):
        data = (corpus / "pdflow" / case["file"]).read_bytes()
        root = jsontree.parse(data, file="a").root
        assert isinstance(root, Mapping)
        graph = pdgraph.read(root, Report())
        assert pdgraph.order(graph) == case["execution_order"]
        assert (len(graph.nodes), len(graph.edges)) == (case["nodes"], case["edges"])
        found = flow.load("x", "flows/x.pdflow", {"flows/x.pdflow": data})
        assert not found.has_errors
        shown = {listener.name for listener in found.listeners} | {trigger.name for trigger in found.triggers}
        assert shown == set(graph.nodes)
        dangling = [problem for problem in found.problems if "which is not there" in problem.message]
        assert len(dangling) == len(case["dangling_refs"])
