"""wasm:M:F as an interceptor: a function of the bundle looks at a request or an answer, metered and recorded like any run.

It answers with a `status` to answer the caller itself, with {"request": {"body": …}} to go on with another body, with
anything else to go on.
"""

from typing import Any

import orjson

from billing.errors import ApiError
from bundles.target import Target
from runtime import ask
from runtime.answer import Reply
from runtime.interceptors.cells import Cell
from runtime.interceptors.expressions import content
from runtime.interceptors.invocation import TOO_LATE, Invocation, refusal
from runtime.interceptors.link import Link
from runtime.job import Job, Outcome


class Failed(RuntimeError):
    """An optional one did not end well; the call goes on without it."""


class Own(Link):
    at_once = False
    reads = True

    def __init__(self, cell: Cell, target: Target, *, optional: bool = False) -> None:
        super().__init__(cell)
        self.target, self.optional = target, optional

    def job(self, call: Invocation, more: dict[str, Any]) -> Job:
        """An execution like any other: else a bundle could do all its work in what nobody counts."""
        endpoint, bundle = call.match.endpoint, call.match.owner
        name = f"{endpoint.name}:{self.target.function}"[:100]
        job = Job(bundle, endpoint.service, name, self.target, endpoint.contract, b"", "api")
        job.caller = call.caller
        values = {**call.request, "caller": {"id": call.caller, "claims": call.claims}, **more}
        body = values.pop("body")
        job.request = ask.request(values, body, tenant=bundle.tenant, execution=job.id)
        return job

    async def asked(self, call: Invocation, more: dict[str, Any]) -> Reply | None:
        """The answer that it gives to the caller, or None. What fails answers too: nobody gets past it so."""
        if call.abandoned:
            return TOO_LATE
        try:
            job = self.job(call, more)
            outcome: Outcome = await call.waist.call(job)
        except ApiError as error:
            if self.optional:
                raise Failed from error
            return refusal(error)
        if outcome.status != "success":
            if self.optional:
                raise Failed(outcome.error)
            self.cell[2] += outcome.reply.status < 500
        elif outcome.reply.headers is None:  # no answer of its own (runtime.answer)
            self.go_on(call, outcome.reply)
            return None
        call.job, call.outcome = job, outcome
        return outcome.reply

    def go_on(self, call: Invocation, reply: Reply) -> None:
        """Nothing more to do here, but where a request may still be changed."""


class OnRequest(Own):
    async def wait_before(self, call: Invocation) -> Reply | None:
        return await self.asked(call, {})

    def go_on(self, call: Invocation, reply: Reply) -> None:
        value = orjson.loads(reply.body) if reply.body else None
        request = value.get("request") if isinstance(value, dict) else None
        if isinstance(request, dict) and "body" in request:
            call.request["body"] = request["body"]
            call.changed = True


class OnResponse(Own):
    async def wait_after(self, call: Invocation, reply: Reply) -> Reply:
        if call.queued is not None:
            return reply
        told = {"status": reply.status, "headers": dict(reply.headers or ()), "body": content(reply)}
        before = call.job, call.outcome
        found = await self.asked(call, {"response": told})
        if found is not None and before[1] is not None:
            call.job, call.outcome = before  # the run that was asked for is the one that the answer names
        return found or reply
