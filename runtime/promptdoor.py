"""`/{tenant}/prompts/{id}`: a prompt called over HTTP, as it stands in the bundle and with no line of YAML more."""

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
from django.conf import settings

from billing.errors import ApiError
from bundles.promptcompile import FORMATS
from runtime import ask, later, prompts, promptsse
from runtime.exchange import Asked, Given
from runtime.interceptors import serve as intercepted
from runtime.interceptors.invocation import Invocation
from runtime.job import Job
from runtime.live import Live
from runtime.promptrun import Wish
from runtime.prompts import Found
from runtime.reply import given

if TYPE_CHECKING:
    from runtime.gateway import Gateway

YES = frozenset({"1", "true", "yes"})
NO = frozenset({"0", "false", "no"})


async def respond(live: Live, parts: tuple[str, ...], asked: Asked, gateway: "Gateway") -> Given | None:
    """The answer to a call; None when no running bundle has such a prompt."""
    if len(parts) not in (2, 3) or parts[2:] not in ((), ("stream",)):
        return None
    found = prompts.find(live, unquote(parts[1]))
    if found is None:
        return None
    if len(parts) == 3 or "text/event-stream" in asked.headers.get("accept", ""):
        return await promptsse.respond(found, asked, live, gateway)
    if found[1].chain is not None:
        return await intercepted.wrapped(
            Asking(asked, found, gateway.waist or await gateway.start()), found[1].chain, live, gateway
        )
    caller = (await gateway.known(live, asked.token, live.slug)).actor
    return await called(found, asked, caller, live, gateway)


async def called(found: Found, asked: Asked, caller: str, live: Live, gateway: "Gateway") -> Given:
    bundle, prompt = found
    options = wished(asked)
    live.used = time.monotonic()
    data = await asked.body(settings.CALL_MAX_BODY)
    values = prompts.checked(prompt, parameters(asked, data))
    job = prompts.make_job(bundle, prompt, values, caller=caller, **options)
    job.wish = Wish.checked(values, options)
    waist = gateway.waist or await gateway.start()
    if later.wished(asked):
        return await later.taken_on(waist.journal, asked, job, [])
    return given(asked, job, await waist.call(job), [])


def wished(asked: Asked) -> dict[str, Any]:
    """The options of the call; 405 and 422 for what this door does not do."""
    if asked.method != "POST":
        raise ApiError(405, "A prompt answers POST.", headers={"Allow": "POST"})
    return options(ask.query(asked.query))


def options(query: dict[str, str]) -> dict[str, Any]:
    """`dry` and `format`, strictly: a slip of the pen must not cost a call of a model."""
    errors = [
        {"path": name, "message": "there is no such option; parameters belong in the body"}
        for name in query
        if name not in ("dry", "format")
    ]
    dry, format = query.get("dry", "0").lower(), query.get("format", "markdown")
    if dry not in YES | NO:
        errors.append({"path": "dry", "message": "must be 1 or 0"})
    if format not in FORMATS:
        errors.append({"path": "format", "message": f"must be one of {', '.join(FORMATS)}"})
    if errors:
        raise ApiError(422, "The options of the call are not right.", errors=errors)
    return {"dry": dry in YES, "format": format}


def parameters(asked: Asked, data: bytes) -> Any:
    """The body as values; nothing at all means no parameters."""
    if not data:
        return {}
    found = ask.body(data, asked.headers, limit=settings.CALL_MAX_BODY)
    if isinstance(found, orjson.Fragment):
        return orjson.loads(
            ask.unpacked(data, asked.headers.get("content-encoding", ""), settings.CALL_MAX_BODY)
        )
    return found


class Asking(Invocation):
    """A call of a prompt with interceptors, on its way through them."""

    __slots__ = ("options", "prompt")

    def __init__(self, asked: Asked, found: Found, waist: Any) -> None:
        bundle, self.prompt = found
        self.options = wished(asked)
        super().__init__(asked, self.prompt.endpoint.path, self.prompt.match(bundle), waist, None)

    @property
    def form(self) -> str:
        """A prompt that was only compiled is no answer of a model, whatever the cache's key says."""
        return str(self.options["format"]) if self.options["dry"] else ""

    def make_job(self) -> Job:
        values = prompts.checked(self.prompt, {} if self.request["body"] is None else self.request["body"])
        job = prompts.make_job(self.match.owner, self.prompt, values, caller=self.caller, **self.options)
        job.wish = Wish.checked(values, self.options)
        return job
