"""Executing a job whose target is a prompt: its parameters checked, its text rendered, a language model asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from billing.errors import ApiError
from bundles.promptcheck import check
from bundles.promptcompile import FORMATS, Compiled, Format
from runtime import promptsinks, running
from runtime.answer import Reply
from runtime.job import Effects, Job
from runtime.llm import LlmError
from runtime.promptmodel import Question, Sink, context_of, usage
from runtime.prompts import UNFIT, LivePrompt
from runtime.prompttext import Text, Unfit
from runtime.targets import Absent, Done

STATUS = {"timeout": 504, "not-available": 501, "validation": 502, "egress": 502, "budget": 502}
PROBLEM = "application/problem+json"
BARE = frozenset({"GET", "HEAD", "DELETE"})
T = TypeVar("T")


@dataclass(slots=True)
class Wish:
    """What a job wants of its prompt: ``given`` as values, ``texts`` as a path or a query has them."""

    given: Any
    texts: dict[str, Any] = field(default_factory=dict)
    dry: bool = False
    format: Format = "markdown"
    of_sensor: bool = False
    right: bool = False  # a door has checked what is given

    @classmethod
    def checked(cls, values: dict[str, Any], options: dict[str, Any]) -> "Wish":
        return cls(values, {}, options["dry"], options["format"], right=True)

    @classmethod
    def of(cls, job: Job) -> "Wish":
        """``prompt`` in the envelope is written by doors alone; of an endpoint path, body and query count."""
        told = orjson.loads(job.request)
        body, options = told.get("body"), told.get("prompt")
        if options is not None:
            format = options.get("format")
            known: Format = format if format in FORMATS else "markdown"
            return cls(body, {}, options.get("dry") is True, known)
        query = told.get("query") or {} if told.get("method") in BARE else {}
        texts = {**query, **(told.get("params") or {})}
        return cls({} if body is None else body, texts, of_sensor=told.get("method") == "SENSOR")

    def values(self, prompt: LivePrompt) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """The values and what is wrong with them. What stands in the path counts more than the body."""
        if self.right:
            return self.given, []
        if not isinstance(self.given, dict):
            return {}, [{"path": "", "message": "must be an object with the parameters of the prompt"}]
        typed = {name: value for name, value in self.given.items() if name not in self.texts}
        if not self.texts:
            result = check(prompt.parameters, typed)
            return result.values, result.errors
        own = [one for one in prompt.parameters if one.name in self.texts]
        rest = [one for one in prompt.parameters if one.name not in self.texts]
        first, second = check(own, self.texts, texts=True), check(rest, typed)
        return {**second.values, **first.values}, [*first.errors, *second.errors]

    def attempt(self, job: Job, fuel: int) -> Done | None:
        """A dry call without waiting; None for others, and when its text takes long."""
        if not (self.dry and self.right):
            return None
        text = Text(prompt_of(job), self.given, fuel)
        try:
            made = text.at_once(self.format)
        except Unfit as wrong:
            return unfit(self, wrong.errors, spent(job, text))
        return None if made is None else compiled(job, made, text)


async def execute(job: Job, fuel: int) -> Done:
    """The answer of the model, or what was wrong."""
    prompt = prompt_of(job)
    wish = job.wish or Wish.of(job)
    values, errors = wish.values(prompt)
    if errors:
        return unfit(wish, errors, 0)
    text = Text(prompt, values, fuel)
    try:
        if wish.dry:
            return compiled(job, await text.compiled(wish.format), text)
        messages = await text.messages()
    except Unfit as wrong:
        return unfit(wish, wrong.errors, spent(job, text))
    effects = Effects()
    context = context_of(job, prompt, logger(effects, promptsinks.find(job.id)))
    question = Question(context, prompt.settings, messages, f"{job.id}:prompt", effects.steps, values)
    return await asked(job, question, effects, spent(job, text))


def prompt_of(job: Job) -> LivePrompt:
    name = job.target.module
    prompt = job.bundle.prompts.get(name)
    if prompt is None:
        raise Absent(f"the prompt “{name}” is not here")
    if prompt.fault:
        raise Absent(f"the prompt “{name}” has errors, the first at {prompt.fault}")
    return prompt


def spent(job: Job, text: Text) -> int:
    if job.purse is not None:
        job.purse.spend(text.used)
    return text.used


def compiled(job: Job, made: Compiled, text: Text) -> Done:
    """The text alone: no model is asked."""
    return Done(Reply(200, orjson.dumps(made.json())), spent(job, text), Effects())


def unfit(wish: Wish, errors: list[dict[str, Any]], fuel: int) -> Done:
    """422 with everything that is wrong. Whoever fires a sensor waits for no answer: there it is a failure."""
    body = ApiError(422, UNFIT, errors=errors).body()
    first = f"{errors[0]['path']}: {errors[0]['message']}".removeprefix(": ")
    error = f"{UNFIT} {first}" if wish.of_sensor else ""
    return Done(Reply(422, orjson.dumps(body), PROBLEM, error=error), fuel, Effects())


async def asked(job: Job, question: Question, effects: Effects, fuel: int) -> Done:
    """What the model says; a run that takes long is known as such, and can be cancelled."""
    sink = promptsinks.find(job.id)
    if sink is not None:  # its reader is given its id before it ends
        await running.announce(job)
        sink.began()
    try:
        answer = await running.announced(job, question.answer(sink))
    except LlmError as error:
        return Done(unanswered(error), fuel, effects)
    except running.Cancelled as cancelled:
        cancelled.effects = effects
        raise
    told = {"output": answer.text, "usage": usage(answer), "model": answer.model, "execution": job.id}
    return Done(Reply(200, orjson.dumps(told)), fuel, effects)


def logger(effects: Effects, sink: Sink | None) -> Callable[[str, str], None]:
    def log(level: str, text: str) -> None:
        effects.logs.append((level, text))
        if sink is not None:
            sink.log(level, text)

    return log


def unanswered(error: LlmError) -> Reply:
    """Why there is no answer, without anything secret; when to come back, if it is worth it."""
    headers = None
    status = STATUS.get(error.code, 502)
    if error.retryable and error.retry_after_s is not None:
        status, headers = 503, [("retry-after", str(max(1, round(error.retry_after_s))))]
    told = {"type": "/docs/errors#model-failed", "title": "The language model gave no answer"}
    body = {**ApiError(status, error.message).body(), **told, "code": error.code}
    return Reply(status, orjson.dumps(body), PROBLEM, headers, error=error.message)
