"""`manage.py market demo`: more is wanted than there is, on purpose, and somebody follows what the market does."""

import asyncio
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from billing import wallet
from billing.models import Tenant
from market import asking, crowd, figures, history
from market.management.callers import Callers, path_of
from market.rush import Rush

TELL_S = 2.0
WINDOW = (0.4, 0.25)  # the reservation: when it begins and how long it is, of the whole time
Say = Callable[[str], None]


class Absent(Exception):
    """There is no such tenant, or nobody leads the rounds."""


def demo(slug: str, count: int, seconds: int, say: Say) -> None:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise Absent(
            f"There is no tenant “{slug}”: start “make run” first, or name another one with --tenant."
        )
    if not led():
        raise Absent("Nobody leads the rounds: start “make run” in another terminal, and try again.")
    if gone := crowd.clean():
        say(f"{gone} tenants of an earlier demo are gone.")
    members = crowd.gather(count)
    crowd.follow(tenant)
    start = timezone.now() + timedelta(seconds=max(5, seconds * WINDOW[0]))
    reserved = crowd.reserve(tenant, start, max(5, int(seconds * WINDOW[1])))
    begin(tenant, count, seconds, say)
    if reserved:
        say(
            f"  {reserved.astimezone():%H:%M:%S}  a reservation of {slug} begins: {crowd.POOL} credits, any price\n"
        )
    callers = calling(tenant, say)
    try:
        asyncio.run(play(Rush(members, tenant.pk, seconds), say))
    finally:
        if callers is not None:
            callers.stop()
    end(slug, callers, say)


def calling(tenant: Tenant, say: Say) -> Callers | None:
    """Real calls as well, when something of the tenant runs."""
    path = path_of(tenant)
    if path is None:
        return None
    callers = Callers(tenant, path)
    callers.start()
    say(f"  real calls of GET {path} stand in the queue too: see “My queue”\n")
    return callers


def led(patience: float = 10.0) -> bool:
    """Whether somebody answers for the queue."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if asking.mine("demo").known:
            return True
    return False


def begin(tenant: Tenant, count: int, seconds: int, say: Say) -> None:
    say(f"{count} tenants want more than a round has, for {seconds} s. Ctrl-C ends it earlier.\n")
    say(f"  Follow it at {settings.BASE_URL}/market, signed in as a member of {tenant.slug}:")
    say("  - the price is 1 while at most 200 bid, and climbs with each one more")
    say(
        f"  - {tenant.slug} bids up to {crowd.SHOWN_CAP}: under “My wins and losses” each round says why it won or waited"
    )
    say("  - in its reservation it runs first whatever the price is, and pays nothing more")
    say(
        "  - those who do not bid are served by the free lane; when the crowd goes, everybody is free again\n"
    )


async def play(rush: Rush, say: Say) -> None:
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, until.set)
    teller = asyncio.create_task(tell(rush, say))
    try:
        await rush.run(until)
    finally:
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)


async def tell(rush: Rush, say: Say) -> None:
    last = 0
    while True:
        await asyncio.sleep(TELL_S)
        text, last = await asyncio.to_thread(line, rush, last)
        say(text)


def line(rush: Rush, last: int) -> tuple[str, int]:
    state = figures.public(asking.state(), figures.now_ms())
    text = (
        f"  {time.strftime('%H:%M:%S')}  {state['price_text']:>11}  waiting {state['entries']:>6,}"
        f"  bidders {state['bidders']:>4,}  winners {state['winners']:>4,}  {state['reserved']} reserved"
    )
    mine = newest(rush.followed) if rush.followed else None
    if mine is None or mine[0] <= last:
        return text, last
    return f"{text}   | {mine[1]}", mine[0]


def newest(tenant_id: UUID) -> tuple[int, str] | None:
    found = history.receipts(tenant_id, 1)
    return (found[0].number, found[0].text) if found else None


def end(slug: str, callers: Callers | None, say: Say) -> None:
    wrong = wallet.check()
    if callers is not None:
        answers = ", ".join(
            f"{count} × {status or 'no answer'}" for status, count in sorted(callers.statuses.items())
        )
        say(f"\nAnswers to {callers.path}: {answers or 'none'}")
    say("The crowd is gone. " + (f"The ledger does not add up: {wrong}" if wrong else "The ledger adds up."))
    say(f"Receipts: {settings.BASE_URL}/market   Statement: {settings.BASE_URL}/wallet")
    say(f"“manage.py market demo --clean” takes the demo tenants away and gives {slug} its settings back.")
