"""A flow file: what it means, and every way in which it can be wrong, with the place."""

import pytest

from bundles import flow
from bundles.flow import Edge
from bundles.target import Target
from tests.bundles.flowsamples import FILE, ORDERS, first, load, one, only


def test_the_order_intake_loads_without_a_problem() -> None:
    found = load(ORDERS)
    assert not found.problems
    assert (found.name, found.title, found.file, found.dialect) == ("x", "order-intake", FILE, "organism")
    kinds = {one.name: one.handler.builtin or one.handler.kind for one in found.listeners}
    assert kinds["validate"] == "wasm"
    assert kinds["assistant"] == "agent"
    assert [kinds[name] for name in ("size", "each", "enrich", "both", "done")] == [
        *("branch", "loop", "http", "join", "output")
    ]
    validate = found.listener("VALIDATE")
    assert validate is not None
    assert validate.handler.target == Target("wasm", "order", "validate")
    assert (validate.retries, validate.timeout_ms, validate.on_error) == (3, 10_000, "rejected")
    assert (validate.peers, validate.line, validate.column) == (("size", "enrich"), 6, 11)
    assert found.entry == "validate"


def test_every_wire_is_an_edge_with_its_port() -> None:
    assert flow.edges(load(ORDERS)) == (
        Edge("incoming", "trigger", "validate"),
        Edge("nightly", "trigger", "enrich"),
        Edge("validate", "peer", "size"),
        Edge("validate", "peer", "enrich"),
        Edge("validate", "error", "rejected"),
        Edge("size", "case 0", "each"),
        Edge("size", "else", "both"),
        Edge("each", "body", "price"),
        Edge("each", "done", "both"),
        Edge("enrich", "peer", "both"),
        Edge("both", "peer", "assistant"),
        Edge("assistant", "peer", "lookup"),
        Edge("assistant", "peer", "done"),
    )


@pytest.mark.parametrize("key", ["onError", "on_error"])
def test_both_spellings_of_a_key_mean_the_same(key: str) -> None:
    assert first(f"handler: 'wasm:m:f', {key}: other").on_error == "other"
    assert first("agent: true, prompt: p, maxTokens: 5, maxIterations: 7").max_iterations == 7


def test_a_time_limit_may_be_written_in_seconds() -> None:
    assert first("handler: 'wasm:m:f', timeout_seconds: 90").timeout_ms == 90_000
    assert first("handler: 'wasm:m:f', timeout_seconds: 90, timeout: 1s").timeout_ms == 1_000


def test_one_key_in_two_spellings_is_told() -> None:
    problem = only(one("handler: 'wasm:m:f', onError: other, on_error: other"))
    assert "are the same field" in problem.message


def test_limits_may_stand_at_the_top_or_under_organism() -> None:
    top = load(
        "organism: {name: x}\nmax_concurrent_per_agent: 2\nthread_scheduling: depth-first\nmax_hops: 9\n"
    )
    assert (top.per_agent, top.scheduling, top.max_hops, top.concurrency) == (2, "depth-first", 9, 50)
    head = "{name: x, max_concurrent_pipelines: 7, thread_scheduling: depth-first, max_tokens_per_thread: 10}"
    inner = load(f"organism: {head}\n")
    assert (inner.concurrency, inner.scheduling, inner.max_tokens, inner.max_hops) == (
        7,
        "depth-first",
        10,
        10_000,
    )
    assert not top.problems
    assert not inner.problems


@pytest.mark.parametrize(
    ("written", "size"),
    [("64KiB", 65_536), ("10MB", 10_000_000), ("4096", 4096), ("true", 65_536), ("false", 0)],
)
def test_memory_is_a_size_in_bytes(written: str, size: int) -> None:
    assert load(f"organism: {{name: x}}\nmemory: {written}\n").memory == size


