"""One wallet that 64 threads in each of two processes spend at full speed while credits arrive: what is left must be right.

`python -m tests.bench.onewallet prepare | spend TENANT SECONDS | look TENANT` does a part of it, on DATABASE_URL.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from tests.bench.house import data_dir
from tests.bench.processes import BenchFailed, clean, output
from tests.bench.table import Goal, Row

CLIENTS, GIVERS, PROCESSES = 64, 2, 2
START, GIFT, MOST = 1_000, 200, 30
RATE, WRONG = "charges/s", "wrong"


def rows(where: str, seconds: int, database: str = "") -> list[Row]:
    with data_dir() as home:
        env = clean(PRIOSTACK_DATA_DIR=str(home), DJANGO_SETTINGS_MODULE="priostack.settings")
        if database:
            env["DATABASE_URL"] = f"{database}&pool=20"

        def told(*argv: str) -> Any:
            printed = output([sys.executable, "-m", "tests.bench.onewallet", *argv], env, 120 + seconds)
            return json.loads(printed.splitlines()[-1])

        tenant = told("prepare")
        with ThreadPoolExecutor(PROCESSES) as pool:
            found = list(pool.map(lambda _: told("spend", tenant, str(seconds)), range(PROCESSES)))
        return [judged(where, found, told("look", tenant))]


def judged(where: str, found: list[dict[str, float]], left: dict[str, Any]) -> Row:
    """What was paid by those who won is what was charged, and the ledger's sum is the balance."""
    paid, given, charges, refused = (
        sum(one[name] for one in found) for name in ("paid", "given", "charges", "refused")
    )
    wrong = len(left["problems"])
    wrong += left["balance"] != START + given - paid
    wrong += left["charged"] != paid
    wrong += left["journals"] != charges
    wrong += left["lowest"] < 0
    if wrong:
        raise BenchFailed(f"the wallet is wrong: {left}, {found}")
    note = f"{charges:,.0f} charges were paid and {refused:,.0f} refused for want of credits; {given:,.0f} credits came in"
    rate = sum(one["charges"] / one["seconds"] for one in found)
    clients = f"{CLIENTS} clients × {PROCESSES} processes"
    return Row(f"one wallet, {clients}, {where}", {RATE: rate, WRONG: wrong}, (Goal(WRONG, 0),), note)


def prepare() -> str:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from billing import wallet
    from billing.models import Plan, Tenant

    mine = Tenant.objects.create(slug="bench", plan=Plan.objects.get(slug="pro"))
    wallet.grant(mine.pk, START, key="bench", note="bench")
    return str(mine.pk)


def spend(tenant: str, seconds: str) -> dict[str, float]:
    import random

    from billing import wallet

    mine, until = UUID(tenant), time.monotonic() + float(seconds)
    chance = random.Random(1)

    def charge() -> tuple[int, int]:
        price = chance.randint(1, MOST)
        try:
            return in_turn(lambda: wallet.charge_all(f"round:{uuid4()}", price, [mine])) and price, 0
        except wallet.Insufficient:
            return 0, 1

    def give() -> tuple[int, int]:
        in_turn(lambda: wallet.grant(mine, GIFT, key=f"grant:{uuid4()}", note="more"))
        time.sleep(0.01)
        return GIFT, 0

    def again(act: Callable[[], tuple[int, int]]) -> list[tuple[int, int]]:
        from django.db import close_old_connections, connections

        done = []
        try:
            while time.monotonic() < until:
                done.append(act())
                close_old_connections()  # as after a request: a pool has fewer than there are threads
        finally:
            connections.close_all()
        return done

    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS + GIVERS) as pool:
        givers = [pool.submit(again, give) for _ in range(GIVERS)]
        payers = [pool.submit(again, charge) for _ in range(CLIENTS)]
        paid = [one for job in payers for one in job.result()]
        given = [one for job in givers for one in job.result()]
    return {
        "paid": sum(price for price, _ in paid),
        "charges": sum(price > 0 for price, _ in paid),
        "refused": sum(refused for _, refused in paid),
        "given": sum(credits for credits, _ in given),
        "seconds": time.monotonic() - began,
    }


def in_turn(act: Callable[[], bool]) -> bool:
    """As the rounds do it."""
    from django.db import transaction

    from billing import writing

    with writing.first(), transaction.atomic():
        return act()


def look(tenant: str) -> dict[str, Any]:
    from django.db.models import Min, Sum

    from billing import wallet
    from billing.models import Journal, Leg, Wallet

    legs = Leg.objects.filter(account="wallet", tenant_id=tenant)
    return {
        "balance": Wallet.objects.get(pk=tenant).balance,
        "lowest": legs.aggregate(low=Min("after"))["low"],
        "charged": Leg.objects.filter(account="revenue").aggregate(all=Sum("amount"))["all"] or 0,
        "journals": Journal.objects.filter(kind="round").count(),
        "problems": wallet.check(),
    }


PARTS: dict[str, Callable[..., Any]] = {"prepare": prepare, "spend": spend, "look": look}

if __name__ == "__main__":
    import django

    django.setup()
    sys.stdout.write(json.dumps(PARTS[sys.argv[1]](*sys.argv[2:])) + "\n")
