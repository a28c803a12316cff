"""Services: intents, endpoints, which contract applies, and what is refused about routes."""

import pytest

from bundles import service, values
from bundles.service import Service
from bundles.values import Mapping, Problem, Report


def read(text: str) -> tuple[Service, tuple[Problem, ...]]:
    root = values.parse(text.encode(), file="a.yaml").root
    assert isinstance(root, Mapping)
    report = Report()
    return service.read(root, report, name="cart", outer={}), report.problems()


def endpoint(fields: str) -> tuple[Service, tuple[Problem, ...]]:
    return read(f"name: cart\napi:\n  basePath: /api/v1/cart\n  endpoints:\n    - {{{fields}}}\n")


GOOD = 'name: get, method: GET, path: "/:id", to: "wasm:cart:get"'


def test_an_endpoint_reads() -> None:
    found, problems = endpoint(GOOD + ", description: Get it")
    assert not problems
    one = found.endpoints[0]
    assert (one.service, one.name, one.method, one.path, str(one.to)) == (
        "cart",
        "get",
        "GET",
        "/:id",
        "wasm:cart:get",
    )
    assert (one.auth, one.goal, one.file, one.line, one.description) == ("key", None, "a.yaml", 5, "Get it")


def test_public_comes_from_the_api_or_the_endpoint() -> None:
    found, _ = endpoint(GOOD + ", auth: public")
    assert found.endpoints[0].auth == "public"
    found, problems = read(
        "name: a\napi:\n  basePath: /a\n  auth: public\n  endpoints:\n"
        "    - {name: x, method: GET, path: /x, to: 'wasm:a:x'}\n"
        "    - {name: y, method: GET, path: /y, to: 'wasm:a:y', auth: key}\n"
    )
    assert not problems
    assert [one.auth for one in found.endpoints] == ["public", "key"]


@pytest.mark.parametrize(
    ("cors", "expected"),
    [
        ("true", ("*",)),
        ('"*"', ("*",)),
        ("false", ()),
        ("[https://a.org, 'http://localhost:3000']", ("https://a.org", "http://localhost:3000")),
    ],
)
def test_cors_reads(cors: str, expected: tuple[str, ...]) -> None:
    found, problems = read(f"name: a\napi: {{basePath: /a, cors: {cors}}}\n")
    assert not problems
    assert found.cors == expected


@pytest.mark.parametrize(
    "cors", ["[nonsense]", "[https://a.org/path]", "5", "[{a: 1}]", "['https://a.org\\n']"]
)
def test_a_cors_origin_must_be_an_origin(cors: str) -> None:
    found, problems = read(f"name: a\napi: {{basePath: /a, cors: {cors}}}\n")
    assert found.cors == ()
    assert [problem.severity for problem in problems] == ["error"]


@pytest.mark.parametrize(
    "path",
    [
        "products",
        "//",
        "/a//b",
        "/..",
        "/../../admin",
        "/a/./b",
        "/:a/:a",
        "/:",
        "/:1",
        "/a:b",
        "/*",
        "/a/*",
        "/x?x=1",
        "/%2e",
        "/a#b",
        "/a b",
        "/{id}",
        "/ü",
        "/a\u200b",
        "/" + "a" * 500,
        "/a" * 21,
        "",
        "/a\\b",
        "/:a-b",
        "http://x/",
    ],
)
def test_a_path_that_plays_tricks_is_refused(path: str) -> None:
    written = path.replace("\\", "\\\\")
    found, problems = read(
        "name: a\napi:\n  basePath: /a\n  endpoints:\n"
        f'    - name: x\n      method: GET\n      path: "{written}"\n      to: "wasm:a:x"\n'
    )
    assert found.endpoints == ()
    assert [(p.severity, p.line, p.column) for p in problems] == [("error", 7, 13)]


@pytest.mark.parametrize("base", ["api", "/:tenant/api", "/../x", "//x", "/a b", "/%61", "/a?b"])
def test_a_base_path_that_plays_tricks_is_refused(base: str) -> None:
    found, problems = read(f'name: a\napi:\n  basePath: "{base}"\n  endpoints: [{{{GOOD}}}]\n')
    assert (found.base_path, found.endpoints) == ("", ())
    assert [(p.severity, p.line, p.column) for p in problems] == [("error", 3, 13)]


@pytest.mark.parametrize(
    ("base", "path"),
    [("/prompts", "/x"), ("/", "/forms/x"), ("/graphql", "/"), ("/openapi.json", "/"), ("/Forms", "/")],
)
def test_routes_of_the_platform_are_reserved(base: str, path: str) -> None:
    found, problems = read(
        f'name: a\napi:\n  basePath: "{base}"\n'
        f'  endpoints: [{{name: x, method: GET, path: "{path}", to: "wasm:a:x"}}]\n'
    )
    assert found.endpoints == ()
    assert ["which the platform itself answers" in problem.message for problem in problems] == [True]


def test_an_api_at_the_root_of_the_tenant_is_fine() -> None:
    found, problems = read(f'name: a\napi:\n  basePath: "/"\n  endpoints: [{{{GOOD}}}]\n')
    assert not problems
    assert found.base_path == ""


@pytest.mark.parametrize(
    ("method", "severity", "words"),
    [
        ("get", "warning", "'method' is 'get'"),
        ("HEAD", "error", "not one of GET, POST, PUT, DELETE, PATCH"),
        ("PSOT", "error", "did you mean 'POST'?"),
        ("FETCH", "error", "not one of"),
    ],
)
def test_methods_are_five(method: str, severity: str, words: str) -> None:
    found, problems = endpoint(GOOD.replace("GET", method))
    assert [problem.severity for problem in problems] == [severity]
    assert words in problems[0].message
    assert [one.method for one in found.endpoints] == (["GET"] if method == "get" else [])


