"""A step that is a function which waits for something: it runs to its end, and what it wrote is committed once."""

from runtime import kv, targets
from runtime.answer import BadAnswer, read
from runtime.flowframe import Message, Refused
from runtime.flowneeds import Failure, Need
from runtime.flowrun import Run
from runtime.host import HostCall, HostFailure
from runtime.wasm import Answer, Trap

Given = tuple[bytes | Failure, int]


async def step(run: Run, message: Message, need: Need) -> Given:
    """Its answer and fuel. All or nothing, also when others write the same keys."""
    node = message.node
    target = node.listener.handler.target
    assert target is not None
    job = run.job
    state = targets.State()
    try:
        frame = targets.Frame(job, target, run.bounds(node), job.level)
        request = node.head + need.payload + run.pump.tail
        for attempt in range(targets.MAX_CONFLICTS):
            if attempt > targets.PATIENCE:
                async with job.bundle.lock:
                    done = await once(run, frame, state, request, need.step)
            else:
                done = await once(run, frame, state, request, need.step)
            if done is not None:
                return done.body, done.fuel + targets.below(state)
    except PROBLEMS as problem:
        return failed(run, problem)
    return Failure("handler", "its state was changed by other calls too often", retryable=True), 0


async def once(
    run: Run, frame: targets.Frame, state: targets.State, request: bytes, step: int
) -> Answer | None:
    """One attempt with its commit; None when what it had read was changed meanwhile."""
    state.steps, state.doomed = [], ""
    state.asked.clear()
    host = run.host(step)
    host.reads.update(state.reads)
    try:
        answer = await targets.run(frame, host, state, request)
    except Trap:
        run.gather(host, failed=True)
        raise
    bad = complaint(answer.body)
    try:
        if not bad:
            await frame.job.bundle.space.commit(f"{run.job.id}:{step}", state.reads, host.writes, state.lists)
    except kv.Conflict as conflict:
        state.reads.update(conflict.fresh)
        if conflict.relist:
            state.lists.clear()
        return None
    run.gather(host, failed=bool(bad))
    return answer


def complaint(body: bytes) -> bool:
    """Whether the answer is one of failure, which writes nothing."""
    try:
        reply = read(body)
    except BadAnswer:
        return True
    return bool(reply.error) or reply.status >= 400


PROBLEMS = (Trap, targets.Absent, targets.Forbidden, kv.Full, HostFailure, Refused)


def failed(run: Run, problem: Exception) -> Given:
    match problem:
        case Trap():
            refused = run.trapped(problem, HostCall("", 0))
            return refused.failure, 0
        case Refused():
            return problem.failure, 0
        case targets.Absent():
            return Failure("not-available", str(problem)), 0
        case kv.Full():
            return Failure("budget", str(problem)), 0
    return Failure("handler", str(problem)), 0
