"""What a call may use of the sandbox, as it goes on: its own rounds while the price is 0, else what the market grants.

A call begins without asking anybody when its service has room; a longer one goes on slice by slice and waits in
between when its part of the round is used up (MARKET R1 to R5). Nothing is held while it waits for the world outside.
"""

import asyncio
import time
from collections.abc import Callable

from market import estimate
from market.admission import GRAINS, House, limit
from market.ticket import Denied, Ticket
from market.wire import Waiting
from runtime import running
from runtime.job import Job, Outcome
from runtime.wasm import Trap, units
from runtime.wasmtypes import EXHAUSTED, FUEL_PER_UNIT

PRIORITIES = {"low": 0, "normal": 1, "high": 2, "critical": 3}
GRACE_S = 3.0  # beyond its deadline, for a leader that is late
ENTRY = 100
STRANGER = "public"
assert GRAINS == FUEL_PER_UNIT


def instance(job: Job) -> str:
    return f"{job.bundle.id}/{job.service}"


Say = Callable[[Job, str], None]


class Purse:
    """One for each run; its functions share it. Fuel where nothing else is said."""

    def __init__(self, job: Job, house: House, say: Say) -> None:
        self.job, self._house, self._say = job, house, say
        self.instance = instance(job)
        self.cap = limit(job.contract) * FUEL_PER_UNIT
        self.need = need(job)
        self.spent = 0
        self.ticket: Ticket | None = None
        self.waited = 0.0
        self.began_ms = time.time_ns() // 1_000_000
        self._working = 0

    # -- may it go on -------------------------------------------------------------------------------

    def open(self) -> bool:
        """Whether a slice may run now."""
        ticket = self.ticket
        if ticket is None or ticket.loose:
            return self._house.local.open(self.instance, time.perf_counter())
        return self.spent < ticket.allowed * FUEL_PER_UNIT

    def now(self) -> int:
        """Fuel that may be used without waiting."""
        ticket = self.ticket
        if ticket is None or ticket.loose:
            return self._house.local.left(self.instance, time.perf_counter())
        return max(0, ticket.allowed * FUEL_PER_UNIT - self.spent)

    async def ready(self) -> None:
        """Until a slice may run; Denied when the market says that it never will, Trap when its budget is used up."""
        if self.spent >= self.cap:
            raise Trap("fuel", EXHAUSTED, fuel=self.spent)
        if not self.open():
            await self._wait()

    async def _wait(self) -> None:
        """A round that waits for this run alone may end meanwhile."""
        began = time.monotonic()
        self._rested()
        self._house.waiting += 1
        try:
            await self._turn()
            while not self.open():
                await self._turn()
        finally:
            self._house.waiting -= 1
            self.waited += time.monotonic() - began

    async def _turn(self) -> None:
        house, ticket = self._house, self.ticket
        if house.client is None or (ticket is not None and ticket.loose):
            return await asyncio.sleep(max(0.001, house.local.rest(time.perf_counter())))
        if ticket is None:
            ticket = self.ticket = house.client.enter(self._action(self._left()), units_up(self.spent))
        elif ticket.action.left <= 0:
            if ticket.degraded:
                raise Trap("fuel", EXHAUSTED, fuel=self.spent)
            house.client.extend(ticket, ENTRY)
        before = ticket.place
        await ticket.more(self._patience())
        if ticket.place is not None and ticket.place != before:
            await running.announce(
                self.job
            )  # it takes long enough to have a place: the history tells that it is there
            position, rounds = ticket.place
            self._say(self.job, f"waits for compute: position {position}, about {rounds} rounds")

    def queue_rest(self) -> None:
        """A call that is long: the entries beyond its first wait in the queue, where they count (R10)."""
        client = self._house.client
        if self.ticket is None and client is not None and self.need > ENTRY:
            first = units_up(self.spent) + ENTRY
            if self.need > first:
                self._house.local.spend(self.instance, ENTRY * FUEL_PER_UNIT)
                self.ticket = client.enter(self._action(self.need - first), first)

    def _left(self) -> int:
        left = self.need - units_up(self.spent)
        return left if left > 0 else ENTRY

    def _action(self, left: int) -> Waiting:
        job, contract = self.job, self.job.contract
        return Waiting(
            id=job.id,
            tenant=job.bundle.tenant_id,
            service=self.instance,
            need=max(self.need, left),
            left=left,
            submitted=self.began_ms,
            deadline=self.began_ms + contract.max_wait_ms,
            max_wait=contract.max_wait_ms,
            priority=PRIORITIES[contract.priority],
            fallback=contract.fallback,
            ceiling=contract.cost_ceiling,
            auto_bid=contract.auto_bid,
            bundle=job.bundle.id,
            rerun=job.restarts > 0,
            api=not job.added or job.announced,
            stranger=job.caller == STRANGER,
        )

    def _patience(self) -> float:
        """A degraded one waits twice as long; then nobody will say anything any more."""
        contract = self.job.contract
        times = 2 if contract.fallback == "degrade" else 1
        return max(0.0, times * contract.max_wait_ms / 1000 - self.waited) + GRACE_S

    # -- accounts -----------------------------------------------------------------------------------

    def spend(self, fuel: int) -> None:
        self.spent += fuel
        if self.ticket is None or self.ticket.loose:
            self._house.local.spend(self.instance, fuel)

    def left(self) -> int:
        """Fuel until its budget is used up."""
        return max(0, self.cap - self.spent)

    def work(self) -> None:
        """It uses the processor from here on: a round that it belongs to goes on until it rests."""
        self._working += 1
        self._house.local.working += 1

    def rest(self) -> None:
        if self._working:
            self._working -= 1
            self._house.local.working -= 1
            self._rested()

    def _rested(self) -> None:
        if self.ticket is not None and self._house.client is not None and not self._working:
            self._house.client.rests(self.job.id)

    def told(self, outcome: Outcome) -> Outcome:
        """The outcome with what the market did for it."""
        ticket = self.ticket
        outcome.waited_us = int(self.waited * 1e6)
        if ticket is not None:
            outcome.price, outcome.spent, outcome.round = ticket.price, ticket.charged, ticket.round
            outcome.degraded |= ticket.degraded
            outcome.backoffs = ticket.backoffs
            outcome.effects.logs.insert(0, ("info", story(ticket, self.waited, outcome)))
        if outcome.status != "refused":
            self.job.bundle.estimates.note(self.job.service, self.job.name, units(outcome.fuel))
        return outcome

    def close(self) -> None:
        """The run is over; entries that it was not served vanish (R3)."""
        if self.ticket is not None and self._house.client is not None:
            self._house.client.leave(self.ticket, units_up(self.spent))


def story(ticket: Ticket, waited: float, outcome: Outcome) -> str:
    """What the market did for a run, for its log."""
    paid = f", {ticket.charged} credit{'' if ticket.charged == 1 else 's'} paid" if ticket.charged else ""
    cut = ", cut to one entry" if ticket.degraded else ""
    if ticket.ending is not None:
        at = f" at price {ticket.lost_at}" if ticket.lost_at else ""
        return f"the market had no compute for it within {waited:.1f} s{at}{paid}{cut}"
    return f"waited {waited:.2f} s for compute: {ticket.rounds} grants, round {ticket.round}{paid}{cut}"


def need(job: Job) -> int:
    """CU that the run stands in the queue for (R4)."""
    contract = job.contract
    if contract.compute_units_written:
        return contract.compute_units
    measured = job.bundle.estimates.raw(job.service, job.name)
    return min(estimate.need(None, measured), limit(contract))


def units_up(fuel: int) -> int:
    return -(-fuel // FUEL_PER_UNIT)


__all__ = ["Denied", "Purse", "instance", "need"]
