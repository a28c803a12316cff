"""Requests to endpoints with interceptors: who calls, the chain, the answer. All others never come here."""

import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings

from bundles.routes import Match
from runtime import cors
from runtime.answer import Reply
from runtime.exchange import Asked, Given
from runtime.hot import Known
from runtime.interceptors.chain import Chain
from runtime.interceptors.invocation import STRANGER, Invocation
from runtime.interceptors.link import Postponed
from runtime.live import KeyGrant, Live
from runtime.reply import bare, given
from runtime.strangers import throttled

if TYPE_CHECKING:
    from runtime.gateway import Gateway

OURS = "ps_"  # how keys of tenants begin


def chain_of(match: Match) -> Chain:
    chain: Chain = match.owner.chains[match.endpoint.service, match.endpoint.name]
    return chain


def now(
    asked: Asked, path: str, match: Match, gateway: "Gateway", *, data: bytes, grant: KeyGrant
) -> Given | None:
    """The answer to the holder of a key, if nothing has to be waited for."""
    run, waist = chain_of(match).now, gateway.waist
    if run is None or waist is None:
        return None
    call = Invocation(asked, path, match, waist, data)
    call.known_as(grant.actor, of_token(asked))
    try:
        return answered(call, run(call))
    except Postponed:
        return None


class Guarded(Known):
    """A head that came before, of a call to an endpoint with interceptors by a key: they are asked each time."""

    __slots__ = ("grant", "identity", "match", "path", "run")

    def __init__(self, asked: Asked, path: str, live: Live, match: Match, grant: KeyGrant) -> None:
        super().__init__(asked, live)
        self.path, self.match, self.grant, self.key = path, match, grant, grant.id
        self.run, self.identity = chain_of(match).now, of_token(asked)

    def valid(self, live: Live | None) -> bool:
        return live is self.live and self.grant.expires > time.time()

    def again(self, gateway: "Gateway", data: bytes, date: bytes | None) -> Given | None:
        if self.run is None or gateway.waist is None or len(data) > settings.CALL_MAX_BODY:
            return None
        call = Invocation(self.asked, self.path, self.match, gateway.waist, data)
        call.known_as(self.grant.actor, self.identity)
        try:
            given = answered(call, self.run(call))
        except Postponed:
            return None
        self.live.used = time.monotonic()
        gateway.used.add(self.grant.id)
        return given


async def respond(asked: Asked, path: str, live: Live, match: Match, gateway: "Gateway") -> Given:
    """The same with all the time it takes."""
    call = Invocation(asked, path, match, gateway.waist or await gateway.start(), None)
    return await wrapped(call, chain_of(match), live, gateway)


async def wrapped(call: Invocation, chain: Chain, live: Live, gateway: "Gateway") -> Given:
    await let_in(call, chain, live, gateway)
    live.used = time.monotonic()
    return answered(call, await chain.later(call))


async def let_in(call: Invocation, chain: Chain, live: Live, gateway: "Gateway") -> None:
    """Keys are checked here. Other tokens are left to the link that knows them: nobody vouches for them yet."""
    asked = call.asked
    ours = (asked.token or "").startswith(OURS) or gateway.known_grant(live, asked) is not None
    if chain.proves and not ours:
        if asked.token is None and not chain.required:
            await throttled(live, asked.peer)
            call.known_as(STRANGER, f"{STRANGER}:{asked.peer}")
        return
    caller = await gateway.who(live, call.match, asked)
    identity = f"{STRANGER}:{asked.peer}" if asked.token is None else of_token(asked)
    call.known_as(STRANGER if asked.token is None else caller, identity)


def of_token(asked: Asked) -> str:
    return "key:" + hashlib.sha256((asked.token or "").encode()).hexdigest()


def answered(call: Invocation, reply: Reply) -> Given:
    if call.queued is not None:
        return call.queued
    asked, job, outcome = call.asked, call.job, call.outcome
    extra = cors.headers(call.match.service.cors, asked.headers.get("origin"))
    if job is None or outcome is None:
        return bare(asked, reply, extra, pack=not call.unpacked)
    told = outcome if outcome.reply is reply else replace(outcome, reply=reply)
    return given(asked, job, told, extra, pack=not call.unpacked)
