"""`/{tenant}/forms/{id}`: a prompt as a page with a form. Without cookies: it is for everybody, or for keys."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import orjson
from django.conf import settings
from redis.exceptions import RedisError

from billing import throttle
from billing.errors import ApiError
from bundles.promptcheck import check
from bundles.routes import Match
from runtime import ask, formkit, formonce, formpage, formsent, formtoken, prompts
from runtime.answer import Reply
from runtime.exchange import Asked, Given
from runtime.formkit import Asset, Kit
from runtime.formpage import Faults
from runtime.interceptors import serve as intercepted
from runtime.interceptors.invocation import Invocation
from runtime.job import Job
from runtime.live import Live
from runtime.llmbackends import REHEARSAL
from runtime.prompts import Found
from runtime.strangers import throttled

if TYPE_CHECKING:
    from runtime.gateway import Gateway

SENDINGS, WINDOW_S = 30, 60  # of one form from one address
OWN = ("_token", "_website")  # fields of ours; the second one is a trap for machines
READING = ("GET", "HEAD")
SAID = {
    413: "What was sent is too long.",
    429: "It was used very often just now. Please wait a moment and send it again.",
    503: "It cannot be answered at the moment. Please wait a moment and send it again.",
    504: "The answer took too long. Please try it again.",
}
BROKEN = "The answer could not be made. Please try it again later."


@dataclass(slots=True)
class Visit:
    """One request to one form."""

    live: Live
    asked: Asked
    gateway: "Gateway"
    found: Found
    kit: Kit
    base: str

    @property
    def token(self) -> str:
        return formtoken.make(self.live.tenant_id, self.found[1].id)


async def respond(live: Live, parts: tuple[str, ...], asked: Asked, gateway: "Gateway") -> Given | None:
    """A page, whatever happens."""
    name = unquote(parts[1])[:200] if len(parts) in (2, 3) else ""
    try:
        given = await served(live, name, parts[2:], asked, gateway)
    except ApiError as error:
        given = refusal(error, live.slug, name)
    if asked.method == "HEAD":
        given.body = b""
    return given


async def served(live: Live, name: str, rest: tuple[str, ...], asked: Asked, gateway: "Gateway") -> Given:
    """Who has no key cannot tell a form that is not public from one that is not there."""
    if rest and rest[0] in formkit.ours():
        return beside(formkit.ours()[rest[0]], asked, public=True)
    found = prompts.find(live, name)
    if found is None:
        live = await gateway.tenants.fresh(live.slug) or live
        found = prompts.find(live, name)
    kit = await formkit.of(found) if found else None
    if kit is None or not (kit.form.enabled and kit.form.public):
        await let_in(live, asked, gateway)
    if found is None or kit is None or not kit.form.enabled:
        raise ApiError(404, "There is no such form.")
    base = f"/{live.slug}/forms/{found[1].id}"
    return await answered(Visit(live, asked, gateway, found, kit, base), rest)


async def let_in(live: Live, asked: Asked, gateway: "Gateway") -> str:
    grant = await gateway.known(live, asked.token, live.slug)
    gateway.used.add(grant.id)
    return grant.actor


def refusal(error: ApiError, slug: str, name: str) -> Given:
    """The same page for forms that are not public and forms that are not there."""
    base = f"/{slug}/forms/{quote(name)}"
    if error.status == 401:
        code = f'curl -H "Authorization: Bearer $KEY" {settings.BASE_URL}{base}'
        said = "This form is not public: it needs a key of its tenant with the scope “call”."
        return formpage.refused(base, Faults(401, "A key is needed", said, headers=error.headers), code=code)
    said = SAID.get(error.status, error.detail or error.title)
    return formpage.refused(base, Faults(error.status, error.title, said, headers=error.headers))


async def answered(visit: Visit, rest: tuple[str, ...]) -> Given:
    method = visit.asked.method
    if method not in (*READING, "POST") or (rest and method == "POST"):
        raise ApiError(405, "A form answers GET and POST.", headers={"Allow": "GET, HEAD, POST"})
    if rest:
        found = visit.kit.assets.get(rest[0])
        if found is None:
            raise ApiError(404, "There is no such file.")
        return beside(found, visit.asked, public=visit.kit.form.public)
    if why := visit.found[1].fault:
        raise ApiError(503, "This form is out of order: its prompt has an error.") from ValueError(why)
    if visit.kit.form.public:
        await throttled(visit.live, visit.asked.peer)
    visit.live.used = time.monotonic()
    if method == "POST":
        return await submitted(visit)
    return formpage.filled(visit.kit, visit.base, visit.token)


def beside(found: Asset, asked: Asked, *, public: bool) -> Given:
    """A stylesheet or the script."""
    return formpage.file(found, lasting=asked.query == b"v=" + found.digest.encode(), public=public)


async def submitted(visit: Visit) -> Given:
    """What was sent: of this form, by a person, with the right values. Only then something is called."""
    await counted(visit)
    sent = formsent.read(await visit.asked.body(settings.CALL_MAX_BODY), visit.asked.headers)
    if stop := suspicious(visit, sent):
        return stop
    meant = formsent.meant(sent, visit.kit.inputs, own=OWN, max_bytes=settings.CALL_MAX_BODY)
    result = check(visit.found[1].parameters, meant.given, texts=True)
    wrong = {error["path"] for error in meant.errors}
    errors = [*meant.errors, *(error for error in result.errors if error["path"] not in wrong)]
    if errors:
        faults = Faults(422, errors=tuple(errors), texts=sent.texts)
        return formpage.filled(visit.kit, visit.base, visit.token, faults)
    mark = formonce.mark(result.values, sent.last("_token"), visit.asked.token or "")
    try:
        reply = await formonce.once(mark, lambda: called(visit, result.values))
    except RedisError:
        raise ApiError(503, headers={"Retry-After": "1"}) from None
    except ApiError as error:
        reply = Reply(error.status, b"", headers=[*error.headers.items()])
    return told(visit, reply, sent)


async def counted(visit: Visit) -> None:
    """So often one address may send one form, whoever it is."""
    key = f"form:{visit.live.tenant_id}:{visit.found[1].id}:{throttle.source(visit.asked.peer)}"
    try:
        wait = await asyncio.to_thread(throttle.allow, key, SENDINGS, WINDOW_S)
    except RedisError:
        raise ApiError(503, headers={"Retry-After": "1"}) from None
    if wait is not None:
        raise ApiError(429, headers={"Retry-After": str(int(wait) + 1)})


def suspicious(visit: Visit, sent: formsent.Sent) -> Given | None:
    """A page instead of a call when the token is not of this form, or the trap was filled in."""
    if sent.last("_website"):
        raise ApiError(422, "A field that people do not see was filled in, so nothing was sent.")
    try:
        formtoken.check(sent.last("_token"), visit.live.tenant_id, visit.found[1].id)
    except ApiError as error:
        texts = sent.texts if isinstance(error, formtoken.Stale) else None
        faults = Faults(error.status, heading="Nothing was sent", whole=(error.detail,), texts=texts)
        return formpage.filled(visit.kit, visit.base, visit.token, faults)
    return None


async def called(visit: Visit, values: Mapping[str, Any]) -> Reply:
    """One call of the prompt, within its interceptors when it has some."""
    bundle, prompt = visit.found
    waist = visit.gateway.waist or await visit.gateway.start()
    if prompt.chain is None:
        caller = (
            "public" if visit.asked.token is None else await let_in(visit.live, visit.asked, visit.gateway)
        )
        job = prompts.make_job(bundle, prompt, values, trigger="form", caller=caller)
        return (await waist.call(job)).reply
    call = Sending(visit, values, waist)
    await intercepted.let_in(call, prompt.chain, visit.live, visit.gateway)
    return await prompt.chain.later(call)


class Sending(Invocation):
    """A form that was sent, on its way through the interceptors of its prompt: they see its values as JSON."""

    __slots__ = ("prompt", "values")

    def __init__(self, visit: Visit, values: Mapping[str, Any], waist: Any) -> None:
        bundle, self.prompt = visit.found
        self.values = values
        match = self.prompt.match(bundle)
        if visit.kit.form.public:
            match = Match(replace(match.endpoint, auth="public"), match.params, match.service, bundle)
        headers = {**visit.asked.headers, "content-type": "application/json"}
        headers.pop("prefer", None)  # whoever sends a form waits for its page
        asked = replace(visit.asked, headers=headers, query=b"")
        super().__init__(asked, self.prompt.endpoint.path, match, waist, ask.encoded(values))

    def make_job(self) -> Job:
        values = prompts.checked(self.prompt, self.body() if not self.changed else self.request["body"])
        return prompts.make_job(self.match.owner, self.prompt, values, trigger="form", caller=self.caller)


def told(visit: Visit, reply: Reply, sent: formsent.Sent) -> Given:
    """The page after the call; what went wrong inside is for the tenant's history, not for visitors."""
    answer = read(reply) if reply.status == 200 else None
    if isinstance(answer, dict) and "output" in answer:
        rehearsed = answer.get("model") == REHEARSAL
        return formpage.sent(visit.kit, visit.base, answer["output"], rehearsed=rehearsed)
    # Its values were checked: what is refused of them now is the fault of the prompt.
    status = reply.status if reply.status >= 400 and reply.status != 422 else 502
    own = visit.kit.form.error
    said = own.message or SAID.get(status, BROKEN)
    headers = {name: value for name, value in reply.headers or () if name.lower() == "retry-after"}
    faults = Faults(
        status, heading=own.title or "This did not work", whole=(said,), headers=headers, texts=sent.texts
    )
    return formpage.filled(visit.kit, visit.base, visit.token, faults)


def read(reply: Reply) -> Any:
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return None
