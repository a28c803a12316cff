"""The options of the builtins: every kind with what it needs, what it refuses, and where secrets may stand."""

from typing import Any

import pytest

from bundles.flowkinds import BUILTINS, KINDS, catalogue
from tests.bundles.flowsamples import first, one, only

RIGHT: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "http": [
        ("url: 'https://a.b/${payload.x}', method: post", {"url": "https://a.b/${payload.x}", "method": "POST"}),
        ("url: u, expect: [200, 3XX], timeout: 5s", {"url": "u", "expect": [200, "3xx"], "timeout": "5s"}),
        ("url: u, headers: {a: '${secret.k}'}, body: {t: '${secret.k}'}, query: {n: 1}",
         {"url": "u", "headers": {"a": "${secret.k}"}, "body": {"t": "${secret.k}"}, "query": {"n": 1}}),
    ],
    "llm": [
        ("prompt: hi, max_tokens: 5, json: true, temperature: 0",
         {"prompt": "hi", "maxTokens": 5, "json": True, "temperature": 0}),
    ],
    "branch": [
        ("cases: [{if: true, to: other}], else: other", {"cases": [{"if": "true", "to": "other"}], "else": "other"}),
    ],
    "loop": [
        ("over: payload.items, body: other, parallel: 4", {"over": "payload.items", "body": "other", "parallel": 4}),
        ("while: 'index < 3', body: other", {"while": "index < 3", "body": "other"}),
    ],
    "join": [("wait: any", {"wait": "any"}), ("wait: 2", {"wait": 2}), ("", {})],
    "map": [("expr: 'payload.a + 1'", {"expr": "payload.a + 1"}), ("expr: 5", {"expr": "5"})],
    "filter": [("if: 'payload.a > 1'", {"if": "payload.a > 1"})],
    "delay": [("for: 2h", {"for": "2h"}), ("until: '${payload.at}'", {"until": "${payload.at}"})],
    "wait": [("timeout: 48h", {"timeout": "48h"}), ("", {})],
    "memory": [("set: k, value: {a: '${payload}'}", {"set": "k", "value": {"a": "${payload}"}})],
    "sensor": [("fire: door, payload: 1", {"fire": "door", "payload": 1})],
    "output": [
        ("status: 204", {"status": 204}),
        ("status: '${payload.code}', body: null, headers: {x-a: b}",
         {"status": "${payload.code}", "body": None, "headers": {"x-a": "b"}}),
    ],
}  # fmt: skip
WRONG = [
    ("http", "method: GET", "needs 'url'"),
    ("http", "url: u, method: FETCH", "must be one of"),
    ("http", "url: u, headers: {'a b': c}", "cannot name a header"),
    ("http", "url: u, expect: 999", "must be statuses"),
    ("http", "url: 'https://${payload.}'", "'url'"),
    ("http", "url: [u]", "must be text"),
    ("http", "url: u, timeout: 5", "not a duration"),
    ("http", "url: u, headers: [a]", "must be a mapping"),
    ("llm", "prompt: p, temperature: 3", "must be from 0 to 2"),
    ("llm", "prompt: p, maxTokens: 1.5", "must be a whole number"),
    ("llm", "prompt: p, json: maybe", "must be true or false"),
    ("branch", "else: other", "needs 'cases'"),
    ("branch", "cases: []", "must be a list of"),
    ("branch", "cases: [{if: 'a >', to: other}]", "is not an expression"),
    ("branch", "cases: [{if: 'true'}]", "a case is"),
    ("branch", "cases: [{if: '${payload.a}', to: other}]", "is an expression by itself"),
    ("loop", "body: other", "exactly one of over, while"),
    ("loop", "over: payload, while: 'true', body: other", "exactly one of over, while"),
    ("loop", "over: payload", "needs 'body'"),
    ("loop", "over: payload, body: other, max: 0", "must be from 1"),
    ("join", "wait: some", "must be all, any or a number"),
    ("join", "wait: 0", "must be all, any or a number"),
    ("map", "expr: foo.x", "nothing is named 'foo'"),
    ("map", "", "needs 'expr'"),
    ("delay", "for: 1h, until: x", "exactly one of for, until"),
    ("delay", "for: soon", "not a duration"),
    ("memory", "value: 1", "exactly one of get, set, add, delete"),
    ("sensor", "payload: 1", "needs 'fire'"),
    ("output", "status: 700", "must be from 200 to 599"),
    ("output", "status: [200]", "must be from 200 to 599"),
]


