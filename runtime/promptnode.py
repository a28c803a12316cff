"""Prompts in flows: the node that fills one and asks a model, and the words of an agent that come from one."""

from typing import Any

import orjson

from bundles.promptcheck import check
from runtime import llm
from runtime.flowneeds import Context, Failure, Need
from runtime.llm import LlmError
from runtime.promptmodel import Question
from runtime.prompts import UNFIT, LivePrompt
from runtime.prompttext import Text, Unfit
from runtime.wasm import Trap

SETTINGS = {"provider": "provider", "model": "model", "temperature": "temperature", "maxTokens": "max_tokens"}


async def perform(need: Need, context: Context) -> bytes | Failure:
    """The model's text as a JSON string, or the JSON that it wrote. What `with` says counts more than the head."""
    text = filled(need, context)
    if isinstance(text, Failure):
        return text
    try:
        messages = await text.messages()
    except (Trap, Unfit) as problem:
        return failure(problem)
    finally:
        context.charge(text.used)
    own = {name: need.options[key] for key, name in SETTINGS.items() if need.options.get(key) is not None}
    settings = {**text.prompt.settings, **own}
    question = Question(context, settings, messages, context.idempotency_key(need), values=text.values)
    try:
        said = (await question.answer()).text
        return said.encode() if settings.get("json") is True else orjson.dumps(said)
    except LlmError as error:
        return llm.failure(error)


async def system(need: Need, context: Context) -> str | Failure:
    """What an agent is told by its `promptRef`."""
    text = filled(need, context)
    if isinstance(text, Failure):
        return text
    try:
        return str((await text.compiled("markdown")).output)
    except (Trap, Unfit) as problem:
        return failure(problem)
    finally:
        context.charge(text.used)


def filled(need: Need, context: Context) -> Text | Failure:
    """The prompt with its values, not yet rendered."""
    target = need.listener.handler.target
    name = target.module if target else ""
    prompt = context.bundle.prompts.get(name)
    if prompt is None:
        return Failure("not-available", f"the prompt “{name}” is not here")
    if prompt.fault:
        return Failure("not-available", f"the prompt “{name}” has errors, the first at {prompt.fault}")
    result = check(prompt.parameters, given(need, prompt), texts=True)
    if result.errors:
        told = "; ".join(f"{error['path']} {error['message']}" for error in result.errors)
        return Failure("validation", f"{UNFIT} {told}"[:2000])
    return Text(prompt, result.values, context.fuel)


def given(need: Need, prompt: LivePrompt) -> dict[str, Any]:
    """`parameters` of `with`, else what of the payload bears a parameter's name; a sole one may be the payload itself."""
    written = need.options.get("parameters")
    if isinstance(written, dict):
        return written
    payload = orjson.loads(need.payload or b"null")
    known = {one.name for one in prompt.parameters}
    if isinstance(payload, dict):
        return {name: value for name, value in payload.items() if name in known}
    return dict.fromkeys(known, payload) if len(known) == 1 and payload is not None else {}


def failure(problem: Trap | Unfit) -> Failure:
    return Failure("budget" if isinstance(problem, Trap) else "validation", str(problem))
