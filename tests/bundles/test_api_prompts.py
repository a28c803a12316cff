"""POST /api/prompts/compile: files and values in, text and problems out, nothing kept."""

import base64
import time
from typing import Any

import pytest
from django.test import Client
from redis.exceptions import RedisError

from billing import effort
from billing.effort import Effort
from billing.redis import redis
from bundles import api_prompts, compilerate
from bundles.models import Binary, Bundle
from tests.bundles.promptsamples import prmd

pytestmark = pytest.mark.django_db
MAIN = "prompts/a.prmd"


def ask(client: Client, body: str, params: dict[str, Any] | None = None, **more: Any) -> Any:
    files = {MAIN: prmd(body, "parameters: [name]\n").decode(), **more.pop("files", {})}
    asked = {"files": files, "main": MAIN, "params": params or {}, **more}
    return client.post("/api/prompts/compile", asked, content_type="application/json")


def test_a_prompt_is_compiled(alice: Any) -> None:
    answer = ask(alice.api, "Hello {{ name }}", {"name": "Ann"})
    assert (answer.status_code, answer.json()) == (200, {"output": "Hello Ann", "problems": []})


def test_it_may_be_messages_and_have_files_that_are_not_text(alice: Any) -> None:
    files = {"prompts/b.txt": {"base64": base64.b64encode("é".encode()).decode()}}
    answer = ask(alice.api, "# User\n\n[file:b.txt]", format="openai", files=files)
    assert answer.json()["output"] == [{"role": "user", "content": "é"}]


def test_problems_stand_beside_what_could_be_made(alice: Any) -> None:
    answer = ask(alice.api, "Hello {{ name }} {% if %}", {"name": "Ann"}).json()
    assert answer["output"] == "Hello Ann {% if %}"
    [problem] = answer["problems"]
    assert (problem["code"], problem["file"], problem["line"]) == ("TEMPLATE_SYNTAX_ERROR", MAIN, 7)
    assert problem["severity"] == "error"


@pytest.mark.parametrize(
    "wrong",
    [
        {"main": "x" * 600},
        {"format": "html"},
        {"files": {"../a": "x"}},
        {"files": {"/etc/passwd": "x"}},
        {"files": {"a": {"base64": "!"}}},
        {"files": {"a": 3}},
        {"params": [1]},
        {"else": 1},
    ],
)
def test_what_has_another_form_is_refused(alice: Any, wrong: dict[str, Any]) -> None:
    assert ask(alice.api, "a", **wrong).status_code == 422


def test_a_main_that_is_not_there_is_a_problem(alice: Any) -> None:
    answer = ask(alice.api, "a", main="b.prmd")
    assert answer.json()["output"] == ""
    assert answer.json()["problems"][0]["code"] == "NOT_FOUND"


def test_too_much_is_refused_before_it_is_read(alice: Any) -> None:
    assert ask(alice.api, "a", files={"b": "x" * (8 * 1024 * 1024)}).status_code == 413


def test_a_template_without_end_is_stopped(alice: Any) -> None:
    body = "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}"
    before = time.monotonic()
    answer = ask(alice.api, body)
    assert answer.json()["problems"][0]["code"] == "TEMPLATE_SYNTAX_ERROR"
    assert time.monotonic() - before < 10


def test_nothing_is_kept(alice: Any) -> None:
    ask(alice.api, "a")
    assert (Bundle.objects.count(), Binary.objects.count()) == (0, 0)


@pytest.fixture
def one_minute(clean_redis: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "minute", lambda: 7)


def used(pattern: str = "compile:*") -> list[int]:
    return sorted(int(redis().get(key) or 0) for key in redis().keys(pattern))


@pytest.mark.usefixtures("one_minute")
def test_a_request_costs_what_its_templates_take(alice: Any) -> None:
    ask(alice.api, "Hello")
    (small,) = used()
    assert small < 2 * compilerate.A_REQUEST
    ask(alice.api, "{{ name }}" * 1_000)
    (read,) = used()
    assert read > small + 3 * 1_000 * compilerate.A_WORD
    ask(alice.api, "{% for n in range(2000) %}{{ n }}{% endfor %}")
    assert used()[0] > read + compilerate.A_REQUEST + 2_000


@pytest.mark.usefixtures("one_minute")
def test_who_has_used_this_minutes_steps_waits_and_nobody_else_does(
    alice: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilerate, "COMPILING", Effort("compile", 2 * compilerate.A_REQUEST, "Too much."))
    assert [ask(alice.api, "Hello").status_code for _ in range(2)] == [200, 200]
    before = used()
    refused = ask(alice.api, "Hello")
    assert (refused.status_code, used()) == (429, before)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["content-type"] == "application/problem+json"
    assert ask(alice.client, "Hello", headers={}).status_code != 429
    assert ask(bob.client, "Hello").status_code != 429
    monkeypatch.setattr(effort, "minute", lambda: 8)
    assert ask(alice.api, "Hello").status_code == 200


@pytest.mark.usefixtures("one_minute")
def test_templates_have_so_many_words_together(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted while they are read, so that no request holds a worker for long, however it spreads them."""
    monkeypatch.setattr(api_prompts, "MAX_WORDS", 1_000)
    dense = "{{ name }}" * 200
    assert ask(alice.api, dense, {"name": "a"}).json() == {"output": "a" * 200, "problems": []}
    parts = {f"prompts/p{n}.md": dense for n in range(4)}
    whole = "".join(f'{{% include "p{n}.md" %}}' for n in range(4))
    for body, more in ((dense * 3, {}), (whole, {"files": parts}), (dense, {"format": "openai"})):
        (problem,) = ask(alice.api, body, {"name": "a"}, **more).json()["problems"]
        assert problem["code"] == "TEMPLATE_SYNTAX_ERROR"
        assert "words together" in problem["message"]


def test_without_the_store_nobody_compiles_uncounted(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise RedisError("away")

    monkeypatch.setattr(effort, "redis", away)
    assert ask(alice.api, "Hello").status_code == 503
