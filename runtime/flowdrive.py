"""Drives a run of a flow: does what its pump waits for, keeps its state around effects, parks it when it waits long."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial

from market.ticket import Denied
from runtime import flowguest, flowkeep, flowmemory, running
from runtime.flowcallers import Callers
from runtime.flowneeds import Context, Failure, Need
from runtime.flowperform import performer
from runtime.flowrun import Run, taken_on
from runtime.flowstate import Unusable
from runtime.job import Effects, Outcome
from runtime.targets import Done
from runtime.wasm import Trap

SLICE = 200  # steps between two looks at the event loop
PARK_S = 30.0
RUN_S = 900.0
EFFECTS = frozenset({"http", "llm", "agent", "prompt", "memory"})
LISTEN_S = 0.5  # between two looks for answers to waits, while other work goes on
QUICK_S = 0.25  # an answer to the outside that is here before is of a run that somebody waits for
Result = tuple[int, bytes | Failure | BaseException, int]


class Driver:
    """One run with the tasks that work for it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.job = run.job
        self.pump = run.pump
        self.flow = run.plan.flow
        self.came: asyncio.Queue[Result | None] = asyncio.Queue()  # None: something else has changed
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.callers = Callers(self.pump)
        self.agents: set[int] = set()  # needs that are agents at work
        self.slow: asyncio.Future[None] | None = None
        self.room = asyncio.Semaphore(self.flow.handlers)
        self.keeper = flowkeep.Keeper(self.job)
        self.deadline = time.monotonic() + RUN_S
        # A run that starts again after the loss of its process has its state kept around each effect; of one that
        # ends with its caller's connection it is enough that a long effect is known.
        self.lasting = run.job.added and run.job.level == 0
        self.paused = False
        self.changed = False  # an effect has happened that is not in the kept state
        self.asked: set[str] = set()  # tokens of the waits whose links work, beside whatever else goes on

    # -- the whole ----------------------------------------------------------------------------------

    async def whole(self) -> Done:
        """From wherever it is to its end."""
        async with flowkeep.room(self.run.plan, self.job):
            await self.begin()
            try:
                with running.pausable(self.job.id, self.hold):
                    return await running.cancellable(self.job, self.drive())
            except running.Cancelled as cancelled:
                await self.settled()
                cancelled.effects = Effects(logs=self.run.logs, steps=self.pump.steps.whole())
                await self.leave()
                raise
            except (
                Denied
            ) as denied:  # the market serves it no further: what it has done stands in the history
                await self.settled()
                denied.partly = Effects(logs=self.run.logs, steps=self.pump.steps.whole())
                await self.leave()
                raise
            finally:
                for task in self.tasks.values():
                    task.cancel()
                await self.settled()

    async def begin(self) -> None:
        """Where it was left, when it was begun before."""
        state = await self.keeper.state() if self.lasting else None
        if state is None:
            self.pump.begin()
            return
        try:
            self.keeper.load(self.pump, state)
        except Unusable as problem:
            self.keeper.fits = False
            return self.pump.stop(Failure("validation", str(problem)))
        await self.hear()

    async def drive(self) -> Done:
        pump = self.pump
        while True:
            if self.paused and not pump.done:
                if (parked := await self.rest()) is not None:
                    return parked
                continue
            idle = self.run.advance(SLICE)
            self.callers.tell()
            if not idle:
                await self.turn()
                continue
            if pump.done:
                await self.settled()
                return await self.end()
            if self.job.said is not None and (pump.output or pump.left) is not None:
                await self.say(self.job.said)
            await self.begin_needs()
            if pump.ready or pump.failure is not None:
                continue
            if self.idle() and self.came.empty() and not self.soon():
                if (parked := await self.park()) is not None:
                    return parked
                continue
            await self.ask()
            await self.take()

    async def turn(self) -> None:
        """Others have theirs; who has used up its part of the round with steps alone waits for the next one."""
        purse = self.job.purse
        if purse is None or self.pump.done or purse.open():
            return await asyncio.sleep(0)
        try:
            await purse.ready()
        except Trap:
            self.pump.stop(Failure("budget", self.job.contract.used_up))

    def hold(self) -> None:
        """Somebody wants that nothing begins any more."""
        if not self.paused:
            self.paused = True
            self.came.put_nowait(None)

    async def rest(self) -> Done | None:
        """What is under way ends; then the run is put away, due at once: it goes on when it may."""
        if not self.came.empty() or self.callers.working(self.tasks):
            await self.take()
            return None
        await self.settled()
        return await self.park(paused=True)

    async def take(self) -> None:
        """The next result, or the moment that something is due."""
        if self.came.empty():
            try:
                came = await self.arrival()
            except TimeoutError:
                await self.hear()
                return self.ring()
        else:
            came = self.came.get_nowait()
        while came is not None:
            id, result, fuel = came
            self.tasks.pop(id, None)
            if isinstance(result, BaseException):
                raise result
            self.changed = True
            self.pump.feed(id, result, fuel)
            came = None if self.came.empty() else self.came.get_nowait()
        if self.changed and self.lasting and self.pump.failure is None:
            await self.keep()

    async def arrival(self) -> Result | None:
        """What comes next. When that takes long, as a delay does, the history tells that the run is under way."""
        known = self.lasting or self.job.level > 0 or self.slow is not None
        slow = None if known else asyncio.get_running_loop().call_later(QUICK_S, self.announce_slow)
        try:
            async with asyncio.timeout(self.pause()):
                return await self.came.get()
        finally:
            if slow is not None:
                slow.cancel()

    async def say(self, said: "asyncio.Future[Outcome]") -> None:
        """Whoever waits has the answer; from here on the run is its own, so it is known before."""
        self.job.said = None
        await self.keep()
        if not said.done():
            said.set_result(Outcome("success", self.run.reply(), self.pump.fuel))

    # -- time ---------------------------------------------------------------------------------------

    def idle(self) -> bool:
        """Whether nobody works for this run: agents that wait for their tools can wait elsewhere."""
        return not self.tasks or (not self.job.level and self.callers.asleep(self.tasks))

    def soon(self) -> bool:
        """Whether something is due before it would be worth parking."""
        now = time.time()
        spans = {"timer": PARK_S}
        dues = ((need.due, spans.get(need.kind, 0.0)) for need in self.pump.needs.values())
        return any(due is not None and due <= now + span for due, span in dues)

    def pause(self) -> float:
        left = self.deadline - time.monotonic()
        left = min(left, LISTEN_S) if self.asked else left
        dues = [need.due - time.time() for need in self.pump.needs.values() if need.due is not None]
        return max(0.0, min([left, *dues]))

    def ring(self) -> None:
        """What is due goes on; a wait that nobody ended is a failure."""
        now = time.time()
        if time.monotonic() >= self.deadline:
            return self.pump.stop(Failure("timeout", f"the run took longer than {RUN_S:g} s"))
        for need in list(self.pump.needs.values()):
            if need.due is None or need.due > now:
                continue
            if need.kind == "wait":
                self.pump.feed(need.id, Failure("timeout", "nobody answered in time"))
            else:
                self.pump.feed(need.id, need.payload)

    async def ask(self) -> None:
        """Waits beside other work: their links work from now on."""
        waits = {need.token for need in self.pump.needs.values() if need.kind == "wait"}
        if waits and waits != self.asked and not self.job.level:
            self.asked = waits
            await self.keeper.keep_waits(self.pump)

    async def hear(self) -> bool:
        """Waits that somebody has ended go on; whether there was one."""
        waits = {need.token: need.id for need in self.pump.needs.values() if need.kind == "wait"}
        answers = await self.keeper.answered(list(waits)) if waits else {}
        for token, answer in answers.items():
            self.pump.feed(waits[token], answer)
        self.asked -= answers.keys()
        return bool(answers)

    # -- work for others ----------------------------------------------------------------------------

    def drop_given_up(self) -> None:
        """Agents whose time was over think no further."""
        for id in self.agents - self.pump.needs.keys():
            self.agents.discard(id)
            if (task := self.tasks.pop(id, None)) is not None:
                task.cancel()

    async def begin_needs(self) -> None:
        self.drop_given_up()
        fresh = [n for n in self.pump.needs.values() if n.due is None and n.id not in self.tasks]
        if not fresh:
            return
        if self.lasting and any(need.kind in EFFECTS for need in fresh):
            await self.keep()
            if self.pump.failure is not None:
                return
        if len(fresh) == len(self.pump.needs) == 1 and fresh[0].kind != "agent":
            return await self.work(fresh[0])  # there is nothing else to do meanwhile
        for need in fresh:
            task = self.tasks[need.id] = asyncio.create_task(self.work(need))
            if need.kind == "agent":
                self.agents.add(need.id)
            task.add_done_callback(partial(self.fell, need.id))

    def fell(self, id: int, task: "asyncio.Task[None]") -> None:
        """A task that ended by a fault of ours or of a store takes the run with it."""
        if not task.cancelled() and (problem := task.exception()) is not None:
            self.came.put_nowait((id, problem, 0))

    async def work(self, need: Need) -> None:
        """One need, within the step's time; whatever came of it goes to the one that drives."""
        left = self.deadline - time.monotonic()
        own = need.listener.timeout_ms if need.kind != "agent" else None  # the pump keeps an agent's time
        limit = min(left, own / 1000) if own else left
        try:
            if need.kind == "http" and limit == left:  # it keeps the run's time itself
                async with self.room:
                    result, fuel = await self.perform(need)
            else:
                async with self.place(need), asyncio.timeout(limit):
                    result, fuel = await self.perform(need)
        except TimeoutError:
            result, fuel = Failure("timeout", f"it took longer than {limit:g} s", retryable=True), 0
        self.came.put_nowait((need.id, result, fuel))

    def place(self, need: Need) -> AbstractAsyncContextManager[object]:
        """An agent takes none of the places of handlers: while it waits for its tools, they need them."""
        return nullcontext() if need.kind == "agent" else self.room

    async def perform(self, need: Need) -> tuple[bytes | Failure, int]:
        if need.kind == "wasm":
            return await flowguest.step(self.run, self.pump.waiting[need.id], need)
        if need.kind == "memory":
            return await flowmemory.perform(need, self.job, self.pump.waiting[need.id].node.plan.flow), 0
        if self.lasting:
            return await self.outside(need)
        slow = asyncio.get_running_loop().call_later(QUICK_S, self.announce_slow)
        try:
            return await self.outside(need)
        finally:
            slow.cancel()

    def announce_slow(self) -> None:
        """Somebody waits for the answer; when that takes longer the history tells that the run is under way."""
        if self.slow is None:
            self.slow = asyncio.ensure_future(self.keep())

    async def settled(self) -> None:
        """What has begun to be written down is, before anything is said of the end."""
        if self.slow is not None:
            await self.slow
            self.slow = None

    async def outside(self, need: Need) -> tuple[bytes | Failure, int]:
        if need.kind == "agent":
            if self.callers.waits_above(need):
                return Failure(
                    "routing", f"“{need.node}” waits for an answer itself; it cannot be asked now"
                ), 0
            async with flowkeep.room_of_agent(self.run.plan, need.node):
                return await performer(need.kind)(need, self.context(need)), 0
        return await performer(need.kind)(need, self.context(need)), 0

    def context(self, need: Need) -> Context:
        place = f"{need.node}:{need.thread.rpartition(':')[2]}"

        async def load() -> bytes | None:
            return await self.keeper.buffer(place)

        async def save(data: bytes) -> None:
            await self.keeper.save_buffer(place, data)

        async def call_peer(name: str, payload: bytes, key: str) -> bytes | Failure:
            return await self.call_peer(need, name, payload, key)

        bundle = self.job.bundle
        return Context(
            bundle=bundle,
            execution=self.job.id,
            flow=self.pump.waiting[need.id].node.plan.flow,  # it may be one that this flow calls
            tokens=self.pump.tokens,
            secret=bundle.secrets.get,
            call_peer=call_peer,
            load=load,
            save=save,
            log=self.run.log,
            deadline=self.deadline,
            vars=bundle.vars,
            fuel=self.run.granted - self.pump.fuel,
            charge=self.charge,
        )

    def charge(self, fuel: int) -> None:
        self.pump.fuel += fuel
        if self.job.purse is not None:
            self.job.purse.spend(fuel)

    async def call_peer(self, need: Need, name: str, payload: bytes, key: str) -> bytes | Failure:
        """An agent's tool: a message to its peer, and what that answers."""
        self.came.put_nowait(None)
        return await self.callers.call(need, name, payload, key)

    # -- keeping and ending -------------------------------------------------------------------------

    async def keep(self) -> None:
        """Known as running, with its state: whoever takes it over goes on from here."""
        if self.job.level:
            return
        await running.announce(self.job)
        self.changed = False
        await self.keeper.keep(self.pump)

    async def park(self, *, paused: bool = False) -> Done | None:
        """Nothing is to be done for a while: the run is put away until its time, or until somebody answers.

        None when somebody has meanwhile.
        """
        await self.keep()
        if self.pump.failure is not None:
            return await self.end()
        await self.keeper.keep_waits(self.pump)
        if not paused and await self.hear():
            return None
        dues = [need.due for need in self.pump.needs.values() if need.due is not None]
        due = time.time() if paused else min(dues)
        effects = Effects({}, [], self.run.signals, self.run.logs, self.pump.steps.whole())
        return Done(taken_on(self.job), self.pump.fuel, effects, due_us=int(due * 1e6))

    async def end(self) -> Done:
        failed = self.pump.failure is not None
        if not failed or (self.keeper.fits and not await self.keeper.keep_failed(self.pump)):
            await self.leave()
        return self.run.done()

    async def leave(self) -> None:
        """What was kept goes when the end of the run is written down; that of a part of another run at once."""
        if self.job.level:
            await self.keeper.forget()
        else:
            self.job.forget = self.keeper.forget
