"""The data plane: `/{tenant}/…` without Django's middleware, without cookies, private unless an endpoint is public."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from billing import collector, keys
from billing.background import end
from billing.errors import ApiError
from billing.slugs import GRAMMAR
from bundles.routes import Match
from market.admission import house
from market.client import Client
from runtime import (
    ask,
    cors,
    doors,
    flowlive,
    importer,
    later,
    metrics,
    running,
    said,
    serving,
    warm,
    webhooks,
)
from runtime.call import Waist, waist
from runtime.exchange import Asked, Given, problem
from runtime.hot import Hot, Known
from runtime.interceptors import serve as intercepted
from runtime.job import Job
from runtime.journal import FileJournal
from runtime.live import KeyGrant, Live, Tenants
from runtime.reply import given
from runtime.strangers import look_up, throttled
from runtime.wasm import engine
from runtime.wire import Receive, Scope, Send, asked, give

if TYPE_CHECKING:
    from runtime.promptrelay import Relay

log = logging.getLogger(__name__)


class Gateway:
    """One for each process; its parts start with the first loop that serves."""

    def __init__(self, role: str = "") -> None:
        self.role = role  # web, edge or worker: under which this process reports its metrics; none in tests
        self.reporter: metrics.Reporter | None = None
        self.tenants = Tenants()
        self.waist: Waist | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self.relay: Relay | None = None  # of streams, when there was one
        self.used: set[UUID] = set()  # keys that called since they were last noted

    async def lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def start(self) -> Waist:
        """Open the journal, listen for changes; idempotent, for servers without a lifespan."""
        if self.waist is None:
            self.waist = waist()
            running.announce_through(self.waist.journal.append)
            flowlive.publish_through(self.waist.publisher)
            self.tenants.start()
            self.waist.publisher.start()
            always = (running.keep(), running.hear(), self.note_keys())
            self.tasks = [asyncio.create_task(work) for work in always]
            if isinstance(self.waist.journal, FileJournal):
                self.tasks.append(asyncio.create_task(self.waist.journal.tidy()))
            self.report()
            if self.role:
                serving.begun(self)
                house.client = Client(house.local)
                await house.client.start()
                collector.settle()
            if self.role in WARM:
                self.tasks.append(asyncio.create_task(warm.warm(self.tenants)))
        return self.waist

    async def note_keys(self) -> None:
        """Write down once a minute which keys were used: never a row per call."""
        while True:
            await asyncio.sleep(NOTE_KEYS_S)
            used, self.used = self.used, set()
            try:
                if used:
                    await database_sync_to_async(keys.used_all, thread_sensitive=False)(used)
            except DatabaseError as problem:
                self.used |= used
                log.warning("the use of keys could not be noted: %s", problem)

    def report(self) -> None:
        if self.role and self.reporter is None:
            metrics.gauge("sandbox_slots_used", engine().used)
            metrics.gauge("sandbox_slots", lambda: engine().slots)
            metrics.pool(lambda: engine().stats())
            metrics.gauge("journal_backlog_bytes", importer.backlog)
            metrics.gauge("tenants_loaded", lambda: len(self.tenants.known))
            self.reporter = metrics.start(self.role)

    async def stop(self) -> None:
        serving.ended(self)
        if self.role and house.client is not None:
            await house.client.stop()
            house.client = None
        if self.waist is not None:
            await self.tenants.stop()
            await self.waist.publisher.stop()
        await end(self.tasks)
        if self.reporter is not None:
            await asyncio.to_thread(self.reporter.stop)
            self.reporter = None
        self.waist = self.relay = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await give(send, await self.respond(lambda: asked(scope, receive)), receive)
        elif scope["type"] == "lifespan":
            await self.lifespan(receive, send)

    async def respond(self, read: Callable[[], Asked]) -> Given:
        """The answer to a request, whatever protocol it came by; a refusal is an answer too."""
        try:
            return await self.serve(read())
        except ApiError as error:
            return problem(error)
        except (RedisError, DatabaseError) as trouble:
            log.warning("a call was refused: %s", trouble)
            return problem(AWAY)

    async def serve(self, asked: Asked) -> Given:
        """One request: route, who, body, call, answer. Nothing is read of the body before the caller is known."""
        waist = self.waist or await self.start()
        if webhooks.is_webhook(asked.path):
            return await webhooks.respond(asked, self)
        slug, path = split(asked.path)
        live = self.tenants.get(slug) or await self.tenants.load(slug)
        match = live.table.match(asked.method, path) if live is not None else None
        if live is None or match is None:
            door = doors.find(path)
            if door is not None:
                return await self.at_door(door, slug, path, asked)
            found = await self.second_look(slug, path, asked)
            if isinstance(found, Given):
                return found
            live, match = found
        if match.endpoint.interceptors:
            return await intercepted.respond(asked, path, live, match, self)
        caller = await self.who(live, match, asked)
        live.used = time.monotonic()
        data = await asked.body(settings.CALL_MAX_BODY)
        job = make_job(match, path, asked, data, caller)
        extra = cors.headers(match.service.cors, asked.headers.get("origin"))
        if later.wished(asked):
            return await later.taken_on(waist.journal, asked, job, extra)
        return given(asked, job, await said.call(waist, job), extra)

    def now(self, asked: Asked, data: bytes, date: bytes | None = None) -> bytes | Given | None:
        """The answer to a request whose body is here, if nothing has to be waited for; else None, and `respond` is due.

        With the line of the ``date`` it may be all the bytes of an answer, for a connection that stays.
        """
        try:
            return self.serve_now(asked, data, date)
        except ApiError as error:
            return problem(error)

    def serve_now(self, asked: Asked, data: bytes, date: bytes | None) -> bytes | Given | None:
        """As ``serve``, for what is known already; whatever is not is left to it."""
        if webhooks.is_webhook(asked.path):
            return webhooks.now(asked, data, self)
        if house.local.contended:  # it has to wait, whatever it is
            return None
        slug, slash, rest = asked.path[1:].partition("/")
        live, path = self.tenants.get(slug), slash + rest
        if live is None or self.waist is None:
            return None
        match = live.table.match(asked.method, path)
        if match is None and not doors.is_quick(path):
            return None
        grant = self.known_grant(live, asked)
        if grant is None or later.wished(asked):
            return None
        if match is not None and not match.endpoint.interceptors:
            return Hot(asked, path, live, match, grant).again(self, data, date)
        if len(data) > settings.CALL_MAX_BODY:
            return None
        live.used = time.monotonic()
        self.used.add(grant.id)
        if match is None:
            return doors.now(path)(live, path, asked, self, data=data, grant=grant)
        return intercepted.now(asked, path, match, self, data=data, grant=grant)

    def known_grant(self, live: Live, asked: Asked) -> KeyGrant | None:
        """The caller's grant when its key is one that is known here and may call."""
        if asked.token is None:
            return None
        found = live.keys.get(hashlib.sha256(asked.token.encode()).hexdigest())
        if found is None or found.expires <= time.time() or "call" not in found.scopes:
            return None
        return found

    def heat(self, asked: Asked) -> Known | None:
        """What is the same in every request with this head; None when its route or its caller is not known here."""
        if webhooks.is_webhook(asked.path):
            return webhooks.heat(asked, self)
        slug, path = split(asked.path)
        live = self.tenants.get(slug)
        match = live.table.match(asked.method, path) if live is not None else None
        grant = self.known_grant(live, asked) if live is not None else None
        if live is None or grant is None or later.wished(asked):
            return None
        if match is None:
            return doors.heat(path)(live, path, asked, grant) if doors.is_quick(path) else None
        if match.endpoint.interceptors:
            return intercepted.Guarded(asked, path, live, match, grant)
        return Hot(asked, path, live, match, grant)

    async def at_door(self, door: "doors.Door", slug: str, path: str, asked: Asked) -> Given:
        """One of the doors that every tenant has; what was started a moment ago is looked for before a 404."""
        live = self.tenants.get(slug)
        parts = doors.segments(path)
        given = await door(live, parts, asked, self) if live is not None else None
        if given is None:
            live = await self.tenants.fresh(slug)
            given = await door(live, parts, asked, self) if live is not None else None
        if given is None:
            await self.known(live, asked.token, slug)
            raise ApiError(404, f"No running bundle of this tenant has {'/'.join(parts)[:200]}.")
        return given

    async def second_look(self, slug: str, path: str, asked: Asked) -> "tuple[Live, Match] | Given":
        """Before anything is refused: what was started a moment ago, preflights, other methods of a path."""
        live = await self.tenants.fresh(slug)
        match = live.table.match(asked.method, path) if live is not None else None
        if live is not None and match is not None:
            return live, match
        allowed = live.table.allowed(path) if live is not None else ()
        if live is not None and allowed and asked.method == "OPTIONS":
            found = live.table.match(allowed[0], path)
            return cors.preflight(found.service.cors if found else (), asked.headers, allowed)
        await self.known(live, asked.token, slug)
        if allowed:
            methods = ", ".join(allowed)
            raise ApiError(405, f"{path} answers {methods}.", headers={"Allow": methods})
        raise ApiError(404, "No running bundle of this tenant has such a route.")

    async def known(self, live: Live | None, token: str | None, slug: str) -> KeyGrant:
        """The grant of the caller's key: 401 for nobody, 404 for somebody else's, 403 when it may not call."""
        if token is None:
            raise ApiError(401, "Send the tenant's API key as “Authorization: Bearer …”.", headers=CHALLENGE)
        found = live.keys.get(hashlib.sha256(token.encode()).hexdigest()) if live is not None else None
        if found is None or found.expires <= time.time():
            live = await look_up(token, slug, self.tenants)
            found = live.keys[hashlib.sha256(token.encode()).hexdigest()]
        if "call" not in found.scopes:
            raise ApiError(403, "This key may not call: it lacks the scope “call”.")
        return found

    async def who(self, live: Live, match: Match, asked: Asked) -> str:
        """The name of the caller for the history."""
        if match.endpoint.auth == "public" and asked.token is None:
            await throttled(live, asked.peer)
            return "public"
        grant = await self.known(live, asked.token, live.slug)
        self.used.add(grant.id)
        return grant.actor


NOTE_KEYS_S = 60.0
WARM = ("web", "edge")  # processes that strangers call
CHALLENGE = {"WWW-Authenticate": "Bearer"}
AWAY = ApiError(503, "A store of the platform does not answer at the moment.", headers={"Retry-After": "1"})


def split(path: str) -> tuple[str, str]:
    """Tenant and the rest of a raw path."""
    slug, slash, rest = path[1:].partition("/")
    if not GRAMMAR.fullmatch(slug):
        raise ApiError(404)
    return slug, slash + rest


def make_job(match: Match, path: str, asked: Asked, data: bytes, caller: str) -> Job:
    endpoint, bundle = match.endpoint, match.owner
    job = Job(
        bundle=bundle,
        service=endpoint.service,
        name=endpoint.name,
        target=endpoint.to,
        contract=endpoint.contract,
        request=b"",
        trigger="api",
        caller=caller,
    )
    values = {
        "method": asked.method,
        "path": path,
        "params": match.params,
        "query": ask.query(asked.query),
        "headers": asked.headers,
    }
    body = ask.body(data, asked.headers, limit=settings.CALL_MAX_BODY) if data else None
    job.request = ask.request(values, body, tenant=bundle.tenant, execution=job.id)
    return job


gateway = Gateway()
