"""A prompt's question to a language model: what its front matter says of provider, model and size, and the answer."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import orjson

from bundles import promptrehearsal
from bundles.flow import Flow
from bundles.nunjucks import TemplateError
from runtime import llm
from runtime.flowneeds import Context, Failure, Tokens
from runtime.job import Job
from runtime.llm import Backends, LlmError, Message, Reply, Request
from runtime.llmbackends import KEYS, REHEARSAL
from runtime.llmrehearsal import understudy
from runtime.llmtypes import Role
from runtime.prompts import LivePrompt

MAX_TOKENS = 100_000  # of one call, question and answer
PATIENCE_S = 300.0
ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}


class Sink(Protocol):
    """Who hears the answer while it is written."""

    async def token(self, text: str) -> None: ...

    def log(self, level: str, text: str) -> None: ...

    def began(self) -> None: ...


@dataclass(slots=True)
class Question:
    """One question; ``steps`` is what the execution is told of it, beside the lines of its log."""

    context: Context
    settings: Mapping[str, Any]  # provider, model, temperature, max_tokens
    messages: list[dict[str, str]]
    key: str  # of the request, so that a repeated one is known as such
    steps: list[dict[str, Any]] = field(default_factory=list)
    values: Mapping[str, Any] = field(default_factory=dict)  # of the prompt, for its rehearsal

    async def answer(self, sink: Sink | None = None) -> Reply:
        """LlmError when no model gives one. Nothing secret is in it."""
        context = self.context
        began = time.perf_counter()
        reply: Reply | None = None
        try:
            request = self.affordable(llm.allowed(self.request(), context))
            where = of_provider(llm.backends(context), word(self.settings, "provider"))
            if sink is None:
                reply = llm.paid(request, context, await llm.complete(request, where))
            else:
                reply = llm.paid(request, context, await self.streamed(request, where, sink))
            text = unfenced(reply.text) if request.json else reply.text
        except LlmError as error:
            raise hushed(context, error) from None
        finally:
            self.note(reply, int((time.perf_counter() - began) * 1e6))
        return replace(reply, text=llm.hidden(context, text))

    async def streamed(self, request: Request, where: Backends, sink: Sink) -> Reply:
        hush = Hush(self.context.bundle.secrets.values())
        reply: Reply | None = None
        async with aclosing(llm.stream(request, where)) as parts:
            async for part in parts:
                if isinstance(part, Reply):
                    reply = part
                elif text := hush.next(part):
                    await sink.token(text)
        if text := hush.rest():
            await sink.token(text)
        if reply is None:
            raise LlmError("handler", "the model's answer has no end", retryable=True)
        return reply

    def request(self) -> Request:
        for one in self.messages:
            if llm.hidden(self.context, one["content"]) != one["content"]:
                raise LlmError("validation", "a secret does not belong in what a language model is asked")
        settings = self.settings
        return Request(
            tuple(Message(ROLES[one["role"]], one["content"]) for one in self.messages),
            model=word(settings, "model"),
            temperature=llm.amount(settings.get("temperature")),
            max_tokens=llm.whole_number(settings.get("max_tokens")),
            json=settings.get("json") is True,
            key=self.key,
            rehearsal=self.words if promptrehearsal.wished(settings.get(promptrehearsal.KEY)) else None,
        )

    def words(self) -> str:
        """What is said in place of a model of which nobody has a key."""
        try:
            found = promptrehearsal.words(self.settings[promptrehearsal.KEY], self.values)
        except TemplateError as wrong:
            raise LlmError("validation", f"the rehearsal of the prompt fails: {wrong.message}") from None
        return llm.hidden(self.context, found)

    def affordable(self, request: Request) -> Request:
        left, size = self.context.tokens.left, request.estimate()
        if size > left:
            raise LlmError("budget", f"the question has about {size} tokens, {left} are left")
        return request

    def note(self, reply: Reply | None, duration_us: int) -> None:
        step: dict[str, Any] = {"target": "llm", "duration_us": duration_us}
        if reply is None:
            step["error"] = "no answer"
        else:
            step |= {"target": f"llm:{reply.backend}", "model": reply.model, "usage": usage(reply)}
        self.steps.append(step)


def context_of(job: Job, prompt: LivePrompt, log: Callable[[str, str], None]) -> Context:
    """What a prompt that is called by itself may know and use."""
    bundle = job.bundle
    return Context(
        bundle=bundle,
        execution=job.id,
        flow=Flow(prompt.id, prompt.name, "", prompt.file, "organism"),  # it has no llm section of its own
        tokens=Tokens(MAX_TOKENS),
        secret=bundle.secrets.get,
        call_peer=nobody,
        load=nothing,
        save=forget,
        log=log,
        deadline=time.monotonic() + PATIENCE_S,
        vars=bundle.vars,
    )


def usage(reply: Reply) -> dict[str, Any]:
    told = {"input": reply.usage.input, "output": reply.usage.output, "total": reply.usage.total}
    return told if reply.cost is None else {**told, "cost": reply.cost}


def of_provider(where: Backends, name: str) -> Backends:
    """Those backends alone that have this name, or are of this provider; they stay the bundle's own."""
    if not name:
        return where
    section, wanted = where.section, name.lower()
    if wanted == REHEARSAL:
        return replace(where, section=replace(section, loads=(understudy(),)))
    mine = [load for load in section.loads if load.backend.name.lower() == wanted]
    mine = mine or [load for load in section.loads if load.backend.provider == wanted]
    if not mine and not (section.usual and wanted in KEYS):
        known = ", ".join(load.backend.name for load in section.loads) or "none"
        message = f"the prompt wants the provider “{name[:60]}”; those of the bundle are: {known}"
        raise LlmError("not-available", message)
    return replace(where, section=replace(section, loads=tuple(mine)))


def unfenced(text: str) -> str:
    """JSON that a model wrote, without what some put around it; LlmError when it is none."""
    return orjson.dumps(llm.parsed(text)).decode()


def word(settings: Mapping[str, Any], key: str) -> str:
    value = settings.get(key)
    return value if isinstance(value, str) else ""


def hushed(context: Context, error: LlmError) -> LlmError:
    error.message = llm.hidden(context, error.message)
    return error


class Hush:
    """Takes secrets out of a text that comes in pieces: what may be the beginning of one waits for the next piece."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.secrets = [one for one in secrets if len(one) >= llm.SHORTEST_MASK]
        self.kept = ""

    def next(self, piece: str) -> str:
        text = self.kept + piece
        for one in self.secrets:
            text = text.replace(one, "•••")
        held = max((overlap(text, one) for one in self.secrets), default=0)
        cut = len(text) - held
        self.kept = text[cut:]
        return text[:cut]

    def rest(self) -> str:
        text, self.kept = self.kept, ""
        return text


def overlap(text: str, secret: str) -> int:
    """How many of the last characters may be the first ones of the secret."""
    longest = min(len(text), len(secret) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(secret[:size])), 0)


async def nobody(name: str, payload: bytes, key: str) -> bytes | Failure:
    return Failure("routing", "a prompt has no peers")


async def nothing() -> bytes | None:
    return None


async def forget(data: bytes) -> None:
    return None
