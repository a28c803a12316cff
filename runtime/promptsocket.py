"""/ws/prompts/{id}: runs of one prompt, several at once, begun and cancelled and heard through one socket."""

import asyncio
import time
from collections import Counter, deque
from contextlib import suppress
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from billing import access
from billing.access import Principal
from billing.background import end
from billing.errors import ApiError
from billing.still import still, still_all
from billing.websocket import ABSENT, FLOOD, FORBIDDEN, FULL, LARGE, UNKNOWN, Receive, Send
from runtime import prompts, promptvoice
from runtime.exchange import Asked
from runtime.gateway import AWAY, gateway
from runtime.prompts import Found
from runtime.promptvoice import Spoken, Voice, Wish
from runtime.wire import caller, read_headers

SLOW = 4408  # its client does not take what it is sent
RUNS = 8  # at once, of one socket
MESSAGES = 600  # that a client may send in a minute
ANSWERS = 100  # beside what runs say, that a client has not taken
MOST, OF_TENANT = 2_000, 500  # sockets of one process
HEART_S = 15.0  # between signs of life, and as long as a message may take to be taken
CHECK_S = 2.0
_open: Counter[UUID] = Counter()


async def serve(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    # Accepted first: a refused handshake would hide the code that says why.
    await send({"type": "websocket.accept"})
    who = await database_sync_to_async(access.of_scope)(scope)
    code = await judged(who, scope["url_route"]["kwargs"]["id"])
    if who is None or code:
        return await send({"type": "websocket.close", "code": code})
    _open[who.tenant_id] += 1
    try:
        await Talk(scope, send, who).hold(receive)
    finally:
        _open[who.tenant_id] -= 1
        if not _open[who.tenant_id]:
            del _open[who.tenant_id]


async def judged(who: Principal | None, prompt: str) -> int:
    """The code with which the socket is closed at once; 0 when it may stay open."""
    if who is None:
        return UNKNOWN
    if not who.may("call"):
        return FORBIDDEN
    if await find(who, prompt) is None:
        return ABSENT
    return FULL if _open[who.tenant_id] >= OF_TENANT or _open.total() >= MOST else 0


async def find(who: Principal, prompt: str) -> Found | None:
    """The prompt among the running bundles of whoever asks; what was started a moment ago too."""
    tenants = gateway.tenants
    live = tenants.get(who.tenant) or await tenants.load(who.tenant)
    found = prompts.find(live, prompt) if live is not None else None
    if found is None:
        live = await tenants.fresh(who.tenant)
        found = prompts.find(live, prompt) if live is not None else None
    if live is None or live.tenant_id != str(who.tenant_id):
        return None
    live.used = time.monotonic()
    return found


def asked_of(scope: dict[str, Any], who: Principal, prompt: str) -> tuple[Asked, str]:
    """What interceptors are shown, and whose calls count together: a key's with those that it makes over HTTP."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    headers, token = read_headers(pairs)
    peer = caller((scope.get("client") or ("unknown", 0))[0], pairs)

    async def gone(limit: int) -> bytes:
        return b""

    headers = {"host": headers.get("host", ""), "content-type": "application/json"}
    asked = Asked("POST", f"/{who.tenant}/prompts/{prompt}", b"", headers, token, peer, gone)
    return asked, promptvoice.identity(asked) if who.key_id else f"user:{who.user_id}"


class Round:
    """Every two seconds, for all sockets of one loop: who may not have one any more."""

    def __init__(self) -> None:
        self.talks: set[Talk] = set()
        self.task: asyncio.Task[None] | None = None

    def add(self, talk: "Talk") -> None:
        self.talks.add(talk)
        if self.task is None or self.task.done():
            self.task = asyncio.ensure_future(self.look())

    async def look(self) -> None:
        while self.talks:
            await asyncio.sleep(CHECK_S)
            people = list({talk.who for talk in self.talks})
            with suppress(DatabaseError):  # nobody is thrown out because the database is away
                valid = await database_sync_to_async(still_all)(people)
                gone = {who for who, holds in zip(people, valid, strict=True) if not holds}
                for talk in self.talks:
                    if talk.who in gone:
                        talk.lost.set()


_rounds: "WeakKeyDictionary[asyncio.AbstractEventLoop, Round]" = WeakKeyDictionary()


def rounds() -> Round:
    return _rounds.setdefault(asyncio.get_running_loop(), Round())


class Talk:
    """One open socket: its runs by the names that its client gave them, and what they have said."""

    def __init__(self, scope: dict[str, Any], send: Send, who: Principal) -> None:
        self.send, self.who = send, who
        self.prompt: str = scope["url_route"]["kwargs"]["id"]
        self.asked, self.identity = asked_of(scope, who, self.prompt)
        self.voices: dict[str, Voice] = {}
        self.starting: dict[str, asyncio.Task[None]] = {}
        self.answers: deque[bytes] = deque()
        self.news = asyncio.Event()
        self.lost = asyncio.Event()  # the right to have this socket
        self.minute = self.messages = 0

    async def hold(self, receive: Receive) -> None:
        """Until one side leaves, stops taking what it is sent, or may not be here any more; then no run goes on."""
        rounds().add(self)
        self.answer({"type": "ready", "data": {"prompt": self.prompt, "runs": RUNS}})
        ways: list[asyncio.Task[Any]] = [
            asyncio.ensure_future(way) for way in (self.hear(receive), self.speak(), self.lost.wait())
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            code = FORBIDDEN if self.lost.is_set() else next(way.result() for way in ways if way in done)
        finally:
            rounds().talks.discard(self)
            await end([*ways, *self.starting.values()])
            for voice in self.voices.values():
                voice.forget()
        if code:
            with suppress(OSError, RuntimeError, TimeoutError):
                async with asyncio.timeout(1):
                    await self.send({"type": "websocket.close", "code": code})

    # -- what the client says ------------------------------------------------------------------------

    async def hear(self, receive: Receive) -> int:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return 0
            data = message.get("text") or message.get("bytes") or b""
            if len(data) > settings.CALL_MAX_BODY:
                return LARGE
            if self.too_many() or len(self.answers) > ANSWERS:
                return FLOOD
            name = None
            try:
                said = read(data)
                name = said.get("id")
                self.take(said)
            except ApiError as error:
                self.wrong(name, error.body())

    def too_many(self) -> bool:
        minute = int(time.monotonic() / 60)
        self.messages = self.messages + 1 if minute == self.minute else 1
        self.minute = minute
        return self.messages > MESSAGES

    def take(self, said: dict[str, Any]) -> None:
        match said.get("type"):
            case "ping":
                self.answer({"type": "pong"})
            case "run":
                self.run(said)
            case "cancel":
                self.cancel(said.get("id"))
            case _:
                raise ApiError(422, "The message is not right.", errors=[{"path": "type", "message": KINDS}])

    def run(self, said: dict[str, Any]) -> None:
        name = promptvoice.named(said)
        if name in self.voices or name in self.starting:
            raise ApiError(409, "A run of this name is under way on this socket.")
        if len(self.voices) + len(self.starting) >= RUNS:
            raise ApiError(429, f"A socket may have {RUNS} runs at once.")
        task = self.starting[name] = asyncio.ensure_future(self.start(name, said))
        task.add_done_callback(lambda _: self.starting.pop(name, None))

    async def start(self, name: str, said: dict[str, Any]) -> None:
        try:
            call = await self.calling(said)
        except ApiError as error:
            return self.wrong(name, error.body())
        try:
            begun = await promptvoice.begin(call)
            if not isinstance(begun, Voice):
                return self.wrong(name, begun)
            self.voices[name], call.voice = begun, None
        except ApiError as error:
            self.wrong(name, error.body())
        except (RedisError, DatabaseError):
            self.wrong(name, AWAY.body())
        except asyncio.CancelledError:
            self.wrong(name, ApiError(499).body())
            raise
        finally:
            if call.voice is not None:
                call.voice.forget()

    async def calling(self, said: dict[str, Any]) -> Spoken:
        """Each run is judged anew: the right to call, the prompt as it runs now, then its interceptors."""
        if not await database_sync_to_async(still)(self.who):
            raise ApiError(403, "The right to call has ended.")
        found = await find(self.who, self.prompt)
        if found is None:
            raise ApiError(404, "No running bundle has this prompt any more.")
        wish = Wish.of(said, found, self.news.set)
        call = Spoken(self.asked, found, gateway.waist or await gateway.start(), wish)
        call.known_as(self.who.actor, self.identity)
        return call

    def cancel(self, name: Any) -> None:
        voice = self.voices.get(name) if isinstance(name, str) else None
        starting = self.starting.get(name) if isinstance(name, str) else None
        if voice is not None:
            voice.stop()
        elif starting is not None:
            starting.cancel()
        else:
            raise ApiError(404, "No run of this name is under way on this socket.")

    # -- what the client is told ---------------------------------------------------------------------

    def answer(self, message: dict[str, Any]) -> None:
        self.answers.append(orjson.dumps(message))
        self.news.set()

    def wrong(self, name: Any, problem: Any) -> None:
        shown = name if isinstance(name, str) and len(name) <= promptvoice.MAX_NAME else None
        self.answer({"type": "error", "id": shown, "data": problem})

    async def speak(self) -> int:
        """Everything in turn; a client that does not take a message in time is cut off."""
        while True:
            self.news.clear()
            while piece := self.next():
                if not await self.push(piece):
                    return SLOW
            try:
                async with asyncio.timeout(HEART_S):
                    await self.news.wait()
            except TimeoutError:
                self.answer({"type": "ping"})

    def next(self) -> bytes | None:
        """An answer, else what the run says that was heard longest ago."""
        if self.answers:
            return self.answers.popleft()
        for name, voice in list(self.voices.items()):
            if piece := voice.next():
                self.voices[name] = self.voices.pop(name)  # the others come first now
                return piece
            if voice.ended:
                del self.voices[name]
                voice.forget()
        return None

    async def push(self, piece: bytes) -> bool:
        try:
            async with asyncio.timeout(HEART_S):
                await self.send({"type": "websocket.send", "text": piece.decode()})
        except (
            TimeoutError,
            OSError,
            RuntimeError,
        ):  # the last two: the server's ways to say that it is gone
            return False
        return True


KINDS = "must be run, cancel or ping"


def read(data: str | bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise ApiError(400, "A message must be JSON.") from None
    if not isinstance(found, dict):
        raise ApiError(400, "A message must be a JSON object.")
    return found
