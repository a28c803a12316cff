"""Executions of a month are counted exactly, whoever begins them, and cost nothing where nobody counts (R39)."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from billing import allowance, quota
from billing.errors import ApiError
from billing.models import ExecutionQuota, Plan
from billing.quota import LOOKS, Quota
from billing.tidy import tidy
from tests.billing.elsewhere import processes

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
LOOP = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connections
from billing.errors import ApiError
from billing.quota import quota

def spend(_):
    count = tries = 0
    try:
        while True:
            quota.demand(tenant)
            tries += 1
            if tries % 7:
                count += 1
            else:  # refused for another reason, so not counted
                quota.give_back(tenant)
    except ApiError as refused:
        assert refused.status == 429, refused
        return count
    finally:
        connections.close_all()

with ThreadPoolExecutor(8) as pool:
    counts = list(pool.map(spend, range(8)))
quota.stop()
print(json.dumps(sum(counts)))
"""


@pytest.fixture
def mine(alice):
    """Alice's tenant with a limit of 1,000 a month."""
    Plan.objects.filter(slug="enterprise").update(executions=1_000)
    return str(alice.tenant.pk)


@pytest.fixture
def here(monkeypatch):
    """A process's quota; what would be done in a while by its thread is done by ``work``."""
    monkeypatch.setattr(
        quota.threading, "Thread", lambda **_: SimpleNamespace(start=int, is_alive=lambda: True)
    )
    return Quota()


def taken():
    row = ExecutionQuota.objects.first()
    return row.taken if row else 0


def used_up(here, tenant, most=2_000):
    for count in range(most):
        try:
            here.demand(tenant)
        except ApiError as refused:
            return count, refused
    pytest.fail("nobody counts")


def test_the_first_of_a_process_leases_a_block_and_the_next_ones_ask_nobody(
    here, mine, django_assert_num_queries
):
    assert not here.take(mine)
    here.refill(mine)
    assert taken() == 10
    with django_assert_num_queries(0):
        assert [here.take(mine) for _ in range(9)] == [True] * 9
        assert not here.take(mine)


def test_exactly_as_many_as_the_plan_has(here, mine):
    """R39."""
    count, refused = used_up(here, mine)
    assert count == 1_000
    assert refused.status == 429
    assert "1,000 executions" in refused.detail
    with pytest.raises(ApiError) as again:
        here.demand(mine)
    assert again.value.detail == refused.detail


def test_the_refusal_says_when_the_next_month_begins(here, mine):
    _, refused = used_up(here, mine)
    ends = time.time() + int(refused.headers["Retry-After"])
    assert datetime.fromtimestamp(ends + 1, UTC).day == 1
    assert 0 < int(refused.headers["Retry-After"]) <= 31 * 86_400


def test_what_was_not_allocated_is_given_back(here, mine):
    used_up(here, mine)
    here.give_back(mine)
    here.demand(mine)
    with pytest.raises(ApiError):
        here.demand(mine)
    assert taken() == 1_000


def test_a_process_that_stops_gives_back_what_it_did_not_use(here, mine):
    for _ in range(3):
        here.demand(mine)
    assert taken() == 10
    here.stop()
    assert taken() == 3


def test_a_block_that_nobody_uses_goes_back_for_others(here, mine):
    here.demand(mine)
    for _ in range(LOOKS + 1):
        here.look()
    here.work(wait=0)
    assert taken() == 1
    here.demand(mine)
    assert taken() == 11


def test_a_block_in_use_stays(here, mine):
    for _ in range(5):
        here.demand(mine)
        here.look()
    assert taken() == 10


def test_the_next_block_is_fetched_before_this_one_is_empty(here, mine):
    for _ in range(8):
        here.demand(mine)
    here.work(wait=0)
    assert taken() == 20
    assert [here.take(mine) for _ in range(12)] == [True] * 12


def test_blocks_become_small_near_the_end(mine):
    assert [allowance.block(1_000, left) for left in (1_000, 80, 40, 8, 1)] == [10, 10, 5, 1, 1]
    assert allowance.block(100_000, 100_000) == 500
    assert allowance.block(7, 7) == 1


def test_a_plan_without_a_limit_costs_nothing(here, alice, django_assert_num_queries):
    tenant = str(alice.tenant.pk)
    here.know(tenant, None)
    with django_assert_num_queries(0):
        for _ in range(5):
            here.demand(tenant)
        here.give_back(tenant)
        here.stop()
    assert not ExecutionQuota.objects.exists()


def test_a_limit_that_is_new_counts_at_once(here, mine):
    here.know(mine, None)
    here.know(mine, 1_000)
    here.demand(mine)
    assert taken() == 10


def test_a_larger_plan_lets_go_on_at_once(here, mine):
    used_up(here, mine)
    Plan.objects.filter(slug="enterprise").update(executions=1_001)
    here.forget(mine)
    here.demand(mine)
    with pytest.raises(ApiError):
        here.demand(mine)


def test_a_plan_of_none_at_all(here, mine):
    Plan.objects.filter(slug="enterprise").update(executions=0)
    with pytest.raises(ApiError):
        here.demand(mine)


def test_a_new_month_begins_anew_and_the_old_one_keeps_its_count(here, mine):
    """R39: by UTC month."""
    here.demand(mine)
    block = here.blocks[mine]
    block.until, block.period = time.time() - 1, "2001-01"
    ExecutionQuota.objects.update(period="2001-01")
    here.demand(mine)
    here.work(wait=0)
    rows = dict(ExecutionQuota.objects.values_list("period", "taken"))
    assert rows["2001-01"] == 1
    assert len(rows) == 2


def test_one_taken_before_midnight_is_given_back_to_its_month(here, mine):
    here.demand(mine)
    ExecutionQuota.objects.create(tenant_id=mine, period="2001-01", taken=5)
    here.give_back(mine, datetime(2001, 1, 31, 23, 59, tzinfo=UTC).timestamp())
    here.work(wait=0)
    assert ExecutionQuota.objects.get(period="2001-01").taken == 4


def test_test_runs_have_a_limit_of_their_own(mine, alice):
    for _ in range(100):
        allowance.test_run(alice.tenant.pk, NOW)
    with pytest.raises(ApiError) as refused:
        allowance.test_run(alice.tenant.pk, NOW)
    assert refused.value.status == 429
    assert 0 < int(refused.value.headers["Retry-After"]) <= 86_400
    assert allowance.of_month(alice.tenant, NOW).used == 0


def test_old_days_and_months_are_tidied_away(alice):
    now = datetime(2026, 11, 21, tzinfo=UTC)
    for period in ("2026-11", "2026-10", "2023-12", "2026-11-21", "2026-10-30"):
        ExecutionQuota.objects.create(tenant=alice.tenant, period=period)
    assert tidy(now) == 2
    left = set(ExecutionQuota.objects.values_list("period", flat=True))
    assert left == {"2026-11", "2026-10", "2026-11-21"}


@pytest.mark.django_db(transaction=True)
def test_two_processes_with_eight_threads_each_take_exactly_the_limit(mine):
    """R39."""
    counts = processes(2, LOOP, tenant=mine)
    assert sum(counts) == 1_000
    assert taken() == 1_000
    assert min(counts) > 0
