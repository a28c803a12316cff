"""Wallets and their ledger: whole credits, never below 0, each event once, nothing changed afterwards."""

import math
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.db.transaction import TransactionManagementError

from billing import wallet
from billing.farewell import delete_tenant
from billing.models import Journal, Leg, Plan, Tenant, Wallet
from billing.models.appendonly import Immutable

pytestmark = pytest.mark.django_db
STARTER = 10_000
NOT_CREDITS = [
    *(0, -1, -(2**63), 10**12 + 1, 2**63, 10**400),
    *(True, False, 1.0, 0.5, math.nan, math.inf, Decimal(1), "1", "NaN", b"1", None, [1]),
]


@pytest.fixture(autouse=True)
def adds_up(request):
    """Whatever a test did, the ledger's checker finds nothing at its end."""
    yield
    if "crooked" not in request.keywords:
        assert wallet.check() == []


def balance(person):
    return wallet.balances([person.tenant.pk])[person.tenant.pk]


def held(person):
    return Wallet.objects.get(pk=person.tenant.pk).held


def state():
    return list(Wallet.objects.order_by("pk").values()), list(Leg.objects.order_by("pk").values())


def test_a_new_tenant_begins_with_the_credits_of_its_plan(alice):
    assert balance(alice) == STARTER
    entry = Journal.objects.get()
    assert (entry.key, entry.kind) == (f"starter:{alice.tenant.pk}", "starter")
    assert wallet.open_for(alice.tenant) is False
    assert balance(alice) == STARTER


@pytest.mark.parametrize(("slug", "credits"), [("free", 50), ("paid", 500), ("pro", 2_000)])
def test_each_plan_has_its_own(alice, slug, credits):
    assert Plan.objects.get(slug=slug).starter_credits == credits


def test_every_kind_of_entry_moves_what_it_says(alice):
    mine = alice.tenant.pk
    wallet.grant(mine, 100, key="g", note="thanks", actor="root")
    wallet.purchase(mine, 50, key="p")
    wallet.hold(mine, 30, key="h")
    wallet.hold(mine, 5, key="h2")
    assert (balance(alice), held(alice)) == (STARTER + 115, 35)
    wallet.release(mine, 30, key="r")
    wallet.earn(5, key="e", tenant_id=mine)
    wallet.refund(mine, 2, key="f", note="our fault")
    wallet.take(mine, 17, key="t", note="by mistake")
    assert (balance(alice), held(alice)) == (STARTER + 130, 0)
    revenue = Leg.objects.filter(account="revenue").aggregate(total=Sum("amount"))["total"]
    assert revenue == 3


@pytest.mark.parametrize("again", ["grant", "purchase", "hold"])
def test_an_event_happens_once(alice, again):
    act = {"grant": lambda: wallet.grant(alice.tenant.pk, 7, key="k", note="x")}.get(
        again, lambda: getattr(wallet, again)(alice.tenant.pk, 7, key="k")
    )
    assert act() is True
    before = state()
    assert act() is False
    assert state() == before


def test_two_events_with_one_key_are_one(alice):
    wallet.hold(alice.tenant.pk, 7, key="k")
    assert wallet.release(alice.tenant.pk, 7, key="k") is False
    assert held(alice) == 7


