"""The provider `rehearsal`: a model's part played without a model, a key or a network.

It says what the prompt wrote for it, else what it was asked. It never stands in for a model that failed: only for
models of which none has a key, and only where a prompt, a node or an `llm` section says so.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from runtime.llmbackends import REHEARSAL, REHEARSED_TPM, Backend, Load
from runtime.llmtypes import LlmError, Reply, Request, Usage

if TYPE_CHECKING:
    from runtime.llmrouter import Backends

NUMBER = 1_000_000  # its place where no section has it
PACE_S = 0.02  # between two tokens of a stream
LONGEST_S = 4.0
SHOWN = 400  # characters of a question
TOKEN = re.compile(r"\s*\S{1,12}")
NOTE = "This is a rehearsal: no language model was asked."


def cast(where: "Backends", request: Request) -> "Backends":
    """The real backends as long as one of them can be asked, else the rehearsal, where one is wished for."""
    section = where.section
    parts = [load for load in section.loads if load.backend.rehearses]
    if not parts and request.rehearsal is None:
        return where
    real = tuple(load for load in section.loads if not load.backend.rehearses)
    lacking = missing(where, request, real)
    if lacking is None:
        return replace(where, section=replace(section, loads=real))
    if lacking:
        where.log("warning", f"rehearsal, no language model is asked: {lacking}")
    return replace(where, section=replace(section, loads=tuple(parts[:1]) or (understudy(),)))


def missing(where: "Backends", request: Request, real: tuple[Load, ...]) -> str | None:
    """Why none of them can be asked: nobody has given a key. None when one can, or when something else is wrong."""
    if not real:
        return "no other backend is set up" if request.rehearsal else ""
    mine = [load for load in where.section.candidates(request.model) if not load.backend.rehearses]
    if not mine:
        return f"no backend for the model “{request.model[:100]}” has a key" if where.section.usual else None
    told = ""
    for load in mine:
        try:
            where.key(load.backend)
        except LlmError as error:
            if error.unset:
                told = told or error.message
                continue
        return None
    return told


def understudy() -> Load:
    """The rehearsal of a prompt whose section has none."""
    return Load.of(Backend(NUMBER, REHEARSAL, REHEARSAL, REHEARSAL, tpm=REHEARSED_TPM))


def whole(request: Request) -> Reply:
    """The answer at once: the same for the same question."""
    text = words(request)
    pieces = tokens(text)
    cut = request.max_tokens is not None and len(pieces) > request.max_tokens
    if cut:
        pieces = pieces[: request.max_tokens]
        text = "".join(pieces)
    asked = sum(len(tokens(message.text)) for message in request.messages)
    return Reply(text, stop="length" if cut else "stop", usage=Usage(asked, len(pieces)), model=REHEARSAL)


async def streamed(request: Request) -> AsyncGenerator[str | Reply, None]:
    """The same token by token, at a pace that people can watch."""
    reply = whole(request)
    pieces = tokens(reply.text)
    rest = reply.text[sum(map(len, pieces)) :]
    pace = min(PACE_S, LONGEST_S / max(1, len(pieces)))
    for piece in [*pieces, *([rest] if rest else [])]:
        yield piece
        await asyncio.sleep(pace)
    yield reply


def tokens(text: str) -> list[str]:
    """Without the spaces at the end: what follows no word would be looked at once for each of them."""
    return TOKEN.findall(text.rstrip())


def words(request: Request) -> str:
    """What was written for it, else a summary of the question."""
    written = request.rehearsal() if request.rehearsal else ""
    if written:
        return written
    said = next((one.text for one in reversed(request.messages) if one.role == "user"), "")
    said = " ".join(said.split())
    count = len(said.split())
    shown = said if len(said) <= SHOWN else said[:SHOWN].rsplit(" ", 1)[0] + " …"
    if request.json:
        return orjson.dumps({"rehearsal": True, "words": count, "asked": shown}).decode()
    return f"{NOTE} The question has {count} words: “{shown}”" if said else f"{NOTE} It was asked nothing."
