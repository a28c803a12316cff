"""Several runs of a flow at once, by REST and by the page: each is done or says why not, and nobody else's are touched."""

import json
from typing import Any

import pytest

from billing.ids import uuid7
from runtime.models import Execution
from tests.runtime.test_flow_steps import recorded
from tests.runtime.test_views_flows import a_flow, flow_run, got

pytestmark = pytest.mark.usefixtures("clean_redis")
WHOLE = '{"method": "POST", "path": "/", "body": 1}'


def ended(flow: Any, **more: Any) -> Execution:
    run = flow_run(flow, **more)
    Execution.objects.filter(pk=run.pk).update(status="error", input=WHOLE)
    return Execution.objects.get(pk=run.pk)


def posted(person: Any, path: str, body: dict[str, Any], status: int = 202) -> Any:
    answer = person.client.post(f"/api{path}", json.dumps(body), content_type="application/json")
    assert answer.status_code == status, answer.content[:400]
    return answer.json()


def test_each_run_is_asked_again_and_one_that_goes_on_says_so(alice: Any) -> None:
    flow = a_flow(alice)
    over, busy = ended(flow), flow_run(flow, status="running")
    chosen = [str(over.pk), str(busy.pk), str(uuid7())]
    items = posted(alice, f"/flows/{flow.pk}/runs/retry", {"executions": chosen})["items"]
    assert items[0]["execution"] != str(over.pk)
    assert items[1]["error"] == "It has not ended yet."
    assert items[2]["error"] == "No such run of this flow."


def test_from_failed_needs_what_the_run_had_come_to(alice: Any) -> None:
    flow = a_flow(alice)
    over = ended(flow)
    body = {"executions": [str(over.pk)], "from": "failed"}
    item = posted(alice, f"/flows/{flow.pk}/runs/retry", body)["items"][0]
    assert "not kept any more" in item["error"]


def test_what_waits_is_cancelled_and_what_is_over_stays(alice: Any) -> None:
    flow = a_flow(alice)
    over, waits = ended(flow), flow_run(flow, status="queued")
    chosen = [str(over.pk), str(waits.pk)]
    items = posted(alice, f"/flows/{flow.pk}/runs/cancel", {"executions": chosen})["items"]
    assert items == [{"run": chosen[0], "error": "It is over already."}, {"run": chosen[1]}]
    assert Execution.objects.get(pk=waits.pk).status == "cancelled"
    assert Execution.objects.get(pk=over.pk).status == "error"


def test_runs_of_another_flow_or_tenant_are_not_there(alice: Any, charlie: Any) -> None:
    flow, other, foreign = a_flow(alice), a_flow(alice, "second"), a_flow(charlie)
    runs = [flow_run(one, status="queued") for one in (other, foreign)]
    chosen = [str(run.pk) for run in runs]
    items = posted(alice, f"/flows/{flow.pk}/runs/cancel", {"executions": chosen})["items"]
    assert [item["error"] for item in items] == ["No such run of this flow."] * 2
    posted(alice, f"/flows/{foreign.pk}/runs/cancel", {"executions": chosen}, status=404)
    assert {run.status for run in Execution.objects.filter(pk__in=chosen)} == {"queued"}


@pytest.mark.parametrize("many", [0, 101])
def test_none_or_too_many_are_refused(alice: Any, many: int) -> None:
    flow = a_flow(alice)
    chosen = [str(uuid7()) for _ in range(many)]
    posted(alice, f"/flows/{flow.pk}/runs/cancel", {"executions": chosen}, status=422)


def test_the_page_acts_on_the_ticked_runs_and_tells_what_was_not_done(alice: Any) -> None:
    flow = a_flow(alice)
    over, waits = ended(flow), flow_run(flow, status="queued")
    path = f"/flow/{flow.pk}/runs/many"
    shown = alice.client.post(
        path, {"do": "cancel", "run": [over.pk, waits.pk]}, follow=True
    ).content.decode()
    assert "1 run asked to stop." in shown
    assert "It is over already." in shown
    assert Execution.objects.get(pk=waits.pk).status == "cancelled"
    assert (
        "Choose at least one run." in alice.client.post(path, {"do": "retry"}, follow=True).content.decode()
    )
    assert "nothing of that name" in alice.client.post(path, {"do": "x"}, follow=True).content.decode()


def test_two_runs_are_compared_step_by_step_and_nothing_of_them_is_markup(alice: Any, charlie: Any) -> None:
    flow = a_flow(alice)
    one = flow_run(flow, steps=[recorded("price", 0, input='"mug"', output="12"), recorded("sum", 200)])
    two = flow_run(flow, steps=[recorded("price", 0, input='"mug"', output='"<b>13"'), recorded("sum", 200)])
    one, two = sorted((one, two), key=lambda run: run.pk)  # ids of one millisecond are in any order
    path = f"/flow/{flow.pk}/runs/many"
    answer = alice.client.post(path, {"do": "compare", "run": [two.pk, one.pk]})
    assert answer["Location"] == f"/flow/{flow.pk}/runs/compare?a={one.pk}&b={two.pk}"
    page = got(alice, f"/flow/{flow.pk}/runs/compare", a=str(one.pk), b=str(two.pk))
    assert "1 of 2 steps differs" in page
    assert "&lt;b&gt;13" in page
    assert "<b>13" not in page
    foreign = flow_run(a_flow(charlie))
    got(alice, f"/flow/{flow.pk}/runs/compare", 404, a=str(one.pk), b=str(foreign.pk))
    alone = alice.client.post(path, {"do": "compare", "run": [one.pk]}, follow=True).content.decode()
    assert "Choose two runs to compare." in alone


def test_a_viewer_compares_but_starts_nothing(alice: Any, bob: Any) -> None:
    flow = a_flow(alice)
    over = ended(flow)
    before = Execution.objects.count()
    answer = bob.client.post(f"/flow/{flow.pk}/runs/many", {"do": "retry", "run": [over.pk]})
    assert answer.status_code == 403
    assert Execution.objects.count() == before
    shown = got(bob, f"/flow/{flow.pk}/runs")
    assert "Compare two" in shown
    assert "Run again" not in shown