def test_a_flow_has_no_memory_unless_it_says_so() -> None:
    assert load("organism: {name: x}\n").memory == 0
    problem = only(one("handler: 'builtin:memory', with: {get: k}"))
    assert problem.severity == "error"
    assert "the flow has none" in problem.message
    assert first("handler: 'builtin:memory', with: {get: k}", top="memory: 1KiB\n").options == {"get": "k"}
    assert only(load("organism: {name: x}\nmemory: a lot\n")).line == 2


@pytest.mark.parametrize(
    "text", ["listeners: []\n", "organism: {}\n", "a\n", "", "organism: {name: ''}\n", "[]\n"]
)
def test_what_is_not_an_organism_says_so(text: str) -> None:
    problem = only(load(text))
    assert (problem.severity, problem.message) == ("error", "not an organism: missing organism.name")


def test_names_that_differ_only_in_case_are_one_name() -> None:
    found = load(
        "organism: {name: x}\nlisteners:\n  - {name: a, agent: true, prompt: p}\n  - {name: A, handler: 'flow:y'}\n"
    )
    problem = only(found)
    assert problem.severity == "error"
    assert "'A' is defined twice, first on line 3" in problem.message
    assert len(found.listeners) == 1


def test_an_unknown_peer_is_a_warning_with_a_hint() -> None:
    found = one("handler: 'wasm:m:f', peers: [othr]")
    problem = only(found)
    assert problem.severity == "warning"
    assert "no such listener, did you mean 'other'?" in problem.message
    assert not flow.edges(found)


@pytest.mark.parametrize(
    "node",
    [
        "handler: 'wasm:m:f', onError: nobody",
        "handler: 'builtin:branch', with: {cases: [{if: 'true', to: nobody}]}",
        "handler: 'builtin:branch', with: {cases: [{if: 'true', to: other}], else: nobody}",
        "handler: 'builtin:loop', with: {over: payload, body: nobody}",
    ],
)
def test_a_node_of_ours_that_names_nobody_is_an_error(node: str) -> None:
    problem = only(one(node))
    assert problem.severity == "error"
    assert "'nobody'" in problem.message


def test_cycles_and_names_with_dots_and_stars_are_fine() -> None:
    text = "organism: {name: x}\nlisteners:\n  - {name: s.a, handler: 'wasm:m:f', broadcast: true, peers: [s.a]}\n"
    found = load(text + "  - {name: b, agent: true, prompt: p, peers: ['*', s, system.todo]}\n")
    assert not found.problems
    assert flow.edges(found) == (Edge("s.a", "peer", "s.a"),)


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("builtin:htp", "there is no builtin 'htp', did you mean 'http'?"),
        ("wasm:order", "a target is"),
        ("bultin:http", "is not a handler, did you mean 'builtin'?"),
        ("no handler at all!", "is not a handler"),
    ],
)
def test_a_handler_that_is_none_is_an_error(handler: str, message: str) -> None:
    found = one(f"handler: '{handler}'")
    assert message in only(found).message
    assert only(found).severity == "error"
    assert found.listeners[0].handler.kind == "unbound"


@pytest.mark.parametrize(
    "handler", ["handlers.hello.greet", "pkg.mod:function", "tool:shell", "builtin:code"]
)
def test_what_cannot_run_here_is_drawn_with_a_warning(handler: str) -> None:
    found = one(f"handler: '{handler}'")
    assert only(found).severity == "warning"
    assert found.listeners[0].handler.kind == "unbound"
    assert found.listeners[0].handler.text == handler


@pytest.mark.parametrize(
    ("handler", "builtin"),
    [
        ("xml_pipeline.tools.fetch.fetch_url", "http"),
        ("tool:webhook", "http"),
        ("tool:key_value_get", "memory"),
    ],
)
def test_tools_that_have_a_builtin_run_as_it(handler: str, builtin: str) -> None:
    assert first(f"handler: '{handler}'", top="memory: 1KiB\n").handler.builtin == builtin


