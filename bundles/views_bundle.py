"""The pages of one bundle: services, contracts, problems, declared tests, settings."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from billing.errors import ApiError
from billing.pages import page
from bundles import contract, hooks, origin, prompttest, store
from bundles.api_git import hook_url
from bundles.asked import author_of, bundle_of
from bundles.contract import Contract
from bundles.definitions import checks_of, contents_of, definition
from bundles.models import Bundle
from bundles.service import Service

LABELS = {attribute: field for field, attribute in contract.ATTRIBUTES.items()}


@dataclass(frozen=True, slots=True)
class Term:
    """One field of a contract as a page shows it."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A contract and the calls it applies to."""

    terms: tuple[Term, ...]
    calls: tuple[str, ...]

    @property
    def written(self) -> list[Term]:
        return [term for term in self.terms if term.source != "default"]

    @property
    def defaults(self) -> list[Term]:
        return [term for term in self.terms if term.source == "default"]


def frame(request: HttpRequest, bundle: Bundle, tab: str, **more: Any) -> dict[str, Any]:
    """What every page of a bundle needs."""
    return {
        "bundle": bundle,
        "revision": store.newest(bundle),
        "tab": tab,
        "may_write": author_of(request).who.may("write"),
    } | more


@require_safe
@page("read")
def detail(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    bundle = bundle_of(request, bundle_id)
    found = frame(request, bundle, "services")
    meaning = definition(found["revision"])
    flows = [(flow, meaning.organisms.get(flow.name)) for flow in bundle.flows.order_by("name")]
    more = {
        "services": meaning.services,
        "flows": flows,
        "prompts": meaning.prompts,
        "base_url": settings.BASE_URL,
    }
    return render(request, "bundles/detail.html", found | more)


@require_safe
@page("read")
def contracts(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    found = frame(request, bundle_of(request, bundle_id), "contracts")
    services = [(one, resolved(one)) for one in definition(found["revision"]).services]
    return render(request, "bundles/contracts.html", found | {"services": services})


def resolved(service: Service) -> list[Resolved]:
    """Every different contract of a service, with the endpoints, intents and goals that have it."""
    groups: list[tuple[Contract, list[str]]] = []
    pairs = [(one.contract, f"{one.method} {service.base_path}{one.path}") for one in service.endpoints]
    pairs += [(one.contract, f"intent {one.name}") for one in service.intents]
    pairs += [(one.contract, f"goal {one.name}") for one in service.goals]
    for own, call in pairs or [(service.contract, "nothing yet")]:
        calls = next((calls for known, calls in groups if known == own), None)
        if calls is None:
            groups.append((own, [call]))
        else:
            calls.append(call)
    return [Resolved(terms(own), tuple(calls)) for own, calls in groups]


def terms(own: Contract) -> tuple[Term, ...]:
    return tuple(
        Term(LABELS[name], value(name, getattr(own, name)), own.sources.get(name, "default"))
        for name in contract.DEFAULTS
    )


def value(name: str, raw: Any) -> str:
    """A value in the words of a bundle.yaml."""
    if raw is None:
        return "unlimited" if name == "cost_ceiling" else "as the account says"
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if name.endswith("_ms"):
        return duration(raw)
    return str(raw)


def duration(milliseconds: int) -> str:
    """The largest unit in which it is a whole number."""
    for size, unit in ((3_600_000, "h"), (60_000, "m"), (1000, "s")):
        if milliseconds >= size and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


@require_safe
@page("read")
def problems(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    return render(request, "bundles/problems.html", frame(request, bundle_of(request, bundle_id), "problems"))


@require_safe
@page("read")
def declared(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    found = frame(request, bundle_of(request, bundle_id), "tests")
    revision = found["revision"]
    tests = {
        "checks": checks_of(revision).checks,
        "prompt_tests": list(prompttest.declared(contents_of(revision))),
    }
    return render(request, "bundles/tests.html", found | tests)


@require_safe
@page("read")
def manage(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    bundle = bundle_of(request, bundle_id)
    found = frame(request, bundle, "settings")
    return render(request, "bundles/manage.html", found | {"hook_url": hook_url(bundle)})


@require_POST
@page("write", back="bundles:list")
def update(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    """Fetches at once: a person waits for one repository, at most its time limit."""
    bundle = bundle_of(request, bundle_id)
    try:
        origin.demand_fetch(bundle.tenant_id)
        done = origin.update(author_of(request), bundle)
    except ApiError as error:
        found = frame(request, bundle, "settings") | {"hook_url": hook_url(bundle), "error": error}
        return render(request, "bundles/manage.html", found, status=error.status)
    if done.revision.number == bundle.revision:
        messages.info(request, "Nothing new in the repository.")
    else:
        messages.success(request, f"Now at revision {done.revision.number}.")
    return redirect("bundles:manage", bundle.pk)


@require_POST
@page("write", back="bundles:list")
def hook(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    """Makes the secret and shows it, this once; or removes the webhook."""
    bundle, by = bundle_of(request, bundle_id), author_of(request)
    if "remove" in request.POST:
        hooks.remove(by, bundle)
        messages.success(request, "Pushes are no longer imported.")
        return redirect("bundles:manage", bundle.pk)
    secret = hooks.make(by, bundle, deploy="deploy" in request.POST)
    found = frame(request, bundle, "settings")
    return render(request, "bundles/manage.html", found | {"hook_url": hook_url(bundle), "secret": secret})


@require_POST
@page("write", back="bundles:list")
def delete(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    """Only with the name typed, because nothing brings a bundle back."""
    bundle = bundle_of(request, bundle_id)
    if request.POST.get("name", "").strip() != bundle.name:
        messages.error(request, f"Type the name “{bundle.name}” to delete the bundle. Nothing was deleted.")
        return redirect("bundles:manage", bundle.pk)
    store.delete(author_of(request), bundle)
    messages.success(request, f"“{bundle.name}” is deleted.")
    return redirect("bundles:list")