def test_every_builtin_is_tried_here() -> None:
    assert set(RIGHT) == set(BUILTINS)


@pytest.mark.parametrize(
    ("kind", "written", "options"), [(k, w, o) for k, all_ in RIGHT.items() for w, o in all_]
)
def test_right_options_are_read(kind: str, written: str, options: dict[str, Any]) -> None:
    assert first(f"handler: 'builtin:{kind}', with: {{{written}}}", top="memory: 1KiB\n").options == options


@pytest.mark.parametrize(("kind", "written", "message"), WRONG)
def test_wrong_options_are_errors_at_their_place(kind: str, written: str, message: str) -> None:
    found = one(f"handler: 'builtin:{kind}', with: {{{written}}}", top="memory: 1KiB\n")
    problem = only(found)
    assert problem.severity == "error"
    assert problem.line == 4
    assert message in problem.message


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("http", "url: 'https://x/${secret.k}'"),
        ("http", "url: u, query: {a: '${secret.k}'}"),
        ("llm", "prompt: 'the key is ${secret.k}'"),
        ("map", "expr: secret.k"),
        ("output", "body: {deep: [{er: '${secret.k}'}]}"),
        ("output", "headers: {a: '${secret[payload.x]}'}"),
        ("filter", "if: 'secret.k == payload.guess'"),
        ("memory", "set: k, value: '${secret.k}'"),
        ("sensor", "fire: s, payload: '${secret.k}'"),
        ("branch", "cases: [{if: 'secret.k == payload', to: other}]"),
    ],
)
def test_secrets_stand_nowhere_else(kind: str, written: str) -> None:
    problem = only(one(f"handler: 'builtin:{kind}', with: {{{written}}}", top="memory: 1KiB\n"))
    assert problem.severity == "error"
    assert "may not use a secret" in problem.message


def test_an_unknown_option_is_a_warning_with_a_hint() -> None:
    problem = only(one("handler: 'builtin:map', with: {expr: payload, exp: 1}"))
    assert (problem.severity, problem.line) == ("warning", 3)
    assert "did you mean 'expr'?" in problem.message


def test_options_of_a_node_that_has_none_are_told() -> None:
    assert "'with' is for builtins" in only(one("handler: 'flow:y', with: {a: 1}")).message


def test_the_catalogue_is_complete_and_json() -> None:
    titles = {kind["title"] for kind in catalogue()}
    assert {"Trigger", "LLM Call", "HTTP Request", "Code Block", "Conditional", "Output", "Loop"} <= titles
    assert len({kind.kind for kind in KINDS}) == len(KINDS)
    for kind in catalogue():
        assert set(kind) == {"kind", "title", "description", "group", "handler", "ports", "fields", "common"}
        for field in [*kind["fields"], *kind["common"]]:
            assert field["label"]
            assert len(field["help"]) > 5
            assert bool(field["choices"]) == (field["type"] == "choice")


@pytest.mark.parametrize("kind", BUILTINS)
def test_the_defaults_of_a_kind_make_a_node_with_only_names_missing(kind: str) -> None:
    options = BUILTINS[kind].options.values()
    given = {key.name: key.default for key in options if key.required and key.type not in ("node", "cases")}
    assert all(value is not None for name, value in given.items() if name != "fire")
