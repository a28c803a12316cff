"""One try at one backend: the request through the egress guard, the answer read within bounds, refusals in words."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from billing.egress import EgressFailed, EgressRefused, Stream, astream
from runtime.llmbackends import Backend
from runtime.llmtypes import LlmError, Reply, Request, not_understood
from runtime.llmwire import MAX_LINE, events
from runtime.retryafter import retry_after

MAX_REQUEST = 8 * 1024 * 1024
MAX_ANSWER = 8 * 1024 * 1024
MAX_TOLD = 300  # characters of what a provider says about an error
AGAIN = frozenset({408, 409, 425, 429})
ELSEWHERE = frozenset({401, 402, 403, 404})


@dataclass(frozen=True, slots=True)
class Try:
    """A request that is ready to be sent to a backend."""

    backend: Backend
    request: Request
    key: str
    timeout_s: float
    masks: tuple[str, ...] = ()  # what no message may repeat
    tenant: str = ""

    def headers(self, more: Mapping[str, str]) -> dict[str, str]:
        sent = {"content-type": "application/json", **more, **self.backend.speech.key(self.key)}
        return sent | ({"idempotency-key": self.request.key} if self.request.key else {})

    def shown(self, text: str) -> str:
        """A provider's words: one line, short, without anything secret (some repeat the key)."""
        for mask in (self.key, *self.masks):
            text = text.replace(mask, "•••") if len(mask) >= 4 else text
        return "".join(one if one.isprintable() else " " for one in text)[:MAX_TOLD].strip()


async def whole(attempt: Try) -> Reply:
    """The reply at once."""
    async with opened(attempt, streamed=False) as answer:
        parts = [part async for part in answer.body]
    try:
        value = orjson.loads(b"".join(parts))
    except orjson.JSONDecodeError:
        raise not_understood("JSON") from None
    if not isinstance(value, dict):
        raise not_understood()
    return attempt.backend.speech.read(value)


async def streamed(attempt: Try) -> AsyncGenerator[str | Reply, None]:
    """Pieces of the text as they are written, at last the reply."""
    speech = attempt.backend.speech
    collector = speech.collector()
    async with opened(attempt, streamed=True) as answer:
        async for part in lines(answer.body):
            try:
                for event in events(part, lines=speech.lines):
                    text = collector.take(event) if event is not None else ""
                    if text:
                        yield text
            except (ValueError, TypeError, KeyError, IndexError, AttributeError):
                raise not_understood("a stream of events") from None
    yield collector.reply()


async def lines(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines, however the pieces were cut."""
    rest = b""
    async for piece in body:
        rest += piece
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
        elif len(rest) > MAX_LINE:
            raise not_understood("lines of a bearable length")
    if rest:
        yield rest


@asynccontextmanager
async def opened(attempt: Try, *, streamed: bool) -> AsyncIterator[Stream]:
    """The answer when it is a good one; LlmError when it is not, or there is none."""
    backend = attempt.backend
    sent = backend.speech.pack(attempt.request, backend.model_for(attempt.request.model), streamed)
    content = packed(sent.body)
    began = time.monotonic()
    try:
        async with astream(
            "POST",
            backend.url(sent.path),
            headers=attempt.headers(sent.headers),
            content=content,
            timeout=attempt.timeout_s,
            max_bytes=MAX_ANSWER,
            tenant=attempt.tenant,
        ) as answer:
            if answer.status != 200:
                raise await refusal(attempt, answer)
            yield answer
    except EgressRefused as refused:
        raise LlmError("egress", f"{backend.name}: {refused}", elsewhere=True) from None
    except EgressFailed as failed:
        late = time.monotonic() - began >= attempt.timeout_s - 0.05
        fault = not late or attempt.timeout_s >= backend.timeout_s  # who gave it less time cannot blame it
        code = "timeout" if late else "handler"
        raise LlmError(code, f"{backend.name}: {failed}", retryable=True, fault=fault) from None


def packed(body: Mapping[str, Any]) -> bytes:
    try:
        content = orjson.dumps(body)
    except orjson.JSONEncodeError:
        raise LlmError("validation", "what the model is asked is no JSON") from None
    if len(content) > MAX_REQUEST:
        raise LlmError("validation", f"what the model is asked has more than {MAX_REQUEST} bytes")
    return content


async def refusal(attempt: Try, answer: Stream) -> LlmError:
    """Why the other side gave no answer, and whether to ask again."""
    said = b""
    async for part in answer.body:
        said += part
        if len(said) > 64 * 1024:
            break
    told = attempt.shown(reason(said))
    message = f"{attempt.backend.name} answered {answer.status}" + (f": {told}" if told else "")
    again = answer.status in AGAIN or answer.status >= 500
    return LlmError(
        "handler" if again or answer.status in ELSEWHERE else "validation",
        message,
        retryable=again,
        elsewhere=answer.status in ELSEWHERE,
        retry_after_s=retry_after(answer.headers) if again else None,
        fault=again and answer.status != 429,
    )


def reason(said: bytes) -> str:
    try:
        value = orjson.loads(said)
    except orjson.JSONDecodeError:
        return ""
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return error if isinstance(error, str) else ""
