"""Starting flows by hand, by sensors, and after a wait: what was acknowledged runs, once, and nothing is lost."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing import variables
from runtime import importer, worker
from runtime.deploy import ready
from runtime.models import Execution, Trigger
from runtime.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
J = "application/json"
ECHO = """organism: {name: echo}
triggers:
  - {name: by-hand, type: manual, to: answer}
  - {name: stock, type: sensor, sensor: low, to: answer}
listeners:
  - {name: other, handler: "builtin:output", with: {status: 200, body: "other"}}
  - {name: answer, handler: "builtin:output", with: {status: 200, body: {got: "${payload}", n: "${vars.n}"}}}
"""
APPROVAL = """organism: {name: approval}
triggers: [{name: by-hand, type: manual, to: ask}]
listeners:
  - {name: ask, handler: "builtin:wait", with: {timeout: 48h}, peers: [done], onError: late}
  - {name: done, handler: "builtin:output", with: {status: 200, body: "${payload}"}}
  - {name: late, handler: "builtin:output", with: {status: 200, body: "late"}}
"""


def flow_of(person: Any, text: str, name: str = "echo", *, start: bool = True) -> Any:
    flow = person.api.post("/api/flows", {"name": name, "organism_yaml": text}, content_type=J).json()
    if start:
        answer = person.api.post(f"/api/flows/{flow['id']}/start")
        assert answer.json()["status"] == "running", answer.content
    return flow


def inject(person: Any, flow: Any, **body: Any) -> Any:
    return person.api.post(f"/api/triggers/{flow['id']}/inject", body, content_type=J)


@pytest.fixture
def work() -> Callable[..., None]:
    """Run a worker until nothing is queued."""

    def until_done(seconds: float = 15) -> None:
        runner = Worker()
        runner.start()
        try:
            limit = timezone.now() + timedelta(seconds=seconds)
            while timezone.now() < limit:
                importer.drain()
                if not Execution.objects.filter(status__in=("queued", "running")).exists():
                    break
                threading.Event().wait(0.05)
        finally:
            runner.stop()
        importer.drain()

    return until_done


def test_an_injected_payload_is_queued_and_then_run(alice: Any, work: Any) -> None:
    variables.put(alice.tenant, "n", 7)
    flow = flow_of(alice, ECHO)
    answer = inject(alice, flow, payload={"a": 1})
    assert answer.status_code == 202
    run = answer.json()["execution"]
    assert alice.api.get(f"/api/executions/{run}").json()["status"] == "queued"
    work()
    shown = alice.api.get(f"/api/executions/{run}").json()
    assert (shown["status"], shown["trigger"], shown["output"]) == (
        "success",
        "manual",
        {"got": {"a": 1}, "n": 7},
    )
    assert shown["target"] == "flow:echo:answer"


def test_a_change_of_a_variable_is_seen_by_the_next_run(alice: Any, work: Any) -> None:
    flow = flow_of(alice, ECHO)
    outputs = []
    for n in (1, 2):
        alice.api.put("/api/vars/n", {"value": n}, content_type=J)
        run = inject(alice, flow, payload=0).json()["execution"]
        work()
        outputs.append(alice.api.get(f"/api/executions/{run}").json()["output"]["n"])
    assert outputs == [1, 2]


def test_a_run_can_begin_at_a_node_and_at_a_trigger_by_name(alice: Any) -> None:
    flow = flow_of(alice, ECHO)
    runs = [
        inject(alice, flow, listener="other").json()["execution"],
        inject(alice, flow, trigger="stock").json()["execution"],
    ]
    targets = [alice.api.get(f"/api/executions/{run}").json()["target"] for run in runs]
    assert targets == ["flow:echo:other", "flow:echo:answer"]
    for wrong in ({"listener": "nobody"}, {"trigger": "nobody"}):
        assert inject(alice, flow, **wrong).status_code == 422


def test_a_draft_runs_though_the_flow_is_stopped(alice: Any, work: Any) -> None:
    variables.put(alice.tenant, "n", 0)
    flow = flow_of(alice, ECHO, start=False)
    assert inject(alice, flow, payload=1).status_code == 409
    run = inject(alice, flow, payload=1, draft=True).json()["execution"]
    work()
    shown = alice.api.get(f"/api/executions/{run}").json()
    assert (shown["status"], shown["trigger"]) == ("success", "test"), shown["error"]


def test_a_flow_is_run_as_it_was_in_an_earlier_revision(alice: Any, work: Any) -> None:
    variables.put(alice.tenant, "n", 0)
    flow = flow_of(alice, ECHO)
    old = flow["revision"]
    text = "organism: {name: echo}\nlisteners: [{name: now, handler: 'builtin:map', with: {expr: '7'}}]\n"
    where = f"/api/flows/{flow['id']}"
    body, seen = {"organism_yaml": text}, {"If-Match": f'"{old}"'}
    fresh = alice.api.put(where, body, content_type=J, headers=seen).json()
    assert fresh["revision"] > old
    assert alice.api.post(f"/api/flows/{flow['id']}/start").status_code == 202
    runs = [inject(alice, flow, payload=1, **more).json()["execution"] for more in ({"revision": old}, {})]
    work()
    then, now = (alice.api.get(f"/api/executions/{run}").json() for run in runs)
    assert (then["status"], then["revision"], then["steps"][0]["node"]) == ("success", old, "answer")
    assert (now["status"], now["revision"], now["steps"][0]["node"]) == ("success", fresh["revision"], "now")


def test_a_revision_that_is_not_there_or_a_stopped_flow_runs_nothing(alice: Any) -> None:
    variables.put(alice.tenant, "n", 0)
    flow = flow_of(alice, ECHO)
    for wrong in ({"revision": 99}, {"revision": 0}, {"revision": 1, "draft": True}, {"revision": "x"}):
        assert inject(alice, flow, **wrong).status_code == 422
    assert alice.api.post(f"/api/flows/{flow['id']}/stop").status_code == 202
    assert inject(alice, flow, revision=flow["revision"]).status_code == 409
    assert not Execution.objects.exists()


def test_a_fired_sensor_starts_the_flows_that_listen(alice: Any, work: Any) -> None:
    variables.put(alice.tenant, "n", 0)
    flow = flow_of(alice, ECHO)
    where = f"/api/bundles/{flow['bundle']}/sensors"
    fired = alice.api.post(f"{where}/low", {"sku": "x"}, content_type=J).json()
    assert len(fired["executions"]) == 1
    unknown = alice.api.post(f"{where}/high", {}, content_type=J)
    assert unknown.status_code == 404
    assert "low" in unknown.json()["detail"]
    work()
    run = Execution.objects.get()
    assert (run.trigger, run.status, run.name) == ("sensor", "success", "echo")
    alice.api.post(f"/api/flows/{flow['id']}/stop")
    assert alice.api.post(f"{where}/low", {}, content_type=J).status_code == 404


def waiting(person: Any, work: Any) -> tuple[Any, str, str]:
    flow = flow_of(person, APPROVAL, "approval")
    run = inject(person, flow, payload={"amount": 5}).json()["execution"]
    work()
    shown = person.api.get(f"/api/executions/{run}").json()
    assert shown["status"] == "waiting", shown
    (wait,) = shown["waits"]
    assert wait["node"] == "ask"
    return flow, run, wait["url"].partition("8000")[2]


def test_a_person_approves_a_waiting_run_on_its_page(alice: Any, work: Any) -> None:
    _, run, url = waiting(alice, work)
    stranger = Client()
    page = stranger.get(url)
    assert (page.status_code, page["Referrer-Policy"]) == (200, "no-referrer")
    assert b"Approve" in page.content
    assert stranger.post(url, {}).status_code == 422
    done = stranger.post(url, {"decision": "approve", "comment": "fine"})
    assert (done.status_code, b"Approved" in done.content) == (200, True)
    assert stranger.post(url, {"decision": "reject"}).status_code in {404, 409}
    work()
    shown = alice.api.get(f"/api/executions/{run}").json()
    assert (shown["status"], shown["output"]) == ("success", {"approved": True, "comment": "fine"})
    assert stranger.get(url).status_code == 404


def test_a_program_resumes_with_any_body(alice: Any, work: Any) -> None:
    _, run, url = waiting(alice, work)
    answer = Client().post(url, {"approved": False}, content_type=J)
    assert (answer.status_code, answer.json()) == (202, {"execution": run})
    work()
    assert alice.api.get(f"/api/executions/{run}").json()["output"] == {"approved": False}


def test_a_wait_that_nobody_ends_goes_on_when_its_time_is_over(alice: Any, work: Any) -> None:
    flow = flow_of(alice, APPROVAL.replace("48h", "2s"), "approval")
    run = inject(alice, flow, payload=1).json()["execution"]
    work()
    assert Execution.objects.get(pk=run).status == "waiting"
    threading.Event().wait(2)
    Execution.objects.filter(pk=run, due__lte=timezone.now()).update(status="queued")  # as the claim does
    work()
    assert Execution.objects.get(pk=run).output == '"late"'


def test_every_wrong_address_of_a_wait_is_absent(alice: Any, charlie: Any, work: Any) -> None:
    flow, run, url = waiting(alice, work)
    other = flow_of(charlie, APPROVAL, "approval")
    token = url.rpartition("/")[2]
    for wrong in (
        f"/api/triggers/{flow['id']}/resume/{run}/{token[:-1]}x",
        f"/api/triggers/{other['id']}/resume/{run}/{token}",
        f"/api/triggers/{flow['id']}/resume/{other['id']}/{token}",
        f"/api/triggers/{flow['id']}/resume/{run}/*",
    ):
        assert Client().get(wrong).status_code == 404
        assert Client().post(wrong, {"decision": "approve"}).status_code == 404
    assert Execution.objects.get(pk=run).status == "waiting"


def test_a_waiting_run_is_over_when_it_is_cancelled_or_its_flow_is_deleted(alice: Any, work: Any) -> None:
    flow, run, url = waiting(alice, work)
    alice.api.delete(f"/api/flows/{flow['id']}")
    assert Execution.objects.get(pk=run).status == "cancelled"
    assert Client().get(url).status_code == 404
    work(1)
    assert Execution.objects.get(pk=run).status == "cancelled"


def test_a_viewer_sees_no_address_of_a_wait(alice: Any, bob: Any, work: Any) -> None:
    _, run, _ = waiting(alice, work)
    assert "waits" not in bob.client.get(f"/api/executions/{run}").json()


def test_an_accepted_run_goes_on_though_the_flow_was_stopped_meanwhile(alice: Any, work: Any) -> None:
    variables.put(alice.tenant, "n", 0)
    flow = flow_of(alice, ECHO)
    run = inject(alice, flow, payload=1).json()["execution"]
    alice.api.post(f"/api/flows/{flow['id']}/stop")
    work()
    assert Execution.objects.get(pk=run).status == "success"


def test_the_triggers_of_an_imported_bundle_are_there_without_a_save(alice: Any) -> None:
    files = {"bundle.yaml": "name: b\n", "flows/echo.yaml": ECHO}
    bundle = alice.api.post("/api/bundles", {"files": files}, content_type=J).json()
    assert bundle["status"] == "stopped"
    (flow,) = alice.api.get(f"/api/flows?bundle={bundle['id']}").json()["items"]
    assert [one["name"] for one in flow["triggers"]] == ["by-hand", "stock"]
    assert alice.api.post(f"/api/bundles/{bundle['id']}/run").status_code == 202
    assert inject(alice, flow, payload=1).status_code == 202


def test_a_trigger_that_is_written_away_is_gone_with_the_next_start(alice: Any) -> None:
    flow = flow_of(alice, ECHO)
    text = ECHO.replace("  - {name: stock, type: sensor, sensor: low, to: answer}\n", "")
    alice.api.put(
        f"/api/flows/{flow['id']}", {"organism_yaml": text}, content_type=J, headers={"if-match": '"1"'}
    )
    assert Trigger.objects.filter(name="stock").exists(), "what runs has it still"
    alice.api.post(f"/api/flows/{flow['id']}/start")
    alice.api.get(f"/api/flows/{flow['id']}")
    assert [row.name for row in Trigger.objects.all()] == ["by-hand"]


def test_runs_that_begin_together_share_the_bundle_and_so_its_limit_at_once(
    alice: Any, work: Any, monkeypatch: Any
) -> None:
    """Each of them loading it for itself would count `max_concurrent_pipelines` for itself, too."""
    loads: list[int] = []

    async def counted(*args: Any, **more: Any) -> Any:
        loads.append(1)
        return await ready(*args, **more)

    monkeypatch.setattr(worker, "ready", counted)
    variables.put(alice.tenant, "n", 7)
    flow = flow_of(alice, ECHO)
    for n in range(20):
        assert inject(alice, flow, payload=n).status_code == 202
    work(60)
    ends = Counter(Execution.objects.values_list("status", "error"))
    assert ends == {("success", ""): 20}
    assert len(loads) == 1
