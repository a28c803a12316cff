"""Dry calls of prompts without waiting: what asks no model is compiled as its bytes arrive, and its head is remembered."""

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from django.conf import settings

from billing.errors import ApiError
from runtime import ask, doors, later, promptdoor, prompts
from runtime.exchange import Asked, Given
from runtime.hot import Hot, Known
from runtime.interceptors import serve as intercepted
from runtime.interceptors.invocation import Invocation
from runtime.interceptors.link import Postponed, Run
from runtime.job import Job
from runtime.live import KeyGrant, Live
from runtime.promptrun import Wish
from runtime.prompts import Found
from runtime.reply import given

if TYPE_CHECKING:
    from runtime.gateway import Gateway

Wanted = tuple[Found, dict[str, Any]]


def wanted(live: Live, path: str, asked: Asked) -> Wanted | None:
    """The prompt and the options of a dry call; None for every other, and for whatever is not right."""
    parts = doors.segments(path)
    if asked.method != "POST" or not asked.query or len(parts) != 2 or later.wished(asked):
        return None
    found = prompts.find(live, unquote(parts[1]))
    if found is None or "text/event-stream" in asked.headers.get("accept", ""):
        return None
    try:
        options = promptdoor.options(ask.query(asked.query))
    except ApiError:
        return None
    return (found, options) if options["dry"] else None


def now(
    live: Live, path: str, asked: Asked, gateway: "Gateway", *, data: bytes, grant: KeyGrant
) -> Given | None:
    """The answer to the holder of a key, if nothing has to be waited for."""
    known, waist = wanted(live, path, asked), gateway.waist
    if known is None or waist is None:
        return None
    found, options = known
    if (chain := found[1].chain) is not None:
        return through(chain.now, promptdoor.Asking(asked, found, waist), data, grant)
    job = made(found, options, promptdoor.parameters(asked, data), grant.actor)
    outcome = waist.now(job)
    return None if outcome is None else given(asked, job, outcome, [])


def made(found: Found, options: dict[str, Any], body: Any, caller: str) -> Job:
    bundle, prompt = found
    values = prompts.checked(prompt, body)
    job = prompts.make_job(bundle, prompt, values, caller=caller, **options)
    job.wish = Wish.checked(values, options)
    return job


def through(run: Run | None, call: Invocation, data: bytes, grant: KeyGrant) -> Given | None:
    """The same within the interceptors of the prompt, unless one of them has to wait."""
    if run is None:
        return None
    call.data = data
    call.known_as(grant.actor, intercepted.of_token(call.asked))
    try:
        return intercepted.answered(call, run(call))
    except Postponed:
        return None


def heat(live: Live, path: str, asked: Asked, grant: KeyGrant) -> Known | None:
    """What is the same in every dry call with this head."""
    known = wanted(live, path, asked)
    if known is None:
        return None
    chain = known[0][1].chain
    if chain is None:
        return Dry(asked, live, grant, known)
    return Within(asked, live, grant, known[0]) if chain.now is not None else None


class Within(Known):
    """The head of a dry call by a key to a prompt with interceptors: they are asked each time."""

    __slots__ = ("found", "grant")

    def __init__(self, asked: Asked, live: Live, grant: KeyGrant, found: Found) -> None:
        super().__init__(asked, live)
        self.found, self.grant, self.key = found, grant, grant.id

    def valid(self, live: Live | None) -> bool:
        return live is self.live and self.grant.expires > time.time()

    def again(self, gateway: "Gateway", data: bytes, date: bytes | None) -> Given | None:
        waist, chain = gateway.waist, self.found[1].chain
        if waist is None or chain is None or len(data) > settings.CALL_MAX_BODY:
            return None
        call = promptdoor.Asking(self.asked, self.found, waist)
        given = through(chain.now, call, data, self.grant)
        if given is not None:
            self.live.used = time.monotonic()
            gateway.used.add(self.grant.id)
        return given


class Dry(Hot):
    """The head of a dry call by a key: body in, compiled prompt out."""

    __slots__ = ("options", "prompt")

    def __init__(self, asked: Asked, live: Live, grant: KeyGrant, known: Wanted) -> None:
        (bundle, self.prompt), self.options = known
        endpoint = self.prompt.endpoint
        super().__init__(asked, endpoint.path, live, self.prompt.match(bundle), grant)
        told = {"method": "PROMPT", "path": endpoint.path, "params": {}, "query": {}, "headers": {}}
        self.start = ask.encoded({**told, "prompt": self.options})[:-1] + b',"body":'

    def job(self, data: bytes, limit: int) -> Job:
        values = prompts.checked(self.prompt, self.parameters(data))
        endpoint, bundle = self.match.endpoint, self.match.owner
        job = Job(bundle, endpoint.service, endpoint.name, endpoint.to, endpoint.contract, b"", "api")
        job.caller = self.grant.actor
        job.request = self.start + ask.encoded(values) + self.tail + job.id.encode() + b'"}'
        job.wish = Wish.checked(values, self.options)
        return job

    def parameters(self, data: bytes) -> Any:
        if not self.json:
            return promptdoor.parameters(self.asked, data)
        return ask.json_value(data) if data else {}
