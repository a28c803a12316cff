"""One wallet, many who spend it at once: never below 0, each charge once, the ledger adds up (A140, A143, A144)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from billing import wallet
from billing.models import Journal, Leg, Wallet
from tests.billing.elsewhere import processes

pytestmark = pytest.mark.django_db(transaction=True)
START = 10_000
SPEND = """
import random
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4
from django.db import connections, transaction
from billing import wallet

mine = UUID(tenant)

def spend(number):
    paid, chance = 0, random.Random(number)
    try:
        for _ in range(tries):
            price = chance.randint(1, most)
            try:
                with transaction.atomic():
                    if chance.random() < 0.5:
                        wallet.charge_all(f"round:{uuid4()}", price, [mine])
                    else:
                        wallet.hold(mine, price, key=f"hold:{uuid4()}")
                paid += price
            except wallet.Insufficient:
                pass
        return paid
    finally:
        connections.close_all()

def give(number):
    try:
        for _ in range(tries):
            wallet.grant(mine, 50, key=f"grant:{uuid4()}", note="more")
        return -50 * tries
    finally:
        connections.close_all()

with ThreadPoolExecutor(66) as pool:
    jobs = [pool.submit(spend, n) for n in range(64)] + [pool.submit(give, n) for n in range(2)]
    counts = [job.result() for job in jobs]
print(json.dumps([sum(counts[:64]), -sum(counts[64:])]))
"""
SAME = """
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID
from django.db import connections, transaction
from billing import wallet

def turn(number):
    try:
        with transaction.atomic():
            return wallet.charge_all(f"round:{number % 5}", 3, [UUID(one) for one in tenants])
    finally:
        connections.close_all()

with ThreadPoolExecutor(8) as pool:
    print(json.dumps(sum(pool.map(turn, range(40)))))
"""


def balance(person):
    return wallet.balances([person.tenant.pk])[person.tenant.pk]


def test_64_threads_in_2_processes_spend_one_wallet_while_credits_arrive(alice):
    found = processes(2, SPEND, tenant=alice.tenant.pk, tries=4, most=300)
    paid, given = (sum(column) for column in zip(*found, strict=True))
    mine = Wallet.objects.get(pk=alice.tenant.pk)
    assert wallet.check() == []
    assert mine.balance == START + given - paid >= 0
    assert paid > START  # so the wallet was empty at times, and its limit was met
    lowest = Leg.objects.filter(account="wallet").order_by("after").values_list("after", flat=True)[0]
    assert lowest >= 0
    charged = Leg.objects.filter(account="revenue").aggregate(total=Sum("amount"))["total"] or 0
    assert charged + mine.held == paid


def test_rounds_that_two_leaders_settle_at_once_are_charged_once(alice, charlie):
    both = [alice.tenant.pk, charlie.tenant.pk]
    assert sum(processes(2, SAME, tenants=both)) == 5
    assert [balance(alice), balance(charlie)] == [START - 15] * 2
    assert Journal.objects.filter(kind="round").count() == 5
    assert wallet.check() == []


def at_once(count, act):
    gate = Barrier(count)

    def run(number):
        try:
            gate.wait(20)
            return act(number)
        except wallet.Insufficient:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_of_many_who_want_all_of_it_one_gets_it(alice):
    mine = alice.tenant.pk
    got = at_once(16, lambda number: wallet.hold(mine, START, key=f"h{number}"))
    assert got.count(True) == 1
    assert balance(alice) == 0
    assert wallet.check() == []


def test_an_event_that_comes_16_times_at_once_happens_once(alice):
    mine = alice.tenant.pk
    got = at_once(16, lambda _: wallet.purchase(mine, 100, key="checkout:1"))
    assert got.count(True) == 1
    assert balance(alice) == START + 100


def test_two_who_pay_for_each_other_s_tenants_do_not_stand_in_each_other_s_way(alice, charlie):
    one, two = alice.tenant.pk, charlie.tenant.pk

    def both_ways(number):
        ids = [one, two] if number % 2 else [two, one]
        with transaction.atomic():
            legs = [("wallet", ids[0], -1), ("wallet", ids[1], 1)]
            return wallet.post(f"move:{number}", "move", legs)

    assert at_once(16, both_ways) == [True] * 16
    assert [balance(alice), balance(charlie)] == [START, START]
    assert wallet.check() == []
