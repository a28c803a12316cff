"""Hostile flow files: nothing raises, nothing takes long, nothing is believed."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundles import flow
from bundles.flow import Flow
from bundles.flowkinds import BUILTINS
from tests.bundles.flowsamples import ORDERS, load

SOON = 5.0  # seconds on a loaded machine; each of these takes less than one alone


def timed(file: str, data: bytes) -> Flow:
    began = time.perf_counter()
    found = flow.load("x", file, {file: data})
    flow.edges(found)
    assert time.perf_counter() - began < SOON
    return found


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
)
LONG = "payload.a + " * 20
HOSTILE = {
    "aliases that multiply": f"organism: {{name: x}}\n{BOMB}",
    "deep brackets": "organism: {name: x}\nlisteners: " + "[" * 5_000,
    "a python object": "organism: !!python/object/apply:os.system [id]\n",
    "merge keys": "organism: {name: x}\nlisteners:\n  - &a {name: a, handler: 'flow:y'}\n  - {<<: *a}\n",
    "too many values": "organism: {name: x}\nlisteners: [" + "{name: a}," * 60_000 + "]\n",
    "a loop of aliases": "organism: &o {name: x, x: *o}\n",
    "too many expressions": "organism: {name: x}\nlisteners:\n"
    + "".join(f"  - {{name: n{i}, handler: builtin:map, with: {{expr: '{LONG}1'}}}}\n" for i in range(3_000)),
    "too many templates": "organism: {name: x}\nlisteners:\n  - name: a\n    handler: builtin:output\n    with: {body: ["
    + '"${payload.x}",' * 30_000
    + "]}\n",
    "not UTF-8": "organism: {name: x}\n\x00",
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_soon(case: str) -> None:
    found = timed("flows/x.yaml", HOSTILE[case].encode())
    assert found.has_errors
    assert len(found.problems) <= 401


def test_fifteen_hundred_nodes_load() -> None:
    nodes = "".join(
        f"  - {{name: n{i}, handler: builtin:map, with: {{expr: 'payload.a + {i}'}}, onError: n0, peers: [n{i // 2}]}}\n"
        for i in range(1_500)
    )
    found = timed("flows/x.yaml", f"organism: {{name: x}}\nlisteners:\n{nodes}".encode())
    assert not found.problems
    assert len(flow.edges(found)) == 3_000


@pytest.mark.parametrize(
    "name", ["__proto__", "a\u200bb", "a:b", "a/b", "../x", "x" * 101, "<img onerror=x>", "a\nb"]
)
def test_a_name_that_could_deceive_is_refused(name: str) -> None:
    node = json.dumps({"name": name, "handler": "flow:y"})
    found = load(f"organism: {{name: x}}\nlisteners: [{node}]\n")
    assert found.has_errors
    assert not found.listeners


def test_patterns_of_file_names_stay_in_the_folder_and_take_no_time() -> None:
    text = "organism: {name: x}\nlisteners: {directory: %s, include: ['*', '%s']}\n"
    for folder in ("../..", "/etc", "~/../..", ".", "a/../../b"):
        found = load(text % (folder, "*a" * 30 + "b"), secret="name: leaked\nhandler: 'flow:y'\n")
        assert "leaked" not in [listener.name for listener in found.listeners]
    began = time.perf_counter()
    load(text % ("many", "*a" * 40 + "b"), **{f"many__{'a' * 60}{i}": "name: a\n" for i in range(50)})
    assert time.perf_counter() - began < SOON


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
    | st.sampled_from(["${payload.a}", "${", "a", "*", "builtin:loop", "wasm:a:b", "1h", "payload.x > 1", "all"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
KEYS = st.sampled_from(
    [*("name", "handler", "peers", "with", "agent", "prompt", "onError", "on_error", "retries", "timeout", "wasm"),
     *("tools", "promptRef", "backoff", "disabled", "max_tokens", "temperature", "zzz")]
)  # fmt: skip
HANDLERS = st.sampled_from([f"builtin:{kind}" for kind in BUILTINS])
OPTION = st.sampled_from(
    [*("url", "headers", "body", "cases", "else", "over", "while", "done", "max", "wait", "expr", "if", "for", "until"),
     *("get", "set", "value", "fire", "payload", "status", "expect", "query", "timeout", "prompt", "json")]
)  # fmt: skip
NODE = st.dictionaries(KEYS, PLAIN, max_size=6) | st.builds(
    lambda handler, options: {"name": "a", "handler": handler, "with": options},
    HANDLERS,
    st.dictionaries(OPTION, PLAIN, max_size=5),
)
TOP = st.sampled_from(
    [
        "triggers",
        "listeners",
        "llm",
        "llm_backends",
        "gateways",
        "memory",
        "max_hops",
        "thread_scheduling",
        "prompts",
    ]
)
QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(st.lists(NODE | PLAIN, max_size=4), st.dictionaries(TOP, PLAIN, max_size=3))
def test_no_document_makes_the_loader_raise(nodes: list[Any], top: dict[str, Any]) -> None:
    document = {"organism": {"name": "x"}, "listeners": nodes, **top}
    found = flow.load("x", "flows/x.yaml", {"flows/x.yaml": json.dumps(document).encode()})
    flow.edges(found)
    assert found.entry == "" or found.listeners or found.triggers
    for problem in found.problems:
        assert problem.line >= 1
        assert problem.column >= 1


@QUICK
@given(st.integers(0, len(ORDERS)), st.integers(0, 60), st.text(max_size=20))
def test_no_edit_of_a_good_file_makes_the_loader_raise(start: int, length: int, new: str) -> None:
    text = ORDERS[:start] + new + ORDERS[start + length :]
    data = text.encode("utf-8", "surrogatepass")
    flow.edges(flow.load("x", "flows/x.yaml", {"flows/x.yaml": data}))


@QUICK
@given(st.binary(max_size=200))
def test_no_bytes_make_the_loader_raise(data: bytes) -> None:
    for file in ("flows/x.yaml", "flows/x.pdflow"):
        flow.load("x", file, {file: data})
