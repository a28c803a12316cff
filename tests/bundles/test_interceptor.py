"""What `interceptors:` may say, how it is ordered, and where each mistake is reported."""

import pytest

from bundles import bundle, values
from bundles.interceptor import Interceptors, combined, read, secrets
from bundles.interceptorkinds import KINDS
from bundles.values import Problem, Report


def parsed(text: str, scope: str = "endpoint") -> tuple[Interceptors, tuple[Problem, ...]]:
    document = values.parse(text.encode(), file="a.yaml")
    assert not document.problems
    report = Report()
    return read(document.root, report, scope=scope), report.problems()


def only(text: str) -> Problem:
    """The one problem of a list."""
    _, problems = parsed(text)
    assert len(problems) == 1, problems
    return problems[0]


def test_names_alone_and_names_with_options() -> None:
    found, problems = parsed(
        "- compression\n- rateLimit: {maxRequests: 100, windowMs: 60000}\n- monitoring:\n"
    )
    assert not problems
    assert [one.name for one in found] == ["compression", "rateLimit", "monitoring"]
    assert found[1].options == {"maxRequests": 100, "windowMs": 60000}
    assert (found[1].place.line, found[1].place.column) == (2, 3)


def test_a_mapping_means_the_same_as_a_list() -> None:
    found, problems = parsed("rateLimit: {windowMs: 60000, max: 1000}\ncompression: true\n")
    assert not problems
    assert [(one.kind, dict(one.options)) for one in found] == [
        ("rateLimit", {"windowMs": 60000, "max": 1000}),
        ("compression", {}),
    ]


def test_short_forms() -> None:
    text = "- filter: request.body.ok\n- transform: request.body\n- logging: debug\n- timeout: 500\n"
    found, problems = parsed(text)
    assert not problems
    assert [dict(one.options) for one in found] == [
        {"when": "request.body.ok"},
        {"request": "request.body"},
        {"level": "debug"},
        {"timeoutMs": 500},
    ]


def test_memoize_is_another_name_for_cache() -> None:
    found, _ = parsed("- memoize: {maxCacheSize: 10, ttl: 5s, key: request.params.id}\n")
    assert found[0].kind == "cache"
    assert found[0].options == {"maxCacheSize": 10, "ttl": 5000, "key": "request.params.id"}


def test_ones_own_is_a_function_of_the_bundle() -> None:
    found, problems = parsed("- wasm:guard:check\n- wasm:guard:after: {on: response, optional: true}\n")
    assert not problems
    assert [one.name for one in found] == ["wasm:guard:check", "wasm:guard:after"]
    assert found[1].options == {"on": "response", "optional": True}


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("- ratelimit: {max: 5}\n", 1, 3, "did you mean 'rateLimit'?"),
        ("- monitoring\n- compresion\n", 2, 3, "did you mean 'compression'?"),
        ("- rateLimit: {maxRequest: 5}\n", 1, 15, "did you mean 'maxRequests'?"),
        ("- rateLimit: {max: 0}\n", 1, 20, "must be from 1"),
        ("- rateLimit: {max: 1, maxRequests: 2}\n", 1, 20, "same option"),
        ("- rateLimit: {windowMs: 5}\n", 1, 25, "must be from 100"),
        ("- rateLimit: {by: ip}\n", 1, 19, "not one of caller, address, all"),
        ("- rateLimit: 5\n", 1, 14, "must be a mapping"),
        ("- rateLimit: false\n", 1, 3, "cannot be switched off"),
        ("- compression: {level: 10}\n", 1, 24, "must be from 1 to 9"),
        ("- logging: {level: loud}\n", 1, 20, "not one of debug, info"),
        ("- filter: {status: 403}\n", 1, 11, "needs 'when'"),
        ("- filter: 'request.body ==='\n", 1, 11, "not an expression"),
        ("- filter: 'payload.ok'\n", 1, 11, "nothing is named 'payload'"),
        ("- filter: 'response.status == 200'\n", 1, 11, "nothing is named 'response'"),
        ("- transform: {request: 'reqest.body'}\n", 1, 24, "did you mean 'request'?"),
        ("- transform: {optional: true}\n", 1, 14, "needs 'request', 'response' or both"),
        ("- cache: {ttl: 48h}\n", 1, 16, "to 24h"),
        ("- cache: {key: [a]}\n", 1, 16, "must be an expression"),
        ("- cache\n- memoize\n", 2, 3, "here twice, first on line 1"),
        ("- auth: {secret: KEY}\n", 1, 18, "needs 'algorithm'"),
        ("- auth: {algorithm: none, secret: KEY}\n", 1, 21, "not one of HS256, RS256"),
        ("- auth: {audience: shop}\n", 1, 20, "needs 'secret'"),
        ("- auth: {token: 'a b'}\n", 1, 17, "cannot name a secret"),
        ("- wasm:guard\n", 1, 3, "a target is"),
        ("- wasm:guard:check: {on: both}\n", 1, 26, "not one of request, response"),
        ("- {compression: {}, monitoring: {}}\n", 1, 21, "has one name"),
        ("- [compression]\n", 1, 3, "a list is not an interceptor"),
        ("compression\n", 1, 1, "must be a list"),
    ],
)
def test_every_mistake_is_an_error_at_its_place(text: str, line: int, column: int, part: str) -> None:
    problem = only(text)
    assert (problem.severity, problem.line, problem.column) == ("error", line, column), problem
    assert part in problem.message


