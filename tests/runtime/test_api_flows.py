"""`/api/flows`: flows as texts in a bundle, saved with an eye on who saved before."""

import json
from typing import Any

import pytest
from django.utils import timezone

from billing.ids import uuid7
from bundles.models import Bundle, Flow, Revision
from runtime import deploy
from runtime.models import Execution

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

HELLO = """# a comment that stays
organism: {name: hello}
triggers:
  - {name: incoming, type: webhook, to: answer}
listeners:
  - name: answer
    handler: builtin:output
    with: {status: 200, body: "${payload}"}
"""
BROKEN = HELLO + "  - name: answer\n    handler: builtin:output\n"
J = "application/json"


def made(person: Any, name: str = "hello", text: str = HELLO, **more: Any) -> Any:
    body = {"name": name, "organism_yaml": text, **more}
    answer = person.api.post("/api/flows", body, content_type=J)
    assert answer.status_code == 201, answer.content
    return answer.json()


def put(person: Any, flow: Any, revision: Any = None, **body: Any) -> Any:
    headers = {} if revision is None else {"if-match": f'"{revision}"'}
    return person.api.put(f"/api/flows/{flow['id']}", body, content_type=J, headers=headers)


def newest() -> Revision:
    return Revision.objects.latest("number")


def test_a_flow_without_a_bundle_lives_in_the_bundle_default(alice: Any) -> None:
    flow = made(alice)
    assert (flow["name"], flow["status"], flow["bundle_name"], flow["revision"]) == (
        "hello",
        "stopped",
        "default",
        1,
    )
    assert flow["organism_yaml"] == HELLO
    assert made(alice, "other")["revision"] == 2
    assert Bundle.objects.get().name == "default"


def test_its_webhook_has_an_absolute_address_with_a_token(alice: Any, settings: Any) -> None:
    flow = made(alice)
    (trigger,) = flow["triggers"]
    assert (trigger["name"], trigger["type"]) == ("incoming", "webhook")
    assert len(trigger["token"]) == 32
    assert trigger["url"] == f"{settings.BASE_URL}/api/triggers/{flow['id']}/webhook/{trigger['token']}"


def test_who_may_not_call_sees_no_token(alice: Any, bob: Any) -> None:
    flow = made(alice)
    shown = bob.client.get(f"/api/flows/{flow['id']}").json()
    assert (shown["triggers"][0]["token"], shown["triggers"][0]["url"]) == ("", "")


def test_a_flow_of_nothing_begins_with_a_text_that_has_no_errors(alice: Any) -> None:
    flow = alice.api.post("/api/flows", {"name": "Order intake"}, content_type=J).json()
    assert flow["name"] == "Order-intake"
    assert not [one for one in flow["problems"] if one["severity"] == "error"]


def test_a_flow_with_errors_is_kept_with_its_problems_and_cannot_start(alice: Any) -> None:
    flow = made(alice, text=BROKEN)
    assert any(one["severity"] == "error" for one in flow["problems"])
    answer = alice.api.post(f"/api/flows/{flow['id']}/start")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["file"] == "flows/hello.yaml"
    assert Flow.objects.get().stopped


def test_a_stopped_faulty_flow_does_not_hinder_the_others_of_its_bundle(alice: Any) -> None:
    made(alice, "broken", text=BROKEN)
    good = made(alice, "good")
    assert alice.api.post(f"/api/flows/{good['id']}/start").status_code == 202
    deploy.start(Bundle.objects.get().pk)
    assert alice.api.get(f"/api/flows/{good['id']}/status").json()["status"] == "running"
    assert alice.api.post(f"/api/flows/{good['id']}/stop").json()["status"] == "stopped"


