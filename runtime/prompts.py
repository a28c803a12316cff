"""The prompts of running bundles: prepared when their bundle is loaded, found by their id, called as jobs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from billing.errors import ApiError
from bundles.bundle import Definition
from bundles.definitions import contents_of
from bundles.definitions import definition as definition_of
from bundles.endpoints import Endpoint
from bundles.models import Revision
from bundles.promptcheck import check
from bundles.promptcompile import Prepared, prepare
from bundles.promptfiles import spent
from bundles.promptlint import MAX_PROMPTS, MAX_WORK
from bundles.promptparams import Parameter
from bundles.routes import Match
from bundles.service import Service
from bundles.target import Target
from runtime import ask
from runtime.interceptors.chain import Chain
from runtime.interceptors.made import Source, chain
from runtime.job import Job

if TYPE_CHECKING:
    from runtime.live import Live, LiveBundle

SERVICE = "prompt"  # under which the history has what was called by a prompt's own doors
KEPT = 64
Found = tuple["LiveBundle", "LivePrompt"]


@dataclass(frozen=True, slots=True)
class LivePrompt:
    """One prompt of a running bundle. ``endpoint`` is its own door; ``chain`` what its interceptors make around it."""

    id: str
    name: str
    description: str
    file: str
    parameters: tuple[Parameter, ...]
    prepared: Prepared
    settings: Mapping[str, Any]  # the rest of its front matter: provider, model, form, sse …
    endpoint: Endpoint
    chain: Chain | None = None

    @property
    def fault(self) -> str:
        """Why it cannot be called; empty when it can."""
        wrong = next((one for one in self.prepared.problems if one.severity == "error"), None)
        return f"{wrong.file}:{wrong.line}: {wrong.message}" if wrong else ""

    def match(self, bundle: "LiveBundle") -> Match:
        """As if its door were an endpoint."""
        return Match(self.endpoint, {}, service_of(self.endpoint), bundle)


def service_of(endpoint: Endpoint) -> Service:
    return Service(SERVICE, "", endpoint.file, "", "key", (), (endpoint,), (), (), endpoint.contract)


def ready(revision: Revision, definition: Definition, source: Source | None) -> dict[str, LivePrompt]:
    """All prompts of a revision, also those with errors, which say so when they are called. Blocking.

    Without a source they are only looked at: their interceptors are named, but not made.
    """
    if not definition.prompts:
        return {}
    found = _prepared(revision.pk)
    return {name: made(name, one, definition, source) for name, one in found.items()}


@lru_cache(maxsize=KEPT)
def _prepared(pk: UUID) -> dict[str, Prepared]:
    """Once in each process: revisions never change, and nothing of a rendering stays in it.

    Those that the import did not check, because there are too many or too large ones, are not served.
    """
    revision = Revision.objects.get(pk=pk)
    files = contents_of(revision)
    made: dict[str, Prepared] = {}
    work = 0
    for name, path in list(definition_of(revision).prompts.items())[:MAX_PROMPTS]:
        if work <= MAX_WORK:
            before = spent.work
            made[name] = one = prepare(files, path)
            work += len(one.text.content) + sum(map(len, one.text.contexts))
            work += spent.work - before
    return made


def made(name: str, one: Prepared, definition: Definition, source: Source | None) -> LivePrompt:
    head = one.prompt
    endpoint = Endpoint(
        service=SERVICE,
        name=name,
        method="POST",
        path=f"/prompts/{name}",
        to=Target("prompt", name),
        description=head.description,
        auth="key",
        goal=None,
        contract=definition.contract,
        file=head.file,
        line=1,
        interceptors=definition.prompt_interceptors.get(name, ()),
    )
    around = chain(endpoint, source) if endpoint.interceptors and source is not None else None
    unique = {parameter.name: parameter for parameter in reversed(one.parameters)}
    parameters = tuple(reversed(unique.values()))
    return LivePrompt(
        name, head.name or name, head.description, head.file, parameters, one, head.settings, endpoint, around
    )


def of_all(bundles: Iterable["LiveBundle"]) -> dict[str, Found]:
    """By id; when bundles share one, that of the bundle which the tenant has had for longest."""
    ordered = sorted(bundles, key=lambda bundle: bundle.id, reverse=True)  # ids begin with the time
    return {prompt.id: (bundle, prompt) for bundle in ordered for prompt in bundle.prompts.values()}


def find(tenant: "Live", id: str) -> Found | None:
    """The prompt that this id means among the running bundles of a tenant."""
    return tenant.prompts.get(id)


def checked(prompt: LivePrompt, given: Any, *, texts: bool = False) -> dict[str, Any]:
    """What the prompt may be rendered with; ApiError 422 with every problem."""
    if not isinstance(given, dict):
        raise ApiError(422, "The body must be an object with the parameters of the prompt.")
    result = check(prompt.parameters, given, texts=texts)
    if result.errors:
        raise ApiError(422, UNFIT, errors=result.errors)
    return result.values


UNFIT = "The parameters do not fit the prompt."


def make_job(
    bundle: "LiveBundle",
    prompt: LivePrompt,
    values: Mapping[str, Any],
    *,
    trigger: str = "api",
    caller: str = "",
    **options: Any,
) -> Job:
    """A call of the prompt, for ``waist.call``. Options: ``dry`` (compiled only), ``format`` of what is compiled."""
    endpoint = prompt.endpoint
    job = Job(bundle, endpoint.service, endpoint.name, endpoint.to, endpoint.contract, b"", trigger)
    job.caller = caller
    told = {"method": "PROMPT", "path": endpoint.path, "params": {}, "query": {}, "headers": {}}
    job.request = ask.request(
        {**told, "prompt": options}, dict(values), tenant=bundle.tenant, execution=job.id
    )
    return job
