"""One request on its way through the interceptors of its endpoint."""

from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings

from billing.errors import ApiError
from bundles.routes import Match
from runtime import ask, said
from runtime.answer import Reply
from runtime.exchange import Asked, Given
from runtime.job import Job, Outcome

if TYPE_CHECKING:
    from runtime.call import Waist

STRANGER = "public"
TOO_LATE = Reply(504, b"")  # in place of what has no caller any more; nobody reads it
STEPS = 20_000  # of all expressions of one call together: about 2 ms, which nobody is charged


class Invocation:
    """``data`` is None until the body has been read; ``job`` is there when something was executed."""

    __slots__ = (
        "abandoned",
        "asked",
        "caller",
        "changed",
        "claims",
        "data",
        "fragment",
        "identity",
        "job",
        "key",
        "match",
        "outcome",
        "parsed",
        "path",
        "queued",
        "steps",
        "unpacked",
        "waist",
    )

    def __init__(self, asked: Asked, path: str, match: Match, waist: "Waist", data: bytes | None) -> None:
        self.asked, self.path, self.match, self.waist, self.data = asked, path, match, waist, data
        self.caller = ""  # for the history; empty until somebody vouches for it
        self.identity = ""  # whose calls and answers are the same caller's
        self.claims: dict[str, Any] = {}
        self.job: Job | None = None
        self.outcome: Outcome | None = None
        self.queued: Given | None = None  # it was taken on, to be executed later
        self.abandoned = False  # its caller was told that it takes too long
        self.unpacked = False  # its answer must not be packed by default
        self.changed = False  # a transform gave the request another body
        self.steps = STEPS
        self.key: Any = None  # under which its answer may be kept
        self.fragment: Any = None  # the body as the function gets it
        self.parsed: dict[str, Any] | None = None

    def known_as(self, caller: str, identity: str) -> None:
        self.caller, self.identity = caller, identity

    @property
    def form(self) -> str:
        """What is wanted in place of the usual answer: it is kept apart from that."""
        return ""

    @property
    def is_stranger(self) -> bool:
        return self.caller in ("", STRANGER)

    @property
    def request(self) -> dict[str, Any]:
        """What the function will be told, with its body as values; read once."""
        found = self.parsed
        if found is None:
            found = self.told()
            found["body"] = self.body()
            self.parsed = found
        return found

    def told(self) -> dict[str, Any]:
        asked = self.asked
        return {
            "method": asked.method,
            "path": self.path,
            "params": self.match.params,
            "query": ask.query(asked.query),
            "headers": asked.headers,
        }

    def body(self) -> Any:
        """As values; JSON was only checked before."""
        found, data = self.raw(), self.data or b""
        if not isinstance(found, orjson.Fragment):
            return found
        encoding = self.asked.headers.get("content-encoding", "")
        return orjson.loads(ask.unpacked(data, encoding, settings.CALL_MAX_BODY))

    def raw(self) -> Any:
        """As the function gets it; read once."""
        if self.fragment is None and self.data:
            self.fragment = ask.body(self.data, self.asked.headers, limit=settings.CALL_MAX_BODY)
        return self.fragment

    def scope(self) -> dict[str, Any]:
        """What expressions see."""
        return {"request": self.request, "caller": {"id": self.caller, "claims": self.claims}}

    def make_job(self) -> Job:
        endpoint, bundle = self.match.endpoint, self.match.owner
        job = Job(bundle, endpoint.service, endpoint.name, endpoint.to, endpoint.contract, b"", "api")
        job.caller = self.caller
        values = self.parsed or self.told()
        # What was looked at is what is called: of a name that comes twice others may read the first, and we the last.
        body = self.raw() if self.parsed is None else self.parsed["body"]
        if self.claims:
            values = {**values, "claims": self.claims}
        job.request = ask.request(values, body, tenant=bundle.tenant, execution=job.id)
        return job

    async def perform(self, job: Job) -> Outcome:
        """The call itself."""
        return await said.call(self.waist, job)


def refusal(error: ApiError) -> Reply:
    """A refusal of the platform as the answer of a link, so that those around it see it too."""
    headers = [(name.lower(), value) for name, value in error.headers.items()]
    return Reply(error.status, orjson.dumps(error.body()), "application/problem+json", headers or None)
