"""Rows of flows follow the newest revision; their canvas travels with imports and exports."""

import json
from io import BytesIO
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest

from billing.redis import redis
from bundles import flowrows, history, store
from bundles.models import Bundle, Flow, Revision
from tests.bundles.samples import zipped

pytestmark = pytest.mark.django_db
FLOW = b'organism: {name: a}\nlisteners: [{name: out, handler: "builtin:output"}]\n'
BROKEN = (
    b"organism: {name: a}\nlisteners: [{name: out, handler: 'builtin:output'}, {name: out, handler: 'x:y'}]\n"
)
FILES = {"bundle.yaml": b"name: b\n", "flows/a.yaml": FLOW, "flows/c.yaml": FLOW}
CANVAS = {"nodes": {"out": {"x": 1, "y": 2}}}


def imported(person: Any, files: dict[str, bytes]) -> Bundle:
    return store.import_files("test", person.tenant, files).bundle


def names(bundle: Bundle) -> list[str]:
    return [flow.name for flow in Flow.objects.filter(bundle=bundle).order_by("name")]


def test_an_import_makes_a_row_for_each_flow_and_keeps_the_known_ones(alice: Any) -> None:
    bundle = imported(alice, FILES)
    first = Flow.objects.get(name="a").pk
    imported(alice, FILES | {"flows/d.yaml": FLOW})
    assert names(bundle) == ["a", "c", "d"]
    assert Flow.objects.get(name="a").pk == first


def test_a_flow_whose_file_is_gone_is_gone_with_all_that_it_kept(
    alice: Any, clean_redis: None, django_capture_on_commit_callbacks: Any
) -> None:
    bundle = imported(alice, FILES)
    flow, other = Flow.objects.get(name="a"), Flow.objects.get(name="c")
    for row in (flow, other):
        redis().set(f"tenant:{alice.tenant.pk}:flow:{row.pk}:memory:count", "1")
    with django_capture_on_commit_callbacks(execute=True):
        store.delete_file("test", bundle, "flows/a.yaml", expected=1)
    assert names(bundle) == ["c"]
    assert redis().keys("tenant:*:flow:*") == [
        f"tenant:{alice.tenant.pk}:flow:{other.pk}:memory:count".encode()
    ]


def test_a_deleted_bundle_takes_what_its_flows_kept_along(
    alice: Any, clean_redis: None, django_capture_on_commit_callbacks: Any
) -> None:
    bundle = imported(alice, FILES)
    redis().set(f"tenant:{alice.tenant.pk}:flow:{Flow.objects.get(name='a').pk}:memory:count", "1")
    with django_capture_on_commit_callbacks(execute=True):
        store.delete("test", bundle)
    assert redis().keys("tenant:*:flow:*") == []
    assert not Flow.objects.exists()


def test_a_revert_brings_a_flow_back_as_a_new_one(alice: Any) -> None:
    bundle = imported(alice, FILES)
    before = Flow.objects.get(name="a").pk
    store.delete_file("test", bundle, "flows/a.yaml", expected=1)
    store.revert("test", bundle, 1)
    assert names(bundle) == ["a", "c"]
    assert Flow.objects.get(name="a").pk != before


def test_a_canvas_comes_with_an_import_and_goes_with_an_export(alice: Any) -> None:
    bundle = imported(alice, FILES | {"canvas/a.json": json.dumps(CANVAS).encode()})
    assert Flow.objects.get(name="a").canvas == CANVAS
    moved = {"nodes": {"out": {"x": 9, "y": 9}}}
    Flow.objects.filter(name="a").update(canvas=moved)
    exported = history.export(Revision.objects.get(bundle=bundle))
    with ZipFile(BytesIO(exported)) as archive:
        assert json.loads(archive.read("canvas/a.json")) == moved
        assert archive.read("flows/a.yaml") == FLOW


def test_an_export_imports_again_with_its_canvases(alice: Any, charlie: Any) -> None:
    bundle = imported(alice, FILES)
    Flow.objects.filter(name="c").update(canvas=CANVAS)
    exported = history.export(Revision.objects.get(bundle=bundle))
    answer = charlie.api.post("/api/bundles/upload", {"file": BytesIO(exported)})
    assert answer.status_code == 201, answer.content
    assert Flow.objects.get(bundle_id=answer.json()["id"], name="c").canvas == CANVAS


@pytest.mark.parametrize("data", [b"[1]", b"{", b"\xff", b"[" * 100_000, b'{"a": "' + b"x" * 600_000 + b'"}'])
def test_a_canvas_that_cannot_be_read_is_left_out(alice: Any, data: bytes) -> None:
    imported(alice, FILES | {"canvas/a.json": data})
    assert Flow.objects.get(name="a").canvas == {}


def test_a_faulty_flow_is_imported_stopped_and_its_bundle_runs(alice: Any, clean_redis: None) -> None:
    files = FILES | {"flows/a.yaml": BROKEN}
    answer = alice.api.post("/api/bundles/upload", {"file": BytesIO(zipped(files))})
    assert answer.status_code == 201, answer.content
    assert any(one["severity"] == "error" for one in answer.json()["problems"])
    assert {row.name: row.stopped for row in Flow.objects.all()} == {"a": True, "c": False}
    assert alice.api.post(f"/api/bundles/{answer.json()['id']}/run").status_code == 202


def test_a_faulty_flow_that_is_not_stopped_hinders_the_run(alice: Any) -> None:
    bundle = imported(alice, FILES)
    store.put_file("test", bundle, "flows/a.yaml", BROKEN, expected=1)
    refused = alice.api.post(f"/api/bundles/{bundle.pk}/run")
    assert (refused.status_code, refused.json()["errors"][0]["file"]) == (422, "flows/a.yaml")


def test_the_plan_bounds_the_flows_of_an_import(alice: Any) -> None:
    alice.tenant.plan_id = "free"
    alice.tenant.save()
    files = {path: data.decode() for path, data in FILES.items()}
    refused = alice.api.post("/api/bundles", {"files": files}, content_type="application/json")
    assert refused.status_code == 429
    assert not Bundle.objects.exists()
    assert not Flow.objects.exists()


def test_what_a_deletion_left_behind_is_swept(alice: Any, clean_redis: None) -> None:
    imported(alice, FILES)
    kept = f"tenant:{alice.tenant.pk}:flow:{Flow.objects.get(name='a').pk}:memory:count"
    left = f"tenant:{alice.tenant.pk}:flow:{uuid4()}:memory:count"
    other = f"tenant:{alice.tenant.pk}:bundle:{uuid4()}:kv:data"
    for key in (kept, left, other):
        redis().set(key, "1")
    assert flowrows.sweep() == 1
    assert sorted(redis().keys("*")) == sorted([kept.encode(), other.encode()])
