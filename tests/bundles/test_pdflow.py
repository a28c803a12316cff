"""Prompd's flows: each kind of node as what runs here, wires of loops and forks, templates without JavaScript."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundles import cel, flow, template
from bundles.flow import Flow, Listener
from bundles.target import Target

FILE = "flows/x.pdflow"


def node(name: str, kind: str, *, inside: str = "", **data: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "position": {"x": 0, "y": 0}, "data": data, "parentId": inside or None}


def edge(path: str) -> dict[str, str]:
    """`a:out > b:into`, handles left out where there are none."""
    (source, _, out), (target, _, into) = (part.strip().partition(":") for part in path.split(">"))
    handles = {"sourceHandle": out, "targetHandle": into}
    return {
        "id": path,
        "source": source,
        "target": target,
        **{key: value for key, value in handles.items() if value},
    }


def load(nodes: list[dict[str, Any]], *edges: str, **more: Any) -> Flow:
    document = {
        "version": "1",
        "metadata": {"name": "Test"},
        "nodes": nodes,
        "edges": [edge(one) for one in edges],
        **more,
    }
    return flow.load(
        "x",
        FILE,
        {
            FILE: json.dumps(document, indent=1).encode(),
            "prompts/hello.prmd": b"---\nid: greeting\nname: G\nversion: 1.0.0\n---\n",
        },
    )


def named(found: Flow, name: str) -> Listener:
    listener = found.listener(name)
    assert listener is not None, [one.name for one in found.listeners]
    return listener


def single(kind: str, **data: Any) -> Listener:
    found = load([node("a", kind, **data)])
    assert not found.problems, found.problems
    return named(found, "a")


START = node("start", "trigger", triggerType="webhook")
END = node("end", "output")


def test_a_trigger_sends_along_its_wire() -> None:
    found = load([START, node("a", "transformer", template="{{ input }}"), END], "start > a", "a > end")
    assert [(t.name, t.type, t.to) for t in found.triggers] == [("start", "webhook", "a")]
    assert [listener.name for listener in found.listeners] == ["a", "end"]
    assert (found.title, found.dialect, found.entry) == ("Test", "pdflow", "a")
    assert not found.problems


def test_a_trigger_with_several_wires_is_a_listener_too() -> None:
    found = load([START, END, node("b", "output")], "start > end", "start > b")
    assert found.triggers[0].to == "start"
    assert named(found, "start").peers == ("end", "b")


def test_schedules() -> None:
    cron = load(
        [
            node(
                "t",
                "trigger",
                triggerType="schedule",
                scheduleCron="0 9 * * *",
                scheduleTimezone="Asia/Tokyo",
            )
        ]
    )
    assert (cron.triggers[0].cron, cron.triggers[0].timezone) == ("0 9 * * *", "Asia/Tokyo")
    every = load(
        [node("t", "trigger", triggerType="schedule", scheduleType="interval", scheduleIntervalMs=60_000)]
    )
    assert (every.triggers[0].every_ms, every.triggers[0].cron) == (60_000, "")
    wrong = load([node("t", "trigger", triggerType="schedule", scheduleCron="soon")])
    assert wrong.has_errors
    watching = load([node("t", "trigger", triggerType="file-watch")])
    assert "not executable" in watching.problems[0].message


def test_a_condition_is_a_branch() -> None:
    cases = [
        {"id": "1", "expression": "{{ input.score >= 0.8 }}", "target": "end"},
        {"id": "2", "expression": "input.ok"},
    ]
    found = load(
        [node("c", "condition", conditions=cases), END, node("b", "output"), node("d", "output")],
        *("c:condition-2 > b", "c:default > d"),
    )
    assert not found.problems
    options = named(found, "c").options
    assert [case["to"] for case in options["cases"]] == ["end", "b"]
    assert options["else"] == "d"
    assert named(found, "c").peers == ()
    truths = [cel.compile(case["if"]) for case in options["cases"]]
    assert truths[0]({"payload": {"score": 0.9}}) is True
    assert truths[0]({"payload": '{"score": 0.1}'}) is False
    assert truths[1]({"payload": {"ok": "yes"}}) is True
    assert truths[1]({"payload": {"ok": 0}}) is False
    assert truths[1]({"payload": {}}) is False


@pytest.mark.parametrize(
    ("data", "key", "value"),
    [
        ({"loopType": "count", "count": 3}, "over", "lists.range(3)"),
        ({"loopType": "for-each", "items": "{{ input }}"}, "over", "payload"),
        ({"loopType": "while", "condition": "index < 3"}, "while", "index < 3"),
    ],
)
def test_a_loop_runs_its_children_and_goes_on(data: dict[str, Any], key: str, value: str) -> None:
    nodes = [
        node("l", "loop", maxIterations=9, **data),
        node("one", "transformer", inside="l", template="{{ item }}"),
    ]
    two = node("two", "transformer", inside="l", template="{{ input }}")
    found = load([*nodes, two, END], "l:loop-start > one", "one > two", "two > l:loop-end", "l:output > end")
    assert not found.problems
    assert named(found, "l").options == {key: value, "body": "one", "done": "end", "max": 9}
    assert named(found, "one").peers == ("two",)
    assert named(found, "two").peers == ()


def test_a_fork_and_a_merge() -> None:
    nodes = [
        node("f", "parallel", mode="fork"),
        node("a", "transformer", template="1"),
        node("b", "transformer", template="2"),
    ]
    found = load(
        [*nodes, node("m", "merge"), END],
        "f:fork-0 > a",
        "f:fork-1 > b",
        "a > m:input-0",
        "b > m:input-1",
        "m > end",
    )
    assert named(found, "f").peers == ("a", "b")
    assert named(found, "m").handler.builtin == "join"
    assert [listener.name for listener in found.listeners] == ["f", "a", "b", "m", "end"]


def test_branches_that_come_back_to_their_fork_are_joined() -> None:
    nodes = [node("f", "parallel", mode="broadcast", waitFor="any"), END]
    inner = [node(name, "transformer", inside="f", template="{{ input }}") for name in "ab"]
    found = load([*nodes, *inner], "f:output > end", "b > f:fork-1")
    assert named(found, "f").peers == ("a", "b")
    assert named(found, "a").peers == ("f.join",)
    assert named(found, "b").peers == ("f.join",)
    assert (named(found, "f.join").peers, named(found, "f.join").options) == (("end",), {"wait": "any"})


def test_requests() -> None:
    listener = single(
        "api", method="POST", url="https://x/{{ input.id }}", headers={"a": "b"}, body="{{ previous_output }}"
    )
    assert listener.handler.builtin == "http"
    assert template.compile(listener.options["url"])({"payload": {"id": 7}}) == "https://x/7"
    assert (listener.options["method"], listener.options["body"]) == ("POST", "${payload}")
    assert single("tool", toolType="http", httpUrl="https://x", httpMethod="get").options["method"] == "GET"


def test_models() -> None:
    provider = node("p", "provider", providerId="openai", model="gpt-4o", temperature=0.2, maxTokens=100)
    nodes = [
        provider,
        node("a", "prompt", sourceType="raw", rawPrompt="Say {{ input }} ${x}", providerNodeId="p"),
    ]
    found = load([*nodes, node("g", "agent", systemPrompt="Help.", userPrompt="{{ input }}", model="grok-2")])
    assert not found.problems
    assert named(found, "a").options == {
        **{"prompt": "Say ${payload} $${x}", "model": "gpt-4o", "temperature": 0.2, "maxTokens": 100}
    }
    assert named(found, "g").options == {"system": "Help.", "prompt": "${payload}", "model": "grok-2"}
    assert named(found, "p").handler.kind == "unbound"


def test_an_agent_with_tools_has_them_as_peers() -> None:
    nodes = [
        node("g", "agent", systemPrompt="Help.", maxIterations=7),
        node("r", "tool-call-router", dockedTo={"nodeId": "g"}),
    ]
    tool = node("t", "tool", inside="r", toolType="function", toolName="wasm:order:lookup")
    found = load([*nodes, tool, END], "g > end")
    agent = named(found, "g")
    assert (agent.handler.kind, agent.prompt, agent.max_iterations) == ("agent", "Help.", 7)
    assert agent.peers == ("t", "end")
    assert named(found, "t").handler.target == Target("wasm", "order", "lookup")


def test_prompts_and_flows_by_file() -> None:
    found = single("prompt", source="../prompts/hello.prmd", parameters={"topic": "{{ workflow.topic }}"})
    assert found.handler.target == Target("prompt", "greeting")
    assert template.compile(found.options["parameters"])({"trigger": {"body": {"topic": "cats"}}}) == {
        "topic": "cats"
    }
    assert single("workflow", source="./other.pdflow").handler.target == Target("flow", "other")
    assert single("workflow", source="flow:other").handler.target == Target("flow", "other")


def test_memory_and_checkpoints() -> None:
    assert single("memory", operation="set", key="k", value="{{ input }}").options == {
        "set": "k",
        "value": "${payload}",
    }
    assert load([node("a", "memory", operation="get", key="k")]).memory > 0
    found = load([START, node("c", "callback", requireApproval=True), END], "start > c", "c > end")
    assert named(found, "c").handler.builtin == "wait"
    assert single("user-input", prompt="How many?").handler.builtin == "wait"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("web-search", {"query": "x"}),
        ("claude-code", {}),
        ("code", {"language": "python", "code": "import os"}),
        ("tool", {"toolType": "command", "commandExecutable": "rm"}),
        ("transformer", {"mode": "expression", "expression": "(() => process.exit())()"}),
        ("transformer", {"mode": "jq", "jqExpression": "."}),
        (
            "condition",
            {"conditions": [{"id": "1", "expression": "constructor.constructor('x')()", "target": "a"}]},
        ),
        ("api", {"method": "GET"}),
        ("memory", {"mode": "conversation", "operation": "append"}),
        ("callback", {}),
        ("never heard of", {}),
    ],
)
def test_what_cannot_run_is_drawn_and_says_so(kind: str, data: dict[str, Any]) -> None:
    found = load([node("a", kind, **data)])
    assert named(found, "a").handler.kind == "unbound"
    (problem,) = found.problems
    assert (problem.severity, problem.line) == ("warning", 8)
    assert "not executable" in problem.message


def test_failures_go_where_the_error_handler_says() -> None:
    retry = node("e", "error-handler", strategy="retry", retry={"maxAttempts": 3, "backoffMs": 50})
    listener = named(load([retry, node("a", "merge", errorHandlerNodeId="e")]), "a")
    assert (listener.retries, listener.backoff_ms) == (2, 50)
    fallback = node("e", "error-handler", strategy="fallback", fallback={"type": "node", "nodeId": "end"})
    assert named(load([fallback, END, node("a", "merge", errorHandlerNodeId="e")]), "a").on_error == "end"
    value = node("e", "error-handler", strategy="fallback", fallback={"type": "value", "value": 1})
    (problem,) = load([value, END, node("a", "merge", errorHandlerNodeId="e")]).problems
    assert problem.message == "the fallback of 'e' names no node of this flow: failures count"


def test_a_body_that_is_written_as_json_is_sent_as_json() -> None:
    written = single("api", method="POST", url="https://x/", body='{"q": "{{ input.id }}", "n": 1}')
    assert template.compile(written.options["body"])({"payload": {"id": [2]}}) == {"q": [2], "n": 1}
    assert (
        single("api", method="POST", url="https://x/", body="7 of {{ input.id }}")
        .options["body"]
        .startswith("7")
    )


def test_what_is_wrong_is_told_at_its_line() -> None:
    found = load([node("a", "output"), node("A", "output")], "a > b")
    assert [(problem.severity, problem.line) for problem in found.problems] == [
        ("error", 18),
        ("warning", 29),
    ]
    assert "is there twice" in found.problems[0].message
    broken = flow.load("x", FILE, {FILE: b'{"nodes": [\n  {"id": }\n]}'})
    assert (broken.problems[0].line, broken.problems[0].column) == (2, 10)
    assert "no list 'nodes'" in flow.load("x", FILE, {FILE: b"{}"}).problems[0].message


WORDS = ["a", "b", "{{ input.x }}", "{{", "wasm:a:b", "retry", "fork", "for-each", "raw", "set", "kv", "http"]
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["nodeId", "id", "target", "x"]), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip
TYPES = st.sampled_from(
    [
        "trigger",
        "output",
        "condition",
        "loop",
        "merge",
        "parallel",
        "transformer",
        "api",
        "code",
        "tool",
        "agent",
        "prompt",
        "memory",
        "guardrail",
        "callback",
        "provider",
        "error-handler",
        "workflow",
        "tool-call-router",
        "x",
    ]
)
KEYS = [
    "triggerType",
    "scheduleCron",
    "scheduleIntervalMs",
    "conditions",
    "loopType",
    "count",
    "items",
    "condition",
    "body",
    "mode",
    "template",
    "expression",
    "url",
    "headers",
    "toolType",
    "toolName",
    "source",
    "sourceType",
    "rawPrompt",
    "parameters",
    "providerNodeId",
    "model",
    "temperature",
    "maxTokens",
    "operation",
    "key",
    "value",
    "dockedTo",
    "errorHandlerNodeId",
    "strategy",
    "retry",
    "fallback",
    "retryPolicy",
    "timeout",
    "maxIterations",
    "disabled",
    "label",
]
DATA = st.dictionaries(st.sampled_from(KEYS), VALUE, max_size=6)
IDS = st.sampled_from(["a", "b", "c", "d"])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.builds(lambda i, t, d, p: {"id": i, "type": t, "data": d, "parentId": p}, IDS, TYPES, DATA, IDS),
        max_size=5,
    ),
    st.lists(
        st.builds(
            lambda s, t, h, i: {"source": s, "target": t, "sourceHandle": h, "targetHandle": i},
            *(IDS, IDS, st.sampled_from(["output", "loop-start", "fork-0", "default"])),
            st.sampled_from(["input", "loop-end", "fork-1"]),
        ),
        max_size=6,
    ),
    VALUE,
)
def test_no_document_makes_the_loader_raise(nodes: list[Any], edges: list[Any], other: Any) -> None:
    document = {"nodes": nodes, "edges": edges, "parameters": other, "metadata": other, "variables": [other]}
    found = flow.load("x", FILE, {FILE: json.dumps(document).encode()})
    flow.edges(found)
    for listener in found.listeners:
        if listener.handler.kind == "builtin":
            template.compile({key: value for key, value in listener.options.items() if key not in ("cases",)})