def test_a_wasm_path_is_the_module_of_that_file() -> None:
    listener = first("handler: wasm, wasm: {path: ./wasm/calc.wasm, capabilities: {env: []}}")
    assert listener.handler.target == Target("wasm", "calc", "a")
    named = first("handler: wasm, wasm: {path: wasm/calc.wasm, function: add}")
    assert named.handler.target == Target("wasm", "calc", "add")
    assert "the path" in only(one("handler: wasm, wasm: {path: ../../x.wasm}")).message
    assert "needs wasm" in only(one("handler: wasm")).message


def test_agents_in_every_dialect() -> None:
    assert first("agent: true, prompt: p").handler.kind == "agent"
    block = first("agent: {prompt: You help., model: grok-2, max_tokens: 9, max_iterations: 3}, handler: a.b")
    assert (block.prompt, block.model, block.max_tokens, block.max_iterations) == (
        "You help.",
        "grok-2",
        9,
        3,
    )
    assert block.handler.kind == "agent"
    assert first("agent: true, promptRef: helper").handler.target == Target("prompt", "helper")
    own = first("agent: true, handler: 'wasm:m:f', prompt: p")
    assert (own.handler.kind, own.agent) == ("wasm", True)
    without = one("agent: false, prompt: p, handler: a.b")
    assert (without.listeners[0].handler.kind, without.listeners[0].agent) == ("unbound", False)
    assert "no instructions" in only(one("agent: true")).message
    assert "not both" in only(one("agent: true, prompt: p, promptRef: q")).message
    assert "'agent' must be" in only(one("agent: 3, handler: 'wasm:m:f'")).message


def test_keys_of_other_engines_are_kept_in_silence_and_unknown_ones_told() -> None:
    first("handler: 'wasm:m:f', payload_class: a.B, verbose: true, metadata: {x: [1]}, x-mine: 1")
    problem = only(one("handler: 'wasm:m:f', descripton: x"))
    assert (problem.severity, problem.line) == ("warning", 3)
    assert "did you mean 'description'?" in problem.message


def test_models_of_both_places_are_one_list() -> None:
    found = load(
        "organism: {name: x}\nllm:\n  strategy: fastest\n  retries: 2\n  backends: [{provider: xai}]\n"
        "llm_backends: [{name: b, provider: ollama, model: llama3, api_key: abc}, {provider: mine}]\n"
    )
    assert found.llm["strategy"] == "failover"
    assert [backend["provider"] for backend in found.llm["backends"]] == ["xai", "ollama", "mine"]
    messages = [problem.message for problem in found.problems]
    assert {problem.severity for problem in found.problems} == {"warning"}
    assert any("no strategy 'fastest'" in message for message in messages)
    assert any("can read this key" in message for message in messages)
    assert any("unknown provider 'mine'" in message for message in messages)


def test_listeners_may_be_files_beside_the_flow() -> None:
    text = "organism: {name: x}\nlisteners: {directory: ~/.xml-pipeline/listeners, include: ['*.yaml']}\n"
    found = load(
        text,
        flows__listeners__b="name: b\nhandler: 'flow:y'\npeers: [a]\n",
        flows__listeners__a="listener: {name: a, handler: 'wasm:m:f', pers: []}\n",
        flows__listeners__c="listeners: [{name: c, handler: 'flow:z'}]\n",
        flows__listeners__deep__d="name: d\nhandler: 'flow:y'\n",
    )
    assert [listener.name for listener in found.listeners] == ["a", "b", "c"]
    problem = only(found)
    assert (problem.file, problem.line) == ("flows/listeners/a.yaml", 1)
    assert set(found.sources) == {FILE, *(f"flows/listeners/{name}.yaml" for name in "abc")}
    assert "no file of listeners" in only(load(text)).message


def test_instructions_may_be_long_and_names_may_not() -> None:
    assert len(first(f"agent: true, prompt: {'x' * 50_000}").prompt) == 50_000
    assert "the limit is 200000" in only(one(f"agent: true, prompt: {'x' * 200_001}")).message
    assert "the limit is 10000" in only(one(f"handler: 'flow:y', description: {'x' * 10_001}")).message
