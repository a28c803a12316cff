"""The `llm` node: one call of a language model. Agents and prompts use `ask`, which counts the tokens of the run."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import orjson

from runtime.flowneeds import Context, Failure, Need
from runtime.llmbackends import Backend, Section, section
from runtime.llmrouter import Backends, complete, stream
from runtime.llmtypes import LlmError, Message, Reply, Request, Tool, ToolCall, Usage

__all__ = [
    "Backends", "LlmError", "Message", "Reply", "Request", "Tool", "ToolCall", "Usage",
    "ask", "backends", "complete", "failure", "perform", "stream",
]  # fmt: skip

MOST_SECTIONS = 500
SHORTEST_MASK = 8
Sections = OrderedDict[tuple[str, str, bytes], Section]
_KNOWN: WeakKeyDictionary[asyncio.AbstractEventLoop, Sections] = WeakKeyDictionary()


async def perform(need: Need, context: Context) -> bytes | Failure:
    """The model's text as a JSON string; with `json` the value that it wrote."""
    try:
        request = asked(need, context)
        reply = await ask(request, context)
        return orjson.dumps(parsed(reply.text) if request.json else reply.text)
    except LlmError as error:
        return failure(error)


def asked(need: Need, context: Context) -> Request:
    options = need.options
    messages = [Message("user", text(options.get("prompt", orjson.loads(need.payload or b"null"))))]
    if options.get("system"):
        messages.insert(0, Message("system", text(options["system"])))
    for message in messages:
        if hidden(context, message.text) != message.text:
            raise LlmError("validation", "a secret does not belong in what a language model is asked")
    return Request(
        tuple(messages),
        model=str(options.get("model") or need.listener.model or ""),
        temperature=amount(options.get("temperature")),
        max_tokens=whole_number(options.get("maxTokens")),
        json=options.get("json") is True,
        key=context.idempotency_key(need),
        rehearsal=rehearsal(options.get("rehearsal")),
    )


def rehearsal(written: Any) -> Callable[[], str] | None:
    """What a node says when its model cannot be asked; None when that is not wished."""
    if written is None or written is False:
        return None
    return lambda: "" if written is True else text(written)


async def ask(request: Request, context: Context, where: Backends | None = None) -> Reply:
    """A reply, paid from the run's tokens; LlmError with the code budget when none are left."""
    request = allowed(request, context)
    return paid(request, context, await complete(request, where or backends(context)))


def allowed(request: Request, context: Context) -> Request:
    """What of it the run's tokens allow."""
    if context.tokens.left <= 0:
        raise LlmError("budget", f"the run has used its {context.tokens.used} tokens")
    if request.max_tokens and request.max_tokens > context.tokens.left:
        request = replace(request, max_tokens=context.tokens.left)
    return request


def paid(request: Request, context: Context, reply: Reply) -> Reply:
    """The reply, its tokens taken from the run's."""
    context.tokens.spend(reply.usage.total)
    used = f"{reply.usage.input} + {reply.usage.output} tokens"
    context.log("info", f"{reply.backend}: {reply.model or request.model}, {used}")
    if reply.stop == "filter" and not (reply.text or reply.calls):
        raise LlmError("handler", f"{reply.backend}: the model refused to answer")
    return reply


def backends(context: Context) -> Backends:
    """Those of the flow, else of the bundle, else the providers whose usual secrets are there."""
    settings = {**context.bundle.definition.llm, **context.flow.llm}
    return Backends(
        kept(context, settings),
        lambda backend: key_of(backend, context),
        context.deadline,
        tuple(context.bundle.secrets.values()),
        context.log,
        context.bundle.tenant_id,
    )


def kept(context: Context, settings: Mapping[str, Any]) -> Section:
    """The section with its counters, one for each loop, bundle and wording."""
    known = _KNOWN.setdefault(asyncio.get_running_loop(), OrderedDict())
    bundle = context.bundle
    words = orjson.dumps(
        [settings, dict(context.vars), sorted(bundle.bound)], option=orjson.OPT_SORT_KEYS, default=str
    )
    place = bundle.tenant_id, bundle.id, words
    found = known.get(place)
    if found is None:
        found = known[place] = section(settings, context.vars, bundle.bound)
        if len(known) > MOST_SECTIONS:
            known.popitem(last=False)
    known.move_to_end(place)
    return found


def key_of(backend: Backend, context: Context) -> str:
    """Its key, which goes only to the hosts that the secret is bound to."""
    if not backend.key:
        return ""
    value, bound = context.secret(backend.key), context.bundle.bound.get(backend.key)
    if not value or bound is None:
        told = f"{backend.name}: there is no secret “{backend.key}”: keep it under Settings, Secrets"
        raise LlmError("not-available", told, elsewhere=True, unset=not value)
    host = urlsplit(backend.address).hostname or ""
    if not bound.may_go(host):
        raise LlmError(
            "egress", f"{backend.name}: the secret “{backend.key}” is not bound to {host}", elsewhere=True
        )
    return value.strip()


def hidden(context: Context, words: str) -> str:
    """Without the values of secrets: what a tool found must not tell them to a model."""
    for value in context.bundle.secrets.values():
        if len(value) >= SHORTEST_MASK:
            words = words.replace(value, "•••")
    return words


def failure(error: LlmError) -> Failure:
    return Failure(error.code, error.message, error.retryable, error.retry_after_s)


def parsed(words: str) -> Any:
    """The JSON value that a model wrote, also between the fences that some put around it."""
    bare = words.strip()
    if bare.startswith("```") and bare.endswith("```") and "\n" in bare:
        bare = bare.split("\n", 1)[1][:-3]
    try:
        return orjson.loads(bare)
    except orjson.JSONDecodeError:
        raise LlmError("validation", "the model did not answer with JSON", retryable=True) from None


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, default=str).decode()
    except orjson.JSONEncodeError:
        raise LlmError("validation", "what the model is asked is no JSON") from None


def amount(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole_number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value >= 1 else None