def test_saving_needs_the_revision_that_the_editor_has_seen(alice: Any) -> None:
    flow = made(alice)
    assert put(alice, flow, organism_yaml=HELLO + "# 1\n").status_code == 428
    saved = put(alice, flow, 1, organism_yaml=HELLO + "# 1\n")
    assert (saved.status_code, saved.json()["revision"], saved["etag"]) == (200, 2, '"2"')
    stale = put(alice, flow, 1, organism_yaml=HELLO + "# 2\n")
    assert stale.status_code == 412
    assert stale.json()["base"]["organism_yaml"] == HELLO
    assert stale.json()["current"]["organism_yaml"] == HELLO + "# 1\n"
    assert alice.api.get(f"/api/flows/{flow['id']}").json()["organism_yaml"] == HELLO + "# 1\n"


def test_a_save_passes_when_only_other_flows_changed_meanwhile(alice: Any) -> None:
    one, two = made(alice, "one"), made(alice, "two")
    assert put(alice, two, 2, organism_yaml=HELLO + "# two\n").status_code == 200
    assert put(alice, one, 2, organism_yaml=HELLO + "# one\n").status_code == 200
    assert alice.api.get(f"/api/flows/{two['id']}").json()["organism_yaml"] == HELLO + "# two\n"


def test_moving_nodes_makes_no_revision(alice: Any) -> None:
    flow = made(alice)
    saved = put(
        alice, flow, canvas_state={"nodes": {"answer": [1, 2]}}, folder="shop", tags=["a", "a", " b "]
    )
    assert saved.json()["revision"] == 1
    assert saved.json()["canvas_state"] == {"nodes": {"answer": [1, 2]}}
    assert (saved.json()["folder"], saved.json()["tags"]) == ("shop", ["a", "b"])
    assert Revision.objects.count() == 1


def test_a_save_that_changes_nothing_makes_no_revision(alice: Any) -> None:
    flow = made(alice)
    assert put(alice, flow, 1, organism_yaml=HELLO).json()["revision"] == 1


def test_a_renamed_flow_stays_the_same_flow(alice: Any) -> None:
    flow = made(alice)
    token = flow["triggers"][0]["token"]
    run = Execution.objects.create(
        id=uuid7(), tenant=alice.tenant, bundle=Bundle.objects.get(), revision=1, service="flow", name="hello",
        target="flow:hello:answer", trigger="webhook", status="success", created=timezone.now(),
    )  # fmt: skip
    renamed = put(alice, flow, 1, name="greeting").json()
    assert (renamed["id"], renamed["name"], renamed["path"]) == (
        flow["id"],
        "greeting",
        "flows/greeting.yaml",
    )
    assert renamed["triggers"][0]["token"] == token
    run.refresh_from_db()
    assert (run.name, run.target) == ("greeting", "flow:greeting:answer")
    assert list(newest().files) == ["bundle.yaml", "flows/greeting.yaml"]


def test_two_flows_of_a_bundle_cannot_have_one_name(alice: Any) -> None:
    made(alice, "one")
    other = made(alice, "two")
    taken = alice.api.post("/api/flows", {"name": "One"}, content_type=J)
    assert taken.status_code == 409
    assert put(alice, other, 2, name="one").status_code == 409
    assert Flow.objects.count() == 2


def test_a_copy_is_stopped_and_has_a_token_of_its_own(alice: Any) -> None:
    flow = made(alice, folder="shop")
    copy = alice.api.post(f"/api/flows/{flow['id']}/duplicate").json()
    again = alice.api.post(f"/api/flows/{flow['id']}/duplicate").json()
    assert [copy["name"], again["name"]] == ["hello-copy", "hello-copy-2"]
    assert (copy["organism_yaml"], copy["folder"], copy["status"]) == (HELLO, "shop", "stopped")
    assert copy["triggers"][0]["token"] != flow["triggers"][0]["token"]


def test_a_deleted_flow_is_gone_and_its_file_too(alice: Any) -> None:
    flow = made(alice)
    made(alice, "other")
    assert alice.api.delete(f"/api/flows/{flow['id']}").status_code == 204
    assert alice.api.get(f"/api/flows/{flow['id']}").status_code == 404
    assert "flows/hello.yaml" not in newest().files