@pytest.mark.parametrize("value", NOT_CREDITS, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("verb", ["grant", "take", "refund", "purchase", "hold", "release", "earn"])
def test_what_is_not_a_number_of_credits_is_refused(alice, verb, value):
    before = state()
    more = {"note": "x"} if verb in {"grant", "take", "refund"} else {}
    with pytest.raises(ValueError, match="credits: "):
        getattr(wallet, verb)(credits=value, tenant_id=alice.tenant.pk, key="k", **more)
    assert state() == before


@pytest.mark.parametrize("value", NOT_CREDITS, ids=lambda value: str(value)[:12])
def test_a_price_is_a_number_of_credits_too(alice, value):
    before = state()
    with pytest.raises(ValueError, match="price: "):
        wallet.charge_all("round:1", value, [alice.tenant.pk])
    assert state() == before


@pytest.mark.parametrize("verb", ["hold", "take"])
def test_nobody_spends_more_than_there_is(alice, verb):
    more = {"note": "x"} if verb == "take" else {}
    before = state()
    with pytest.raises(wallet.Insufficient) as refused, transaction.atomic():
        getattr(wallet, verb)(alice.tenant.pk, STARTER + 1, key="k", **more)
    assert (refused.value.needed, refused.value.there) == (STARTER + 1, STARTER)
    assert state() == before
    getattr(wallet, verb)(alice.tenant.pk, STARTER, key="k", **more)
    assert balance(alice) == 0


def test_no_more_comes_out_of_escrow_than_went_in(alice):
    wallet.hold(alice.tenant.pk, 5, key="h")
    for act in (
        lambda: wallet.release(alice.tenant.pk, 6, key="r"),
        lambda: wallet.earn(6, key="r", tenant_id=alice.tenant.pk),
    ):
        with pytest.raises(wallet.Insufficient), transaction.atomic():
            act()
    assert held(alice) == 5


def test_a_wallet_is_never_fuller_than_its_numbers_are_exact(alice):
    for number in range(999):
        wallet.grant(alice.tenant.pk, 10**12, key=f"g{number}", note="x")
    with pytest.raises(ValueError, match="at most"), transaction.atomic():
        wallet.grant(alice.tenant.pk, 10**12, key="more", note="x")
    assert balance(alice) == STARTER + 999 * 10**12


def test_the_winners_of_a_round_all_pay_or_nobody_does(alice, charlie):
    both = [alice.tenant.pk, charlie.tenant.pk]
    assert wallet.charge_all("round:7", 10, both, note="price 10") is True
    assert wallet.charge_all("round:7", 10, both) is False
    assert [balance(alice), balance(charlie)] == [STARTER - 10] * 2
    wallet.take(charlie.tenant.pk, STARTER - 10, key="t", note="x")
    before = state()
    with pytest.raises(wallet.Insufficient), transaction.atomic():
        wallet.charge_all("round:8", 1, both)
    assert state() == before


def test_a_round_that_is_settled_again_is_known_however_poor_its_winners_are_now(alice):
    mine = [alice.tenant.pk]
    wallet.charge_all("round:7", STARTER, mine)
    assert wallet.charge_all("round:7", STARTER, mine) is False
    wallet.purchase(alice.tenant.pk, 5, key="p")
    wallet.hold(alice.tenant.pk, 5, key="h")
    assert wallet.hold(alice.tenant.pk, 5, key="h") is False


def test_a_refused_entry_leaves_no_trace_even_in_the_same_transaction(alice):
    legs = [("wallet", alice.tenant.pk, -STARTER - 1), ("grants", None, STARTER + 1)]
    with pytest.raises(wallet.Insufficient):
        wallet.post("k", "odd", legs)
    with pytest.raises(wallet.Insufficient):
        wallet.charge_all("k", STARTER + 1, [alice.tenant.pk])
    assert Journal.objects.count() == 1


def test_a_round_without_winners_is_written_down_and_moves_nothing(alice):
    assert wallet.charge_all("round:7", 10, []) is True
    assert wallet.charge_all("round:7", 10, [alice.tenant.pk]) is False
    assert balance(alice) == STARTER


def test_a_round_of_many_winners_is_paid_in_few_statements(alice, django_assert_max_num_queries):
    tenants = Tenant.objects.bulk_create([Tenant(slug=f"t-{n}", plan=alice.tenant.plan) for n in range(200)])
    for tenant in tenants:
        wallet.open_for(tenant)
    with django_assert_max_num_queries(8):
        wallet.charge_all("round:1", 3, [tenant.pk for tenant in tenants])
    assert set(wallet.balances(tenant.pk for tenant in tenants).values()) == {STARTER - 3}


def test_legs_that_do_not_sum_to_0_are_refused(alice):
    mine = alice.tenant.pk
    before = state()
    for legs in (
        [("wallet", mine, 5)],
        [],
        [("wallet", mine, 5), ("grants", mine, -4)],
        [("wallet", None, 5), ("grants", None, -5)],
        [("pocket", mine, 5), ("grants", mine, -5)],
        [("wallet", mine, 0), ("grants", mine, 0)],
        [("wallet", mine, True), ("grants", mine, -1)],
    ):
        with pytest.raises(ValueError):
            wallet.post("k", "odd", legs)
    for key in ("", "k" * 201):
        with pytest.raises(ValueError, match="key"):
            wallet.post(key, "odd", [("wallet", mine, 5), ("grants", mine, -5)])
    assert state() == before


def test_entries_cannot_be_changed_or_deleted(alice):
    before = state()
    entry, leg = Journal.objects.get(), Leg.objects.first()
    attempts = [
        *(entry.save, entry.delete, leg.save, leg.delete),
        *(Leg.objects.all().delete, Journal.objects.all().delete, entry.legs.all().delete),
        lambda: Leg.objects.update(amount=1),
        lambda: Journal.objects.filter(pk=entry.pk).update(note="x"),
        lambda: entry.legs.update(amount=1),
        lambda: Leg.objects.bulk_update([leg], ["amount"]),
        lambda: Leg.objects.update_or_create(pk=leg.pk, defaults={"amount": 1}),
    ]
    for attempt in attempts:
        with pytest.raises(Immutable, match="append-only"):
            attempt()
    assert state() == before


def test_the_database_itself_refuses_a_balance_below_0(alice):
    for wrong in ({"balance": -1}, {"held": -1}, {"balance": 10**15 + 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Wallet.objects.filter(pk=alice.tenant.pk).update(**wrong)
    assert balance(alice) == STARTER


def test_a_reason_is_needed_to_give_and_to_take(alice):
    for verb in (wallet.grant, wallet.take, wallet.refund):
        with pytest.raises(ValueError, match="reason"):
            verb(alice.tenant.pk, 5, key="k", note="  ")
    assert Journal.objects.count() == 1


def test_what_a_deleted_tenant_had_lapses_and_its_entries_stay(alice, charlie, clean_redis):
    wallet.hold(alice.tenant.pk, 30, key="h")
    mine, entries = alice.tenant.pk, Leg.objects.count()
    delete_tenant(mine, by="root")
    assert Leg.objects.count() == entries + 3
    assert not Wallet.objects.filter(pk=mine).exists()
    assert wallet.balances([mine]) == {mine: 0}
    with pytest.raises(wallet.Gone):
        wallet.refund(mine, 3, key="f", note="late")
    assert balance(charlie) == STARTER


def test_unknown_tenants_have_no_wallet(db):
    nobody = uuid4()
    with transaction.atomic():
        assert wallet.lock([nobody]) == {}
    with pytest.raises(wallet.Gone):
        wallet.grant(nobody, 5, key="k", note="x")
    assert not Journal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_credits_move_only_within_a_transaction(alice):
    with pytest.raises(TransactionManagementError):
        wallet.post("k", "odd", [("wallet", alice.tenant.pk, 5), ("grants", None, -5)])
    with pytest.raises(TransactionManagementError):
        wallet.lock([alice.tenant.pk])


@pytest.mark.crooked
@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE billing_wallet SET balance = balance + 1", "its legs sum to"),
        ("UPDATE billing_wallet SET held = 1", "The escrow of"),
        ("DELETE FROM billing_leg WHERE account = 'grants'", "not 0"),
        ("DELETE FROM billing_leg", "its legs sum to 0"),
    ],
)
def test_the_checker_notices_what_somebody_did_behind_its_back(alice, statement, says):
    connection.cursor().execute(statement)
    assert any(says in line for line in wallet.check())
