"""The context of one request: each field that it runs is one execution, as by any other door."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from graphql import GraphQLError

from billing.errors import ApiError
from bundles.target import Target
from runtime import ask, flowqueue, prompts, said
from runtime.answer import Reply
from runtime.exchange import Asked
from runtime.flowqueue import SERVICE
from runtime.interceptors.serve import of_token
from runtime.job import Job
from runtime.live import Live
from runtime.promptdoor import Asking
from runtime.prompts import Found

if TYPE_CHECKING:
    from runtime.call import Waist

TRIGGER = "graphql"
FAILED = 400
MOST = 16 * 1024 * 1024  # bytes of all outputs in one answer
CODES = {
    401: "UNAUTHENTICATED",
    402: "NO_CREDITS",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    413: "TOO_LARGE",
    422: "INVALID_PARAMETERS",
    429: "RATE_LIMITED",
    499: "CANCELLED",
    501: "NOT_AVAILABLE",
    502: "FAILED",
    503: "UNAVAILABLE",
    504: "TIMEOUT",
}
T = TypeVar("T")
_going: set[asyncio.Future[Any]] = (
    set()
)  # runs whose request may have ended before them; a task needs a holder


async def whole(work: Awaitable[T]) -> T:
    """What has begun comes to its end and into the history, also when the time of its request is over."""
    task = asyncio.ensure_future(work)
    _going.add(task)
    task.add_done_callback(_going.discard)
    return await asyncio.shield(task)


@dataclass(slots=True)
class Runs:
    """Whose fields are run, for whom."""

    live: Live
    asked: Asked
    waist: "Waist"
    caller: str
    told: int = 0  # bytes of outputs in the answer

    def tell(self, size: int) -> None:
        self.told += size
        if self.told > MOST:
            raise GraphQLError(
                f"The outputs of an answer may have {MOST} bytes.", extensions={"code": "TOO_LARGE"}
            )

    @property
    def tenant(self) -> str:
        return self.live.slug

    async def prompt(self, id: str, given: dict[str, Any]) -> dict[str, Any]:
        found = prompts.find(self.live, id)
        if found is None:
            raise GraphQLError("This prompt runs no more.", extensions={"code": "NOT_FOUND"})
        reply, execution = await self.answer(found, given)
        told = answer_of(reply, execution)
        size = {"size": len(reply.body)}
        if not isinstance(told, dict):
            return {"output": text_of(told), "execution": execution, **size}
        return {"execution": execution, **told, "output": text_of(told.get("output", told)), **size}

    async def answer(self, found: Found, given: dict[str, Any]) -> tuple[Reply, str]:
        """What the prompt answers within its interceptors, if it has any, and the id of the execution."""
        bundle, prompt = found
        try:
            if prompt.chain is not None:
                return await self.wrapped(found, given)
            values = prompts.checked(prompt, given)
            job = prompts.make_job(bundle, prompt, values, trigger=TRIGGER, caller=self.caller)
            return (await whole(self.waist.call(job))).reply, job.id
        except ApiError as error:
            raise failed(error.status, error.body(), "") from None

    async def wrapped(self, found: Found, given: dict[str, Any]) -> tuple[Reply, str]:
        prompt = found[1]
        assert prompt.chain is not None
        call = Wrapped(self.inner(given), found, self.waist)
        call.known_as(self.caller, of_token(self.asked))
        call.data = ask.encoded(given)
        reply = await whole(prompt.chain.later(call))
        return reply, call.job.id if call.job is not None else ""

    def inner(self, given: dict[str, Any]) -> Asked:
        """The request as interceptors see it: that of the same prompt by its own address."""
        headers = {"content-type": "application/json"}
        return replace(self.asked, method="POST", query=b"", headers=headers)

    async def flow(self, id: str, given: Any) -> dict[str, Any]:
        found = self.live.flows.get(id)
        if found is None:
            raise GraphQLError("This flow runs no more.", extensions={"code": "NOT_FOUND"})
        bundle, flow = found
        contract, target = bundle.definition.contract, Target("flow", flow.name)
        job = Job(bundle, SERVICE, flow.name, target, contract, b"", TRIGGER, caller=self.caller)
        told = flowqueue.values("POST", TRIGGER)
        try:
            job.request = ask.request(told, given, tenant=bundle.tenant, execution=job.id)
            outcome = await whole(said.call(self.waist, job))
        except ApiError as error:
            raise failed(error.status, error.body(), "") from None
        output, size = answer_of(outcome.reply, job.id), len(outcome.reply.body)
        return {"output": output, "execution": job.id, "size": size}


class Wrapped(Asking):
    """A prompt within its interceptors, asked by GraphQL."""

    __slots__ = ()

    def make_job(self) -> Job:
        job = super().make_job()
        job.trigger = TRIGGER
        return job


def answer_of(reply: Reply, execution: str) -> Any:
    """The value of a reply; GraphQLError for one that failed."""
    value = value_of(reply)
    if reply.status >= FAILED:
        raise failed(reply.status, value if isinstance(value, dict) else {}, execution)
    return value


def value_of(reply: Reply) -> Any:
    if "json" not in reply.content_type:
        return reply.body.decode("utf-8", "replace")
    try:
        return orjson.loads(reply.body or b"null")
    except orjson.JSONDecodeError:
        return reply.body.decode("utf-8", "replace")


def text_of(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def failed(status: int, body: dict[str, Any], execution: str) -> GraphQLError:
    """A refusal with what problem+json would say of it."""
    told: dict[str, Any] = {"code": CODES.get(status, "FAILED"), "status": status}
    told |= {"execution": execution} if execution else {}
    told |= {"problems": body["errors"]} if body.get("errors") else {}
    told |= {"reason": body["code"]} if isinstance(body.get("code"), str) else {}
    why = body.get("detail") or body.get("title") or f"It answered {status}."
    return GraphQLError(str(why), extensions=told)
