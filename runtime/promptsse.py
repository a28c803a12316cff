"""`/{tenant}/prompts/{id}/stream`: a prompt whose answer is heard while it is written, through its interceptors."""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings

from billing.errors import ApiError
from bundles import promptstreaming
from bundles.interceptor import Interceptor
from bundles.promptstreaming import STREAM_FIELDS, Streaming
from runtime import ask, prompts, promptstream
from runtime.answer import Reply
from runtime.exchange import Asked, Given
from runtime.interceptors import serve as intercepted
from runtime.interceptors.auth import INVALID, Auth
from runtime.interceptors.invocation import Invocation
from runtime.job import Job, Outcome
from runtime.live import Live
from runtime.promptrelay import Relay
from runtime.prompts import Found, LivePrompt
from runtime.promptstream import Mark
from runtime.reply import given

if TYPE_CHECKING:
    from runtime.call import Waist
    from runtime.gateway import Gateway

METHODS = ("GET", "POST")


async def respond(found: Found, asked: Asked, live: Live, gateway: "Gateway") -> Given:
    """A new run, or with Last-Event-ID the rest of one that still lives."""
    if asked.method not in METHODS:
        raise ApiError(405, "A stream answers GET and POST.", headers={"Allow": "GET, POST"})
    mark = asked.headers.get("last-event-id", "")
    if mark:
        caller = await coming_back(found, asked, live, gateway)
        return await resumed(Mark.of(mark, tenant=live.tenant_id, prompt=found[1].id, caller=caller), gateway)
    relay_of(gateway)  # which others may ask for the run
    waist = gateway.waist or await gateway.start()
    chain = found[1].chain
    if chain is None:
        caller = (await gateway.known(live, asked.token, live.slug)).actor
        live.used = time.monotonic()
        data = await asked.body(settings.CALL_MAX_BODY)
        wish = Wish.of(asked, found[1])
        job = wish.job(found, caller, wish.body(asked, data))
        begins = await promptstream.begin(waist, job, wish.streaming)
        return begins if isinstance(begins, Given) else given(asked, job, begins, [])
    if one := changing(found[1]):
        raise ApiError(
            406, f"“{one.name}” changes or keeps whole answers of this prompt: it cannot be streamed."
        )
    return await intercepted.wrapped(Streamed(asked, found, waist), chain, live, gateway)


async def coming_back(found: Found, asked: Asked, live: Live, gateway: "Gateway") -> str:
    """Who wants the rest: whoever has a key, or a token that the prompt's own `auth` takes; nobody is asked twice."""
    bundle, prompt = found
    chain = prompt.chain
    if chain is None or not chain.proves:
        return (await gateway.known(live, asked.token, live.slug)).actor
    call = Invocation(
        asked, prompt.endpoint.path, prompt.match(bundle), gateway.waist or await gateway.start(), b""
    )
    await intercepted.let_in(call, chain, live, gateway)
    if any(isinstance(one, Auth) and one.before(call) is not None for one in chain.links):
        raise INVALID
    if call.is_stranger:
        raise promptstream.OVER
    return call.caller


async def resumed(mark: Mark, gateway: "Gateway") -> Given:
    """The rest of a run that still lives, in whatever process; 404 for any other, whoever asks."""
    heard = promptstream.find(mark)
    if heard is not None:
        return promptstream.given(heard, mark.after)
    pieces = await relay_of(gateway).follow(mark)
    if pieces is None:
        raise promptstream.OVER
    return promptstream.stream(mark.run, pieces)


def relay_of(gateway: "Gateway") -> Relay:
    """It begins with the first stream of a process."""
    if gateway.relay is None:
        gateway.relay = Relay()
        gateway.tasks.append(asyncio.ensure_future(gateway.relay.listen()))
    return gateway.relay


@dataclass(frozen=True, slots=True)
class Wish:
    """What the query says: how to stream, and with GET the parameters."""

    streaming: Streaming
    texts: dict[str, str] | None

    @classmethod
    def of(cls, asked: Asked, prompt: LivePrompt) -> "Wish":
        query = ask.query(asked.query)
        options = {name: query.pop(name) for name in STREAM_FIELDS if name in query}
        streaming, errors = promptstreaming.of(prompt.settings).with_options(options)
        texts = query if asked.method == "GET" else None
        if texts is None:
            told = "there is no such option; parameters belong in the body"
            errors += [{"path": name, "message": told} for name in query]
        if errors:
            raise ApiError(422, "The options of the stream are not right.", errors=errors)
        return cls(streaming, texts)

    def body(self, asked: Asked, data: bytes) -> Any:
        if self.texts is not None or not data:
            return None
        found = ask.body(data, asked.headers, limit=settings.CALL_MAX_BODY)
        return orjson.loads(orjson.dumps(found))

    def job(self, found: Found, caller: str, body: Any) -> Job:
        bundle, prompt = found
        if self.texts is not None:
            values = prompts.checked(prompt, self.texts, texts=True)
        else:
            values = prompts.checked(prompt, {} if body is None else body)
        return prompts.make_job(bundle, prompt, values, caller=caller)


class Streamed(Invocation):
    """A stream on its way through the interceptors of its prompt, which see its beginning."""

    __slots__ = ("found", "wish")

    def __init__(self, asked: Asked, found: Found, waist: "Waist") -> None:
        bundle, prompt = self.found = found
        self.wish = Wish.of(asked, prompt)
        super().__init__(asked, prompt.endpoint.path, prompt.match(bundle), waist, None)

    def body(self) -> Any:
        """With GET what the query says, so that interceptors see the same, and change the same, as with POST."""
        if self.wish.texts is None:
            return super().body()
        return prompts.checked(self.found[1], self.wish.texts, texts=True)

    def make_job(self) -> Job:
        bundle, prompt = self.found
        body = self.request["body"]
        values = prompts.checked(prompt, {} if body is None else body)
        return prompts.make_job(bundle, prompt, values, caller=self.caller)

    async def perform(self, job: Job) -> Outcome:
        begins = await promptstream.begin(self.waist, job, self.wish.streaming)
        if isinstance(begins, Outcome):
            return begins
        self.queued = begins
        return Outcome("running", Reply(200, b""))


def changing(prompt: LivePrompt) -> Interceptor | None:
    """An interceptor that needs an answer as a whole: what it would take out of it must not slip by in pieces."""
    for one in prompt.endpoint.interceptors:
        after = one.kind == "transform" and one.options.get("response")
        after = after or (one.kind == "wasm" and one.options.get("on") == "response")
        if after or one.kind == "cache":
            return one
    return None