@pytest.mark.parametrize("missing", ["name", "method", "path", "to"])
def test_an_endpoint_needs_all_four(missing: str) -> None:
    parts = [part for part in GOOD.split(", ") if not part.startswith(missing)]
    found, problems = endpoint(", ".join(parts))
    assert found.endpoints == ()
    assert [problem.message for problem in problems] == [f"an endpoint needs '{missing}'"]


def test_interceptors_are_read() -> None:
    found, problems = endpoint(GOOD + ", interceptors: [{rateLimit: {max: 5}}]")
    assert not problems
    assert [(one.kind, one.options) for one in found.endpoints[0].interceptors] == [("rateLimit", {"max": 5})]


def test_an_intent_reads() -> None:
    found, problems = read(
        "name: cart\nintents:\n  - name: expire\n    whenSensor: cartInactive\n    toFunc: wasm:cart:clean\n"
        "    primitiveIntent: cleanup\n    cooldown: 5s\n    retries: 2\n"
        "    expiresIn: 24h\n    expectedDuration: 30s\n"
        "  - {name: plain, whenSensor: s, toFunc: 'flow:f'}\n"
    )
    assert not problems
    one, two = found.intents
    assert (one.when_sensor, str(one.to), one.primitive) == ("cartInactive", "wasm:cart:clean", "cleanup")
    assert (one.cooldown_ms, one.retries, one.expires_in_ms, one.expected_duration_ms) == (
        5000,
        2,
        86_400_000,
        30_000,
    )
    assert (two.primitive, two.cooldown_ms, two.retries, two.expires_in_ms) == ("stateMutation", 0, 0, None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("whenSensor: s, toFunc: 'wasm:a:b'", "an intent needs 'name'"),
        ("name: n, toFunc: 'wasm:a:b'", "an intent needs 'whenSensor'"),
        ("name: n, whenSensor: s", "an intent needs 'toFunc'"),
        ("name: n, whenSensor: s, toFunc: cart", "a target is wasm:MODULE:FUNCTION"),
        (
            "name: n, whenSensor: s, toFunc: 'wasm:a:b', primitiveIntent: transction",
            "did you mean 'transaction'?",
        ),
        ("name: n, whenSensor: s, toFunc: 'wasm:a:b', retries: 101", "must be from 0 to 100"),
        ("name: n, whenSensor: s, toFunc: 'wasm:a:b', cooldown: 5", "without a unit"),
    ],
)
def test_an_intent_that_cannot_work_is_named(fields: str, words: str) -> None:
    _, problems = read(f"name: a\nintents:\n  - {{{fields}}}\n")
    assert [(problem.severity, problem.line) for problem in problems] == [("error", 3)]
    assert words in problems[0].message


@pytest.mark.parametrize("kind", ["intents", "endpoints"])
def test_a_name_may_be_used_once(kind: str) -> None:
    intent = "  - {name: n, whenSensor: s, toFunc: 'wasm:a:b'}\n"
    text = {
        "intents": "name: a\nintents:\n\n" + intent * 2,
        "endpoints": f"name: a\napi:\n  basePath: /a\n  endpoints: [{{{GOOD}}},\n {{{GOOD}}}]\n",
    }[kind]
    found, problems = read(text)
    assert len(found.intents) + len(found.endpoints) == 1
    assert [problem.line for problem in problems] == [5]
    assert "is defined twice, first on line 4" in problems[0].message


TWO_GOALS = """\
name: payment
resourceContract: {maxWaitTime: 9s}
goals:
  - {name: fast, metric: latency, target: "< 1s", resourceContract: {priority: high, computeUnits: 50}}
  - name: safe
    metric: uptime
    target: "> 99%"
    resourceContract: {priority: critical, computeUnits: 20, fallbackBehavior: fail}
  - {name: free, metric: uptime, target: "> 9%"}
api:
  basePath: /p
  endpoints:
    - {name: all, method: GET, path: /all, to: "wasm:p:a"}
    - {name: one, method: GET, path: /one, to: "wasm:p:a", goal: fast}
    - {name: bare, method: GET, path: /bare, to: "wasm:p:a", goal: free}
intents:
  - {name: pay, whenSensor: s, toFunc: "wasm:p:a", goal: safe}
"""


def test_an_endpoint_runs_under_its_goal_else_under_all_of_them() -> None:
    found, problems = read(TWO_GOALS)
    assert not problems
    everything, one, bare = (endpoint.contract for endpoint in found.endpoints)
    assert (everything.priority, everything.compute_units, everything.fallback) == ("critical", 50, "fail")
    assert (everything.max_wait_ms, everything.sources["max_wait_ms"]) == (9000, "service cart")
    assert (one.priority, one.compute_units, one.fallback) == ("high", 50, "queue")
    assert (bare.priority, bare.compute_units_written, bare.max_wait_ms) == ("normal", False, 9000)
    assert found.intents[0].contract.compute_units == 20
    assert found.contract.priority == "normal"


def test_an_unknown_goal_is_an_error_with_a_hint() -> None:
    _, problems = endpoint(GOOD + ", goal: fast")
    assert [problem.message for problem in problems] == ["the goal 'fast' is not defined in this service"]
    _, problems = read(TWO_GOALS.replace("goal: safe", "goal: save"))
    assert [problem.message for problem in problems] == [
        "the goal 'save' is not defined in this service, did you mean 'safe'?"
    ]
