"""`python -m tests.bench.marketround`: the price of a round, a whole round with its transaction, and how fair it is; JSON.

It uses the database of DATABASE_URL, which it fills: give it one of its own.
"""

import json
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID

import django

SLOTS = 200
TENANTS, ENTRIES = 400, 1_500


def seconds(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def caps(bidders: int) -> list[int]:
    """As people choose them: many at round figures."""
    usual = (1, 5, 5, 10, 10, 10, 20, 50, 50, 100)
    return [usual[n % 10] if n % 3 else 1 + n * 7_919 % 997 for n in range(bidders)]


def ticked(bidders: list[int], slots: int) -> int:
    """The clock as the rules tell it: up by one, who cannot follow leaves."""
    price = 1
    while len(bidders) > slots:
        staying = [cap for cap in bidders if cap > price]
        if len(staying) < slots:
            break
        bidders, price = staying, price + 1
    return price


def prices(rounds: int) -> dict[str, list[float]]:
    """Closed form at 10^6 and 10^5 bidders (ms), and how many times the tick loop takes at 10^5."""
    from market.pricing import clearing_price

    million, some = caps(1_000_000), caps(100_000)
    assert clearing_price(some, SLOTS) == ticked(some, SLOTS)
    found: dict[str, list[float]] = {"million": [], "ratio": []}
    for _ in range(rounds):
        found["million"].append(1000 * seconds(lambda: clearing_price(million, SLOTS)))
        closed = seconds(lambda: clearing_price(some, SLOTS))
        found["ratio"].append(seconds(lambda: ticked(some, SLOTS)) / closed)
    return found


def people() -> list[UUID]:
    from django.db import transaction

    from billing import wallet
    from billing.models import Plan, Tenant
    from bundles.models import Bundle
    from market.models import Bidding

    plan = Plan.objects.get(slug="pro")
    tenants = Tenant.objects.bulk_create([Tenant(slug=f"bench-{n}", plan=plan) for n in range(TENANTS)])
    ids = [one.pk for one in tenants]
    Bidding.objects.bulk_create(
        [Bidding(tenant_id=one, auto_bid=True, bid_cap=n % 50 + 1) for n, one in enumerate(ids)]
    )
    Bundle.objects.bulk_create([Bundle(id=one, tenant_id=one, name="b") for one in ids])
    with transaction.atomic():
        for one in ids:
            wallet.grant(one, 1_000_000, key=f"bench:{one}", note="bench")
    return ids


def action(id: str, tenant: str, now: int) -> Any:
    from market.wire import Waiting

    return Waiting(
        *(id, tenant, f"{tenant}/s", 100, 100, now, now + 60_000, 60_000, 1, "queue", None, None, tenant)
    )


def whole(rounds: int) -> list[float]:
    """ms of a bidding round: 1,500 waiting entries of 400 tenants, 200 winners, from the queue to the commit."""
    from django.conf import settings

    from billing import collector
    from market import office, wire
    from market import rounds as money
    from market.leading import Leader

    ids = people()
    found: list[float] = []
    now = 1_900_000_000_000
    term = office.take("bench")
    leader = Leader(settings.MARKET, 1.0, 5, term, now)
    names = count()
    collector.settle()  # as the worker does
    for _ in range(rounds + 1):
        waiting = [action(f"a{next(names)}", str(ids[n % TENANTS]), now) for n in range(ENTRIES)]
        leader.handle(wire.read(wire.submit("bench", waiting)), now)
        began = time.perf_counter()
        turn = leader.turn(now)
        assert turn is not None
        result = money.clear(turn, term.term)
        leader.carried(turn, result, stored=True)
        list(leader.out.take())
        found.append(1000 * (time.perf_counter() - began))
        assert len(result.winners) == SLOTS
        leader.handle(wire.read(wire.end("bench", [(id, 1) for id in list(leader.register.entries)])), now)
        now += 1_000
    return found[1:]


def jain(values: list[int]) -> float:
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


def fairness() -> dict[str, Any]:
    """Free rounds of equal tenants, and a tenant without credits where everything is sold out."""
    from tests.market.stage import account, action, history, play

    equal = [action(f"t{n:02}", 1_000, 0, service="s") for n in range(90)]
    free = play(*equal, rounds=8)
    got = [sum(history(free, index)) for index in range(len(equal))]
    rich = [account(f"r{n:03}", 10**6, cap=50) for n in range(200)]
    given = [*(action(one["id"], 900_000) for one in rich), action("poor", 225, 3)]
    paid = play(*given, accounts=rich, settings={"freeLane": 50}, rounds=60)
    done = paid["actions"][-1]["doneRound"]
    return {
        "jain": jain(got),
        "poor waited": done - 3,
        "bound": 3 * 10 + 3 * (-(-201 // 50) + 1),
        "contended": all(one["price"] for one in paid["rounds"]),
    }


def main(rounds: int) -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from billing import wallet

    found = {
        "price": prices(rounds),
        "whole": whole(rounds),
        "fairness": fairness(),
        "ledger": wallet.check(),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
