"""Declared tests are run for real, on a state of their own; nothing else notices."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.redis import redis
from billing.secrets import put
from bundles import checks as declared
from bundles import store
from bundles.models import Bundle
from runtime import checks, importer
from runtime.models import Execution
from tests.runtime import stage

pytestmark = pytest.mark.django_db(transaction=True)

INTENTS = """
  - {name: count, whenSensor: tick, toFunc: 'wasm:counter:run', cooldown: 60s}
  - {name: also, whenSensor: both, toFunc: 'wasm:counter:run'}
  - {name: falls, whenSensor: both, toFunc: 'wasm:trapper:unreachable'}
"""
FIRST = b"""
- {name: one, request: {method: POST, path: /api/s/n}, expect: {status: 200, body: 1, writes: 1}}
- {name: two, request: {method: POST, path: /api/s/n/}, expect: {body: 2, writes: 1}}
- {name: three, sensor: tick, expect: {status: 200, body: 3}}
- {name: four, sensor: tick, expect: {status: 200, body: 4}}
- name: echo
  request: {method: POST, path: /api/s/e, body: {a: [1, {b: 2, c: 3}], d: null}}
  expect: {body: {a: [1, {b: 2}], d: null}, writes: 0}
- {name: fires, request: {method: POST, path: /api/s/f, body: {sensor: tick, payload: {x: 1}}}, expect: {status: 200}}
- {name: late, request: {method: POST, path: /api/s/n}, contract: wait, expect: {status: 504, writes: 0}}
- {name: refused, request: {method: POST, path: /api/s/n}, contract: refuse, expect: {status: 503, writes: 0}}
- {name: refused too, sensor: tick, contract: refuse, expect: {status: 503}}
- {name: no route, request: {path: /api/absent}, expect: {status: 404}}
- {name: no method, request: {method: DELETE, path: /api/s/n}, expect: {status: 405}}
"""
SECOND = b"""
- {name: begins anew, request: {method: POST, path: /api/s/n}, expect: {status: 200, body: 1}}
- {name: wrong status, request: {method: POST, path: /api/s/n}, expect: {status: 201}}
- {name: wrong body, request: {method: POST, path: /api/s/e, body: {a: 1}}, expect: {body: {a: true, b: 2}}}
- {name: wrong writes, request: {method: POST, path: /api/s/n}, expect: {writes: 0}}
- {name: wrong write, request: {method: POST, path: /api/s/n}, expect: {writes: {absent: 1}}}
- {name: falls, sensor: both, expect: {status: 200}}
"""


@pytest.fixture
def files() -> dict[str, bytes]:
    modules = ["counter", "echo", "firer", "trapper"]
    routes = {"POST_n": "wasm:counter:run", "POST_e": "wasm:echo:run", "POST_f": "wasm:firer:run"}
    files = stage.bundle_files("s", modules, INTENTS, **routes)
    return files | {"tests/a.yaml": FIRST, "tests/b.yaml": SECOND}


@pytest.fixture
def bundle(alice: Any, clean_redis: None, files: dict[str, bytes]) -> Bundle:
    done = store.import_files("test", alice.tenant, files)
    assert declared.read(files).problems == ()
    return done.bundle


@pytest.fixture
def results(bundle: Bundle) -> dict[str, checks.CheckResult]:
    return {f"{one.file[6]} {one.name}": one for one in checks.run_checks(bundle, store.newest(bundle))}


def test_what_holds_passes_one_after_the_other_on_one_state(results: dict[str, checks.CheckResult]) -> None:
    first = [one for key, one in results.items() if key[0] == "a"]
    assert [(one.name, one.reasons) for one in first] == [(one.name, []) for one in first]
    assert len(first) == 11
    assert results["b begins anew"].passed


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("wrong status", ["status is 200, expected 201"]),
        ("wrong body", ["body.a is 1, expected true", "body.b is missing, expected 2"]),
        ("wrong write", ["writes.absent was not written"]),
        ("falls", ["status is 502, expected 200"]),
    ],
)
def test_what_does_not_hold_says_why(
    results: dict[str, checks.CheckResult], name: str, reasons: list[str]
) -> None:
    found = results[f"b {name}"]
    assert (found.passed, found.reasons) == (False, reasons)
    assert found.line > 1


def test_a_wrong_count_of_writes_names_them(results: dict[str, checks.CheckResult]) -> None:
    assert results["b wrong writes"].reasons[0].startswith("1 writes: ")


def test_fires_are_shown_and_not_carried_out(results: dict[str, checks.CheckResult]) -> None:
    assert results["a fires"].fires == [{"sensor": "tick", "payload": {"x": 1}}]
    importer.drain()
    assert Execution.objects.count() == 0


def test_nothing_is_left_of_it(results: dict[str, checks.CheckResult]) -> None:
    assert [key for key in redis().keys("*") if b":kv:" in key or b"cooldown" in key] == []


def test_the_state_of_the_running_bundle_is_not_touched(alice: Any, bundle: Bundle) -> None:
    name = f"tenant:{bundle.tenant_id}:bundle:{bundle.pk}:kv:data"
    redis().hset(name, "count", "41")
    checks.run_checks(bundle, store.newest(bundle))
    assert redis().hgetall(name) == {b"count": b"41"}


def test_secrets_are_masked_in_what_is_shown(alice: Any, clean_redis: None, files: dict[str, bytes]) -> None:
    put(alice.tenant, "TOKEN", b"swordfish", ["h.example"])
    told = b"- {name: told, request: {method: POST, path: /api/s/e, body: swordfish}, expect: {body: x}}"
    head = b"secrets: [TOKEN]\n" + files["bundle.yaml"]
    own = files | {"bundle.yaml": head, "tests/a.yaml": told}
    bundle = store.import_files("test", alice.tenant, own).bundle
    found = checks.run_checks(bundle, store.newest(bundle))[0]
    assert "swordfish" not in str(replace(found, expected={}))


def test_tests_that_take_too_long_together_are_not_run(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "LONGEST_S", -1.0)
    found = checks.run_checks(bundle, store.newest(bundle))
    assert {one.passed for one in found} == {False}
    assert "not run" in found[0].reasons[0]


def test_rest_runs_them_for_those_who_may_call(alice: Any, bob: Any, charlie: Any, bundle: Bundle) -> None:
    answer = alice.api.post(f"/api/bundles/{bundle.pk}/tests")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["passed"], found["failed"], len(found["items"])) == (12, 5, 17)
    assert {"name", "file", "line", "passed", "expected", "actual"} <= found["items"][0].keys()
    assert bob.client.post(f"/api/bundles/{bundle.pk}/tests").status_code == 403
    assert charlie.api.post(f"/api/bundles/{bundle.pk}/tests").status_code == 404


def test_the_page_has_a_button_and_shows_what_came(alice: Any, bundle: Bundle) -> None:
    where = f"/bundles/{bundle.pk}/tests"
    assert b"Run the tests" in alice.client.get(where, headers={"HX-Request": "true"}).content
    page = alice.client.post(where).content.decode()
    for part in ("5 failed", "12 passed", "body.a is 1, expected true", "would fire", "tests/b.yaml#L4"):
        assert part in page


def test_the_command_fails_when_a_test_fails(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("test_bundle", "s", tenant="alice")
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "FAIL tests/b.yaml:3 wrong status" in said
    assert "12 passed, 5 failed" in said


def test_the_command_reads_a_folder_and_stores_nothing(
    alice: Any, clean_redis: None, files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "tests/b.yaml").unlink()
    call_command("test_bundle", str(tmp_path), tenant="alice", json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["passed"], found["failed"]) == (11, 0)
    assert Bundle.objects.count() == 0
    assert redis().keys("*:kv:*") == []


@pytest.mark.parametrize(("source", "tenant"), [("absent", "alice"), ("s", "nobody")])
def test_the_command_says_what_is_not_there(bundle: Bundle, source: str, tenant: str) -> None:
    with pytest.raises(CommandError):
        call_command("test_bundle", source, tenant=tenant)
