"""One of the runs that are heard through a websocket: its events are messages that bear the name its client gave it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from billing.errors import ApiError
from bundles import promptstreaming
from bundles.promptstreaming import STREAM_FIELDS, Streaming
from runtime import prompts, promptstream
from runtime.answer import Reply
from runtime.exchange import Asked
from runtime.interceptors.invocation import Invocation
from runtime.interceptors.serve import of_token
from runtime.job import Job, Outcome
from runtime.prompts import Found
from runtime.promptsse import changing
from runtime.promptstream import Heard

if TYPE_CHECKING:
    from runtime.call import Waist

MAX_NAME = 64
TUNED = frozenset(STREAM_FIELDS) - {"heartbeat"}
WRONG = "The message is not right."
FIELDS = frozenset({"type", "id", "parameters"}) | TUNED


class Voice(Heard):
    """It wakes its socket when there is something to send."""

    def __init__(self, waist: "Waist", job: Job, wish: "Wish") -> None:
        super().__init__(waist, job, wish.streaming)
        self.name, self.wake = wish.name, wish.wake
        self.introduced = False

    def began(self) -> None:
        """It is in the history now; nothing else is said before."""
        if not self.introduced:
            self.introduced = True
            self.tell("begun", {"execution": self.job.id})

    def event(self, name: str, value: Any) -> bytes:
        return orjson.dumps({"type": name, "id": self.name, "data": value})

    def tell(self, name: str, value: Any) -> None:
        super().tell(name, value)
        self.wake()

    def next(self) -> bytes | None:
        """The oldest message that was not sent; nobody comes back for it, so it is not kept."""
        if not self.fresh:
            return None
        _, data = self.fresh.popleft()
        self.unsent -= len(data)
        self.room.set()
        return data


def named(message: dict[str, Any]) -> str:
    """The name of a run in a message of the type `run`; ApiError 422 with everything that is not right there."""
    name = message.get("id")
    errors = [
        {"path": one[:100], "message": "there is no such field"} for one in message if one not in FIELDS
    ]
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        errors.append({"path": "id", "message": f"must be a text of 1 to {MAX_NAME} characters"})
    if errors:
        raise ApiError(422, WRONG, errors=errors)
    return str(name)


@dataclass(frozen=True, slots=True)
class Wish:
    """A run as its client wants it, and who is to be woken when it speaks."""

    name: str
    parameters: Any
    streaming: Streaming
    wake: Callable[[], None]

    @classmethod
    def of(cls, message: dict[str, Any], found: Found, wake: Callable[[], None]) -> "Wish":
        options = {one: message[one] for one in TUNED if one in message}
        streaming, errors = promptstreaming.of(found[1].settings).with_options(options)
        if errors:
            raise ApiError(422, WRONG, errors=errors)
        return cls(message["id"], message.get("parameters", {}), streaming, wake)


class Spoken(Invocation):
    """A run on its way through the interceptors of its prompt, which see its beginning."""

    __slots__ = ("found", "voice", "wish")

    def __init__(self, asked: Asked, found: Found, waist: "Waist", wish: Wish) -> None:
        bundle, prompt = self.found = found
        self.wish = wish
        self.voice: Voice | None = None
        data = orjson.dumps(wish.parameters)
        super().__init__(asked, prompt.endpoint.path, prompt.match(bundle), waist, data)

    def make_job(self) -> Job:
        return made(self.found, self.request["body"], self.caller)

    async def perform(self, job: Job) -> Outcome:
        self.voice = Voice(self.waist, job, self.wish)
        promptstream.enter(self.voice)
        return Outcome("running", Reply(200, b""))


def made(found: Found, parameters: Any, caller: str) -> Job:
    bundle, prompt = found
    return prompts.make_job(bundle, prompt, prompts.checked(prompt, parameters), caller=caller)


async def begin(call: Spoken) -> Voice | Any:
    """The voice of a run that has begun, or the problem that an interceptor answered instead."""
    prompt = call.found[1]
    if prompt.chain is None:
        await call.perform(call.make_job())
    elif one := changing(prompt):
        told = f"“{one.name}” changes or keeps whole answers of this prompt: it cannot be streamed."
        raise ApiError(406, told)
    else:
        reply = await prompt.chain.later(call)
        if call.voice is None:
            return problem(reply)
    return call.voice


def identity(asked: Asked) -> str:
    return of_token(asked)


def problem(reply: Reply) -> Any:
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return ApiError(reply.status).body()