def test_the_list_is_by_name_with_filters_and_pages(alice: Any, charlie: Any) -> None:
    for name in ("c", "a", "b"):
        made(alice, name, tags=[name], folder="x" if name == "a" else "")
    first = alice.api.get("/api/flows?limit=2").json()
    assert [one["name"] for one in first["items"]] == ["a", "b"]
    second = alice.api.get(f"/api/flows?limit=2&cursor={first['next']}").json()
    assert ([one["name"] for one in second["items"]], second["next"]) == (["c"], None)
    for query, names in {"tag=b": ["b"], "folder=x": ["a"], "q=C": ["c"]}.items():
        assert [one["name"] for one in alice.api.get(f"/api/flows?{query}").json()["items"]] == names
    assert charlie.api.get("/api/flows").json()["items"] == []


def test_a_pdflow_is_kept_as_one(alice: Any) -> None:
    text = json.dumps({"nodes": [], "edges": [], "metadata": {"name": "p"}})
    assert made(alice, "p", text=text)["path"] == "flows/p.pdflow"
    assert made(alice, "q", text=f"\ufeff{text}")["path"] == "flows/q.pdflow"


def test_an_organism_may_be_written_as_json(alice: Any) -> None:
    text = json.dumps({"organism": {"name": "p"}, "listeners": [{"name": "a", "handler": "builtin:output"}]})
    flow = made(alice, "p", text=text)
    assert (flow["path"], flow["problems"], flow["organism_yaml"]) == ("flows/p.yaml", [], text)
    inline = "{organism: {name: y}, listeners: [{name: a, handler: builtin:output}]}"
    assert made(alice, "y", text=inline)["problems"] == []


@pytest.mark.parametrize(
    "body",
    [{"name": "../x"}, {"name": "é"}, {"name": "x", "tags": ["t" * 41]}, {"name": "x", "folder": "a\x00"}],
)
def test_odd_names_are_refused_or_tamed(alice: Any, body: Any) -> None:
    answer = alice.api.post("/api/flows", body, content_type=J)
    assert answer.status_code == 422 or answer.json()["path"] == "flows/x.yaml"


def test_the_plan_bounds_the_number_of_flows(alice: Any) -> None:
    alice.tenant.plan_id = "free"
    alice.tenant.save()
    made(alice, "one")
    answer = alice.api.post("/api/flows", {"name": "two"}, content_type=J)
    assert answer.status_code == 429
    assert Flow.objects.count() == 1


def test_the_log_of_a_flow_has_its_runs_alone(alice: Any) -> None:
    flow = made(alice)
    bundle, now = Bundle.objects.get(), timezone.now()
    runs = (
        ("hello", "flow", "flow:hello:a"),
        ("other", "flow", "flow:other"),
        ("hello", "shop", "wasm:shop:hello"),
    )
    for name, service, target in (*runs, ("order", "shop", "flow:hello"), ("x", "shop", "flow:hello2")):
        Execution.objects.create(
            id=uuid7(), tenant=alice.tenant, bundle=bundle, revision=1, service=service, name=name,
            target=target, trigger="api", status="success", created=now, started=now, completed=now,
            logs=[[0, "info", f"{service} {name}"]], duration_us=2000, units_used=5,
        )  # fmt: skip
    lines = alice.api.get(f"/api/flows/{flow['id']}/logs").json()["items"]
    assert lines[0]["text"] == "flow hello"
    assert {(line["service"], line["name"]) for line in lines} == {("flow", "hello"), ("shop", "order")}
    stats = alice.api.get(f"/api/flows/{flow['id']}/stats").json()
    assert stats == {"runs_24h": 2, "runs_30d": 2, "failed_24h": 0, "p95_ms": 2.0, "units_30d": 10}


def test_variables_of_the_tenant_come_before_those_of_the_bundle(alice: Any) -> None:
    files = {"bundle.yaml": "name: b\nvars: {a: 1, b: 2}\n", "flows/hello.yaml": HELLO}
    bundle = alice.api.post("/api/bundles", {"files": files}, content_type=J).json()
    alice.api.post(f"/api/bundles/{bundle['id']}/run")
    alice.api.put("/api/vars/b", {"value": 3}, content_type=J)
    live = deploy.made(Bundle.objects.get(), alice.tenant)
    assert live is not None
    assert live.vars == {"a": 1, "b": 3}


