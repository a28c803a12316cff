"""The pages of flows: the list, one flow's pages, new ones; for whom, and that nothing written is ever markup."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from billing.ids import uuid7
from billing.redis import redis
from bundles.asked import Author
from bundles.celdocs import rows
from bundles.models import Bundle, Flow
from runtime import flowkept, flowstore
from runtime.flowexamples import examples
from runtime.models import Trigger
from tests.runtime.watching import a_run

pytestmark = pytest.mark.usefixtures("clean_redis")
HTMX = {"HX-Request": "true"}
EVIL = "<img src=x onerror=alert(1)>"
GREET = """\
# <b>hello</b>
organism: {name: greet, description: "<img src=x onerror=alert(1)>"}
memory: 16KiB
triggers:
  - {name: incoming, type: webhook, to: answer}
  - {name: nightly, type: schedule, cron: "0 2 * * *", timezone: Europe/Berlin, to: answer}
  - {name: door, type: sensor, sensor: opened, to: answer}
listeners:
  - {name: answer, handler: builtin:output, with: {body: "${payload}"}}
"""


def by(person: Any) -> Author:
    from billing.access import Principal

    scopes = frozenset({"read", "call", "write"})
    return Author(Principal(person.tenant.pk, person.tenant.slug, person.email, scopes, person.user.pk))


def a_flow(person: Any, name: str = "greet", text: str = GREET, **change: Any) -> Flow:
    made = flowstore.create(by(person), name=name, text=text)
    if change:
        Flow.objects.filter(pk=made.pk).update(**change)
        made.refresh_from_db()
    return made


def got(person: Any, path: str, status: int = 200, **query: str) -> str:
    answer = person.client.get(f"{path}?{urlencode(query)}" if query else path)
    assert answer.status_code == status, answer.content[:500]
    return str(answer.content.decode())


def flow_run(flow: Flow, **more: Any) -> Any:
    run = a_run(flow.bundle, **more)
    type(run).objects.filter(pk=run.pk).update(service="flow", name=flow.name, target=f"flow:{flow.name}")
    return run


def test_an_empty_list_says_what_to_do(alice: Any) -> None:
    page = got(alice, "/flows")
    assert "No flows yet" in page
    assert "/flows/new" in page
    assert all(one.title in page for one in examples())


def test_the_list_shows_folders_tags_triggers_and_figures(alice: Any) -> None:
    flow = a_flow(alice, folder="shop", tags=["orders"])
    for status in ("success", "success", "error"):
        flow_run(flow, status=status, units_used=5, duration_us=2000)
    page = got(alice, "/flows")
    for part in ("greet", "shop", "orders", "0 2 * * *", "opened", "webhook", "stopped", "2.0 ms", "15"):
        assert part in page
    assert "<img" not in page


def test_each_filter_of_the_list_filters(alice: Any) -> None:
    a_flow(alice, "alpha", folder="shop", tags=["orders"], starred_by=[alice.user.pk])
    a_flow(alice, "beta")
    for wanted in ({"q": "alpha"}, {"folder": "shop"}, {"tag": "orders"}, {"starred": "1"}):
        page = alice.client.get("/flows", wanted, headers=HTMX).content.decode()
        assert ">alpha</a>" in page, wanted
        assert ">beta</a>" not in page, wanted
    assert b"Nothing matches" in alice.client.get("/flows", {"status": "running"}).content


def test_a_poll_without_news_changes_nothing(alice: Any) -> None:
    flow = a_flow(alice)
    seen = alice.client.get("/flows", headers=HTMX).content.decode().partition("seen=")[2][:16]
    assert alice.client.get("/flows", {"seen": seen}, headers=HTMX).status_code == 204
    flow_run(flow)
    assert alice.client.get("/flows", {"seen": seen}, headers=HTMX).status_code == 200


def test_the_editor_gets_its_data_and_nothing_of_it_is_markup(alice: Any) -> None:
    flow = a_flow(alice)
    page = got(alice, f"/flow/{flow.pk}")
    assert "<img" not in page
    assert " style=" not in page
    data = json.loads(
        page.partition('<script id="editor-data" type="application/json">')[2].partition("</script>")[0]
    )
    assert data["flow"]["organism_yaml"] == GREET
    assert data["may_write"] is True
    assert {"builtin", "market", "custom"} == set(data["palette"])
    assert any(one["handler"] == "builtin:http" for one in data["palette"]["builtin"])
    assert data["functions"] == rows()
    assert data["urls"]["api"] == f"/api/flows/{flow.pk}"


def test_a_run_in_the_address_is_opened_and_anything_else_is_not(alice: Any) -> None:
    flow = a_flow(alice)
    run = flow_run(flow)
    assert f'"run": "{run.pk}"' in got(alice, f"/flow/{flow.pk}", run=str(run.pk))
    assert '"run": null' in got(alice, f"/flow/{flow.pk}", run="../../x")


def test_the_text_is_coloured_and_can_be_taken_away(alice: Any) -> None:
    flow = a_flow(alice)
    page = got(alice, f"/flow/{flow.pk}/yaml")
    assert "<b>hello" not in page
    assert 'class="nt"' in page
    assert page.count('class="line"') == len(GREET.splitlines())
    assert f"/bundles/{flow.bundle_id}/download/flows/greet.yaml" in page


def test_problems_of_the_text_are_shown_with_their_place(alice: Any) -> None:
    flow = a_flow(alice, text="organism: {name: x}\nlisteners:\n  - {name: a, handler: 'builtin:nothing'}\n")
    assert "flows/greet.yaml:3:" in got(alice, f"/flow/{flow.pk}/yaml")


def test_runs_are_filtered_and_open_on_the_canvas(alice: Any) -> None:
    flow, other = a_flow(alice), a_flow(alice, "other")
    good, bad, strange = flow_run(flow, duration_us=5000), flow_run(flow, status="error"), flow_run(other)
    page = got(alice, f"/flow/{flow.pk}/runs")
    assert f"/flow/{flow.pk}?run={good.pk}" in page
    assert str(strange.pk) not in page
    page = alice.client.get(f"/flow/{flow.pk}/runs", {"status": "error", "since": "24h"}).content.decode()
    assert str(bad.pk) in page
    assert str(good.pk) not in page
    page = got(alice, f"/flow/{flow.pk}/runs", longer="4")
    assert str(good.pk) in page
    assert str(bad.pk) not in page
    for nonsense in ({"longer": "nan"}, {"since": "x"}, {"before": "x"}):
        got(alice, f"/flow/{flow.pk}/runs", **nonsense)


def test_the_page_of_a_run_leads_to_its_flow(alice: Any) -> None:
    flow = a_flow(alice)
    run = flow_run(flow)
    assert f"/flow/{flow.pk}?run={run.pk}" in got(alice, f"/runs/{run.pk}")
    Flow.objects.all().delete()
    assert "/flow/" not in got(alice, f"/runs/{run.pk}").partition('id="run"')[2]


def kept(flow: Flow, key: str, value: str) -> None:
    redis().set(flowkept.prefix(flow) + key, value)


def test_memory_is_shown_and_deleted_one_key_or_all(alice: Any) -> None:
    flow, other = a_flow(alice), a_flow(alice, "other")
    for key in ("a", EVIL, "b"):
        kept(flow, key, json.dumps({"told": EVIL}))
    kept(other, "theirs", "1")
    page = got(alice, f"/flow/{flow.pk}/memory")
    assert "<img" not in page
    assert "theirs" not in page
    assert "3 keys" in page
    alice.client.post(f"/flow/{flow.pk}/memory", {"key": "a"})
    assert "2 keys" in got(alice, f"/flow/{flow.pk}/memory")
    alice.client.post(f"/flow/{flow.pk}/memory", {"all": "1"})
    assert "Nothing is kept yet" in got(alice, f"/flow/{flow.pk}/memory")
    assert "theirs" in got(alice, f"/flow/{other.pk}/memory")


def test_a_flow_without_memory_says_how_to_get_some(alice: Any) -> None:
    flow = a_flow(alice, text=GREET.replace("memory: 16KiB\n", ""))
    assert "memory: 64KiB" in got(alice, f"/flow/{flow.pk}/memory")


def test_triggers_have_addresses_that_can_be_changed(alice: Any) -> None:
    flow = a_flow(alice)
    page = got(alice, f"/flow/{flow.pk}/triggers")
    row = Trigger.objects.get(flow=flow, name="incoming")
    assert f"/api/triggers/{flow.pk}/webhook/{row.token}" in page
    assert "curl -H" in page
    assert "Europe/Berlin" in page
    assert (
        alice.client.post(f"/flow/{flow.pk}/triggers", {"do": "rotate", "trigger": "incoming"}).status_code
        == 302
    )
    page = got(alice, f"/flow/{flow.pk}/triggers")
    assert row.token not in page
    assert Trigger.objects.get(pk=row.pk).token in page


def test_a_trigger_is_turned_off_and_on_and_listens(alice: Any) -> None:
    flow = a_flow(alice)
    path = f"/flow/{flow.pk}/triggers"
    got(alice, path)
    alice.client.post(path, {"do": "disable", "trigger": "nightly"})
    assert not Trigger.objects.get(flow=flow, name="nightly").enabled
    alice.client.post(path, {"do": "enable", "trigger": "nightly"})
    assert Trigger.objects.get(flow=flow, name="nightly").enabled
    alice.client.post(path, {"do": "listen", "trigger": "incoming"})
    assert "listening" in got(alice, path)
    assert alice.client.get(path, {"listen": "incoming"}, headers=HTMX).status_code == 200
    assert alice.client.get(path, {"listen": "absent"}, headers=HTMX).status_code == 404


def test_folder_and_tags_are_set_without_a_revision(alice: Any) -> None:
    flow = a_flow(alice)
    alice.client.post(f"/flow/{flow.pk}/settings", {"folder": "shop", "tags": "a, b ,,a"})
    before = flow.bundle.revision
    flow.refresh_from_db()
    assert (flow.folder, flow.tags) == ("shop", ["a", "b"])
    assert Bundle.objects.get(pk=flow.bundle_id).revision == before
    alice.client.post(f"/flow/{flow.pk}/settings", {"folder": "x" * 200, "tags": ""})
    flow.refresh_from_db()
    assert flow.folder == "shop"


def test_a_favourite_is_a_persons_own(alice: Any, bob: Any) -> None:
    flow = a_flow(alice)
    bob.client.post(f"/flow/{flow.pk}/star")
    flow.refresh_from_db()
    assert flow.starred_by == [bob.user.pk]
    assert "Nothing matches" in got(alice, "/flows", starred="1")
    bob.client.post(f"/flow/{flow.pk}/star")
    flow.refresh_from_db()
    assert flow.starred_by == []


def test_start_stop_duplicate_and_delete(alice: Any) -> None:
    flow = a_flow(alice)
    assert alice.client.post(f"/flow/{flow.pk}/start", {"next": f"/flow/{flow.pk}/runs"})[
        "Location"
    ].endswith("/runs")
    flow.refresh_from_db()
    assert not flow.stopped
    assert alice.client.post(f"/flow/{flow.pk}/stop", {"next": "//evil.example"})["Location"] == "/flows"
    flow.refresh_from_db()
    assert flow.stopped
    alice.client.post(f"/flow/{flow.pk}/duplicate")
    assert sorted(Flow.objects.values_list("name", flat=True)) == ["greet", "greet-copy"]
    alice.client.post(f"/flow/{flow.pk}/delete")
    assert list(Flow.objects.values_list("name", flat=True)) == ["greet-copy"]


def test_a_flow_with_errors_is_not_started_and_its_problems_are_shown(alice: Any) -> None:
    flow = a_flow(alice, text="organism: {name: x}\nlisteners:\n  - {name: a, handler: 'builtin:nothing'}\n")
    answer = alice.client.post(f"/flow/{flow.pk}/start")
    assert answer["Location"] == f"/flow/{flow.pk}/yaml"
    flow.refresh_from_db()
    assert flow.stopped


def test_a_new_flow_from_scratch_from_a_template_and_from_a_text(alice: Any) -> None:
    for sent in (
        {"from": "scratch", "name": "mine"},
        {"from": "template", "template": "greet"},
        {"from": "text", "text": GREET, "name": "pasted"},
    ):
        answer = alice.client.post("/flows/new", sent)
        assert answer.status_code == 302, answer.content.decode()[-2000:]
    assert sorted(Flow.objects.values_list("name", flat=True)) == ["greet", "mine", "pasted"]
    assert flowstore.text(Flow.objects.get(name="pasted")) == GREET


def test_a_text_is_checked_before_anything_is_saved(alice: Any) -> None:
    wrong = "organism: {name: x}\nlisteners:\n  - {name: a, handler: 'builtin:nothing', description: '<b>'}\n"
    page = alice.client.post("/flows/new", {"from": "check", "text": wrong, "name": "x"}).content.decode()
    assert "flows/x.yaml:3:" in page
    assert "nothing" in page
    assert "&lt;b&gt;" in page
    assert not Flow.objects.exists()
    page = alice.client.post("/flows/new", {"from": "check", "text": GREET}).content.decode()
    assert "no problems" in page


def test_a_refused_new_flow_keeps_what_was_typed(alice: Any) -> None:
    a_flow(alice)
    answer = alice.client.post("/flows/new", {"from": "text", "text": GREET, "name": "greet"})
    assert answer.status_code == 409
    assert "&lt;b&gt;hello" in answer.content.decode()
    for sent in (
        {"from": "scratch", "name": "!"},
        {"from": "template", "template": "x"},
        {"from": "text"},
        {},
    ):
        assert alice.client.post("/flows/new", sent).status_code == 422
    assert Flow.objects.count() == 1


def test_a_viewer_reads_but_changes_nothing(alice: Any, bob: Any) -> None:
    flow = a_flow(alice)
    kept(flow, "a", "1")
    token = flow.triggers.get(name="incoming").token if flow.triggers.exists() else "…"
    for page in ("", "/yaml", "/runs", "/triggers", "/memory", "/settings"):
        shown = got(bob, f"/flow/{flow.pk}{page}")
        assert token not in shown
    for page in ("/triggers", "/memory", "/settings", "/start", "/stop", "/duplicate", "/delete"):
        assert bob.client.post(f"/flow/{flow.pk}{page}", {"all": "1", "do": "listen"}).status_code == 403, (
            page
        )
    assert bob.client.get("/flows/new").status_code == 403
    assert Flow.objects.count() == 1
    assert [one.key for one in flowkept.entries(flow)] == ["a"]


def test_charlie_sees_nothing_of_it(alice: Any, charlie: Any) -> None:
    flow = a_flow(alice)
    assert str(flow.pk) not in got(charlie, "/flows")
    for page in ("", "/yaml", "/runs", "/triggers", "/memory", "/settings"):
        got(charlie, f"/flow/{flow.pk}{page}", 404)
    for page in ("/triggers", "/memory", "/settings", "/start", "/stop", "/star", "/duplicate", "/delete"):
        assert charlie.client.post(f"/flow/{flow.pk}{page}", {"all": "1"}).status_code == 404, page
    into = {"from": "text", "text": GREET, "name": "mine", "bundle": str(flow.bundle_id)}
    assert charlie.client.post("/flows/new", into).status_code == 404
    assert Flow.objects.count() == 1


def test_the_dashboard_and_the_bundles_page_lead_to_the_flows(alice: Any) -> None:
    flow = a_flow(alice)
    run = flow_run(flow)
    page = got(alice, "/dashboard")
    assert f"/flow/{flow.pk}?run={run.pk}" in page
    page = got(alice, f"/bundles/{flow.bundle_id}")
    assert f'href="/flow/{flow.pk}"' in page
    assert "<img" not in page


def test_strangers_sign_in_first(db: None, client: Any) -> None:
    for path in ("/flows", "/flows/new", f"/flow/{uuid7()}", f"/flow/{uuid7()}/memory"):
        assert client.get(path)["Location"].startswith("/accounts/login/")
