"""Interceptors in the front matter of prompts, and what the endpoints that call them say to it."""

from bundles import bundle

SERVICE = """
name: shop
api:
  basePath: /api/shop
  endpoints:
    - {name: a, method: POST, path: /a, to: 'prompt:ask', interceptors: %s}
    - {name: b, method: POST, path: /b, to: 'prompt:other'}
"""
HEAD = "---\nid: %s\nname: Ask\nversion: 1.0.0\ninterceptors:\n%s---\nHello\n"


def loaded(written: str, own: str = "[]") -> bundle.Definition:
    files = {
        "bundle.yaml": b"name: x\nservices: [{path: s.yaml}]\n",
        "s.yaml": (SERVICE % own).encode(),
        "prompts/ask.prmd": (HEAD % ("ask", written)).encode(),
        "prompts/other.prmd": b"---\nid: other\nname: Other\nversion: 1.0.0\n---\nHello\n",
    }
    return bundle.load(files)


def test_they_lie_within_those_of_the_endpoint_that_calls_it() -> None:
    found = loaded("  - filter: request.body.ok\n  - rateLimit: {max: 5}\n", "[filter: 'true']")
    assert not found.has_errors, found.problems
    first, second = found.services[0].endpoints
    assert [(one.kind, one.scope) for one in first.interceptors] == [
        ("rateLimit", "prompt"),
        ("filter", "endpoint"),
        ("filter", "prompt"),
    ]
    assert second.interceptors == ()
    assert [one.kind for one in found.prompt_interceptors["ask"]] == ["filter", "rateLimit"]


def test_a_prompt_takes_nothing_away_from_its_endpoint() -> None:
    own = "[auth: {algorithm: HS256, secret: KEY}, cache: {ttl: 5s}]"
    for written in ("  - auth: false\n", "  - auth: {required: true}\n  - cache: {shared: true}\n"):
        first = loaded(written, own).services[0].endpoints[0]
        assert [(one.kind, one.scope) for one in first.interceptors] == [
            ("auth", "endpoint"),
            ("cache", "endpoint"),
        ]
        assert first.interceptors[0].options["secret"] == "KEY"


def test_mistakes_are_told_at_their_line_of_the_prompt() -> None:
    found = loaded("  - compression\n  - ratelimit: {max: 5}\n")
    told = [(one.file, one.line, one.severity) for one in found.problems if "interceptor" in one.message]
    assert told == [("prompts/ask.prmd", 7, "error")]


def test_tokens_that_may_be_left_out_do_not_open_an_endpoint_for_keys() -> None:
    found = loaded("  - auth: {required: false, token: T}\n")
    assert any("answers to keys only" in one.message for one in found.problems)