def test_a_list_asks_the_database_as_often_however_long_it_is(
    alice: Any, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        made(alice, f"f{n}")
    with django_assert_max_num_queries(12):
        assert len(alice.api.get("/api/flows").json()["items"]) == 12


def test_a_deleted_flow_takes_the_files_along_that_it_alone_is_read_from(alice: Any) -> None:
    files = {"bundle.yaml": "name: b\n", "flows/a/organism.yaml": HELLO, "flows/c.yaml": HELLO}
    bundle = alice.api.post("/api/bundles", {"files": files}, content_type=J).json()
    (flow, _) = alice.api.get(f"/api/flows?bundle={bundle['id']}").json()["items"]
    assert (flow["name"], flow["path"]) == ("a", "flows/a/organism.yaml")
    assert alice.api.delete(f"/api/flows/{flow['id']}").status_code == 204
    assert list(newest().files) == ["bundle.yaml", "flows/c.yaml"]


def saved(person: Any, flow: Any, text: str) -> Any:
    number = person.api.get(f"/api/flows/{flow['id']}").json()["revision"]
    body = {"organism_yaml": text}
    answer = person.api.put(
        f"/api/flows/{flow['id']}", body, content_type=J, headers={"If-Match": f'"{number}"'}
    )
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_a_running_flow_that_is_saved_with_errors_hinders_no_other_and_runs_as_before(alice: Any) -> None:
    first, second = made(alice, "first"), made(alice, "second")
    assert alice.api.post(f"/api/flows/{first['id']}/start").status_code == 202
    saved(alice, first, BROKEN)
    assert alice.api.post(f"/api/flows/{second['id']}/start").status_code == 202
    assert alice.api.post(f"/api/flows/{first['id']}/start").status_code == 422
    found = alice.api.get(f"/api/flows/{first['id']}/status").json()
    assert (found["status"], found["live_revision"]) == ("running", found["revision"])
    assert "errors" in found["note"]
    live = deploy.made(Bundle.objects.get(), alice.tenant)
    assert live is not None
    assert live.flows.keys() == live.served.keys() == {"first", "second"}
    assert [hook.name for hook in live.served["first"].hooks] == ["incoming"]
    saved(alice, first, HELLO)
    assert alice.api.post(f"/api/flows/{first['id']}/start").status_code == 202
    assert alice.api.get(f"/api/flows/{first['id']}/status").json()["note"] == ""


def test_a_flow_that_never_was_without_errors_is_in_error_and_the_others_run(alice: Any) -> None:
    faulty, good = made(alice, "faulty", BROKEN), made(alice, "good")
    Flow.objects.filter(pk=faulty["id"]).update(stopped=False)
    assert alice.api.post(f"/api/flows/{good['id']}/start").status_code == 202
    found = {one["name"]: one["status"] for one in alice.api.get("/api/flows").json()["items"]}
    assert found == {"faulty": "error", "good": "running"}
    assert "does not run" in alice.api.get(f"/api/flows/{faulty['id']}/status").json()["note"]


def test_runs_are_found_by_the_id_of_their_flow(alice: Any) -> None:
    flow, other = made(alice, "a"), made(alice, "b")
    bundle = Bundle.objects.get()
    for name in ("a", "a", "b"):
        Execution.objects.create(
            id=uuid7(), tenant=alice.tenant, bundle=bundle, revision=1, target=f"flow:{name}", status="success",
            trigger="api", created=timezone.now(),
        )  # fmt: skip
    counts = [len(alice.api.get(f"/api/executions?flow={which}").json()["items"]) for which in
              (flow["id"], other["id"], "a", str(uuid7()))]  # fmt: skip
    assert counts == [2, 1, 2, 0]