def test_one_with_a_wrong_option_is_left_out_whole() -> None:
    found, _ = parsed("- rateLimit: {max: 5, windowMs: no}\n- compression\n")
    assert [one.kind for one in found] == ["compression"]


def test_the_documented_order_holds_however_they_are_written() -> None:
    names = ["cache", "transform: request.body", "filter: 'true'", "rateLimit", "auth", "timeout"]
    found, _ = parsed("".join(f"- {name}\n" for name in [*names, "compression", "logging", "monitoring"]))
    order = [one.kind for one in combined((), found)]
    assert order == [
        *("monitoring", "logging", "compression", "timeout", "auth", "rateLimit"),
        *("transform", "filter", "cache"),
    ]


def test_nothing_that_could_answer_comes_before_auth_and_rate_limit() -> None:
    api, _ = parsed("- cache\n- wasm:a:b\n- filter: 'true'\n", scope="api")
    own, _ = parsed("- rateLimit\n- auth\n")
    assert [one.kind for one in combined(api, own)] == ["auth", "rateLimit", "wasm", "filter", "cache"]


def test_an_endpoints_own_takes_the_place_of_its_apis() -> None:
    api, _ = parsed("- compression: {level: 1}\n- cache\n- rateLimit: {max: 100}\n", scope="api")
    own, _ = parsed("- compression: {level: 9}\n- cache: false\n- rateLimit: {max: 5}\n")
    found = combined(api, own)
    assert [(one.kind, one.scope) for one in found] == [
        ("compression", "endpoint"),
        ("rateLimit", "api"),
        ("rateLimit", "endpoint"),
    ]


def test_the_secrets_that_are_named() -> None:
    found, problems = parsed("- auth: {algorithm: HS256, secret: JWT_KEY}\n")
    assert not problems
    assert secrets(found) == {"JWT_KEY"}


SERVICE = """
name: shop
api:
  basePath: /api/shop
  interceptors: [monitoring]
  endpoints:
    - name: a
      method: GET
      path: /a
      to: wasm:m:f
      interceptors: %s
    - {name: b, method: GET, path: /b, to: 'wasm:m:f'}
"""


def loaded(interceptors: str) -> bundle.Definition:
    files = {"bundle.yaml": b"name: x\nservices: [{path: s.yaml}]\n", "wasm/m.wasm": b""}
    return bundle.load(files | {"s.yaml": (SERVICE % interceptors).encode()}, lambda name: frozenset({"f"}))


def test_an_endpoint_knows_all_that_wrap_it() -> None:
    first, second = loaded("[cache]").services[0].endpoints
    assert [one.kind for one in first.interceptors] == ["monitoring", "cache"]
    assert [one.kind for one in second.interceptors] == ["monitoring"]


def test_tokens_that_may_be_left_out_do_not_open_what_needs_a_key() -> None:
    problems = loaded("[auth: {required: false, token: T}]").problems
    assert [(p.severity, p.line) for p in problems] == [("error", 11)]
    assert "answers to keys only" in problems[0].message


def test_an_own_one_that_does_not_exist_is_told_as_any_target() -> None:
    problems = loaded("[wasm:m:g]").problems
    assert [(p.severity, p.line, p.message) for p in problems] == [
        ("warning", 11, "module 'm' has no function 'g'")
    ]


def test_thousands_of_them_are_refused_quickly() -> None:
    found, problems = parsed("".join("- filter: 'true'\n" for _ in range(5_000)))
    assert len(found) == 30
    assert "there may be 30" in problems[0].message


def test_kinds_are_told_apart_by_rank_and_every_option_says_what_it_does() -> None:
    for kind in KINDS.values():
        assert kind.help
        assert all(len(option.meaning) > 5 for option in kind.options.values())
        assert not kind.short or kind.short in kind.options
