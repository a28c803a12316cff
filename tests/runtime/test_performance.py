"""How contracts do: what REST and the page tell of finished calls, what they suggest, and who may see it."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from bundles import files
from bundles.models import Bundle, Revision
from runtime import executions
from tests.runtime.test_metering import NOON, ran

pytestmark = pytest.mark.django_db
SHOP = b"""
name: shop
resourceContract: {maxWaitTime: 10s}
services:
  - name: cart
    goals:
      - name: quick
        metric: latency
        target: "< 200ms"
        resourceContract: {priority: high, computeUnits: 500, costCeiling: 10}
      - {name: calm, metric: latency, target: "< 2s"}
    api:
      basePath: /api/cart
      endpoints:
        - {name: add, method: POST, path: /items, to: "wasm:cart:add", goal: quick}
        - {name: look, method: GET, path: /items, to: "wasm:cart:look", goal: calm}
    intents:
      - {name: tidy, whenSensor: night, toFunc: "wasm:cart:tidy"}
"""


@pytest.fixture
def bundle(alice: Any) -> Bundle:
    made = Bundle.objects.create(
        tenant=alice.tenant, name="shop", status="running", revision=1, live_revision=1
    )
    listing = {"bundle.yaml": [files.put(SHOP), len(SHOP)]}
    Revision.objects.create(bundle=made, number=1, files=listing, author="alice", message="import")
    return made


def told(person: Any, bundle: Bundle, **sent: Any) -> dict[str, Any]:
    answer = person.api.get(f"/api/bundles/{bundle.pk}/contracts", sent)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def call_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(call for service in found["services"] for call in service["calls"] if call["name"] == name)


def test_each_call_is_told_with_its_contract_and_how_it_did(alice: Any, bundle: Bundle) -> None:
    done = [ran(bundle, 40, waited_us=3_000_000, spent=2, price=2) for _ in range(30)]
    lost = [ran(bundle, 0, status="refused", error="queue_timeout", waited_us=10_000_000) for _ in range(10)]
    executions.absorb([*done, *lost, ran(bundle, 7, spent=9, degraded=True, attempts=1)])
    add = call_of(told(alice, bundle), "add")
    assert add["contract"]["computeUnits"] == {"value": 500, "source": "goal quick"}
    assert add["contract"]["maxWaitTime"] == {"value": "10s", "source": "bundle"}
    assert add["contract"]["autoBid"] == {"value": None, "source": "default"}
    assert (add["calls"], add["measured"], add["degraded"], add["retried"]) == (41, 31, 1, 1)
    assert (add["refused"], add["spent"], add["dearest"]) == ({"queue_timeout": 10}, 69, 9)
    assert add["used"]["p95"] == pytest.approx(40, rel=0.05)
    assert add["need"] == 500  # what is written is taken as it is
    assert add["waits"]["waited"] == 40
    assert add["waits"]["p50_ms"] == pytest.approx(3000, rel=0.05)


def test_without_computeunits_the_next_need_is_what_was_measured_and_a_tenth(
    alice: Any, bundle: Bundle
) -> None:
    assert call_of(told(alice, bundle), "look")["need"] == 100
    executions.absorb([ran(bundle, 204, name="look", target="wasm:cart:look")])
    assert call_of(told(alice, bundle), "look")["need"] == 225


def test_hints_say_what_the_figures_suggest(alice: Any, bundle: Bundle) -> None:
    quiet = call_of(told(alice, bundle), "add")["hints"]
    assert quiet == [
        "A call of priority high without a fallbackBehavior waits in the queue, like all others."
    ]
    late = [ran(bundle, 0, status="refused", error="queue_timeout", waited_us=10_000_000) for _ in range(10)]
    executions.absorb([*late, *[ran(bundle, 40, spent=8) for _ in range(30)]])
    hints = " ".join(call_of(told(alice, bundle), "add")["hints"])
    assert "computeUnits is 500, but 95 of 100 calls use at most" in hints
    assert "4 fewer entries" in hints
    assert "10 of 40 calls were refused" in hints
    assert "nearly as long as maxWaitTime" in hints
    assert "8 of the 10 credits" in hints


def test_calls_that_are_cut_are_told(alice: Any, bundle: Bundle) -> None:
    executions.absorb([ran(bundle, 500) for _ in range(30)])
    assert "they are cut" in call_of(told(alice, bundle), "add")["hints"][0]


def test_goals_services_and_functions_add_up(alice: Any, bundle: Bundle) -> None:
    steps = [{"node": "n", "target": "wasm:cart:add", "units": 3}]
    look = ran(bundle, 20, name="look", target="wasm:cart:look", steps=steps)
    executions.absorb([ran(bundle, 10), look])
    found = told(alice, bundle)
    (service,) = found["services"]
    assert service["calls"] is not None
    assert (service["used"]["sum"], service["goals"][0]["used"]["sum"]) == (30, 10)
    assert {one["target"]: one["used"]["sum"] for one in found["functions"]} == {
        "wasm:cart:add": 13,
        "wasm:cart:look": 20,
    }


def test_only_the_days_that_are_asked_for_count_but_the_month_is_the_month(
    alice: Any, bundle: Bundle
) -> None:
    executions.absorb([ran(bundle, spent=5), ran(bundle, spent=1, ago=timedelta(days=3))])
    assert call_of(told(alice, bundle, days=1), "add")["spent"] == 5
    assert call_of(told(alice, bundle, days=7), "add")["spent"] == 6
    in_month = 6 if NOON.day > 3 else 5
    assert told(alice, bundle, days=1)["spent_month"] == in_month
    assert told(alice, bundle, days=-9)["days"] == 1
    assert told(alice, bundle, days=9999)["days"] == 31


def test_the_page_shows_the_same_and_names_are_text(alice: Any, bundle: Bundle) -> None:
    executions.absorb([ran(bundle, 40, spent=8), ran(bundle, status="refused", error="<b>x</b>")])
    url = reverse("runtime:performance", args=[bundle.pk])
    page = alice.client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "POST /api/cart/items" in page
    assert "dearest 8 of 10" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert " style=" not in page
    assert url in alice.client.get(reverse("bundles:contracts", args=[bundle.pk])).content.decode()
    assert alice.client.get(url, {"days": "nonsense"}).status_code == 200


def test_a_bundle_whose_revision_is_gone_has_no_calls(alice: Any, bundle: Bundle) -> None:
    Revision.objects.filter(bundle=bundle).delete()
    assert told(alice, bundle)["services"] == []


def test_charlie_sees_nothing(charlie: Any, bundle: Bundle) -> None:
    assert charlie.api.get(f"/api/bundles/{bundle.pk}/contracts").status_code == 404
    assert charlie.client.get(reverse("runtime:performance", args=[bundle.pk])).status_code == 404
