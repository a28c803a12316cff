"""What a plan keeps loaded is there before the first call; what it does not is read by its first call."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing.models import Plan
from bundles.models import Bundle, Flow
from runtime import warm
from runtime.live import Tenants
from tests.runtime import flowstage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
FLOW = "listeners: [{name: a, handler: 'builtin:output'}]\n"


@sync_to_async
def started(person: Any, *, kept: bool) -> str:
    flowstage.start(person, f=FLOW)
    Plan.objects.filter(pk=person.tenant.plan_id).update(keep_alive=kept)
    return str(Flow.objects.get(bundle__tenant=person.tenant).pk)


async def test_a_tenant_that_stays_loaded_is_there_before_its_first_call(alice: Any) -> None:
    flow_id = await started(alice, kept=True)
    tenants = Tenants()
    await warm.warm(tenants)
    assert tenants.get("alice") is not None
    assert tenants.of_flow(flow_id) is tenants.get("alice")


async def test_others_and_those_that_run_nothing_are_left_to_their_first_call(alice: Any) -> None:
    await started(alice, kept=False)
    tenants = Tenants()
    await warm.warm(tenants)
    assert not tenants.known
    await started_and_stopped(alice)
    await warm.warm(tenants)
    assert not tenants.known


@sync_to_async
def started_and_stopped(person: Any) -> None:
    Plan.objects.filter(pk=person.tenant.plan_id).update(keep_alive=True)
    Bundle.objects.update(status="stopped", live_revision=None)
