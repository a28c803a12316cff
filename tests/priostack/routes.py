"""Every route of the platform, found by asking the code, with one of Alice's objects put into each address."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.urls import URLPattern, get_resolver
from django.utils import timezone

from billing import secrets, variables, wallet
from billing.access import Principal
from billing.door import Anybody
from billing.ids import uuid7
from billing.models import Invitation, Membership
from bundles.author import Author
from bundles.models import Binary, Module
from bundles.store import import_files
from market import reservations
from market.models import Reservation
from market.reservations import Wanted
from priostack.api import api
from runtime import flowstore
from runtime.flowexamples import BLANK
from runtime.models import Execution
from tests.bundles.samples import shop
from tests.runtime.prompting import hello

PARAMETER = re.compile(r"[{<](?:\w+:)?(\w+)[}>]")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    scope: str  # empty: anybody

    @property
    def has_object(self) -> bool:
        return bool(PARAMETER.search(self.path))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations() -> list[Operation]:
    return list(_operations())


def _operations() -> Iterator[Operation]:
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                door = operation.auth_callbacks[0]
                scope = "" if isinstance(door, Anybody) else door.scope
                yield from (Operation(method, f"/api{path}", scope) for method in operation.methods)


def pages() -> list[str]:
    """Routes of our own pages; the admin and allauth's have rules of their own."""
    return [path for path in _pages(get_resolver().url_patterns, "/") if not is_rest(path)]


def is_rest(path: str) -> bool:
    """Below /api/ there is one page: where people approve what waits."""
    return path.startswith("/api/") and "/resume/" not in path


def _pages(patterns, prefix: str) -> Iterator[str]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith(("/admin/", "/accounts/")):
            continue
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from _pages(pattern.url_patterns, path)


def belongings(person) -> dict[str, str]:
    """One object of each kind that addresses name; a new kind of parameter must be added here."""
    files = shop() | {"prompts/hello.prmd": hello()}
    bundle = import_files("test", person.tenant, files).bundle
    module = Module.objects.create(tenant=person.tenant, name="echo", binary=Binary.objects.get())
    run = Execution.objects.create(
        id=uuid7(), tenant=person.tenant, bundle=bundle, revision=1, target="wasm:shop:echo", trigger="api",
        status="success", created=timezone.now(),
    )  # fmt: skip
    invitation = Invitation.objects.create(
        tenant=person.tenant, email="dora@example.org", digest=uuid4().hex * 2
    )
    secrets.put(person.tenant, "STRIPE", b"v", [])
    variables.put(person.tenant, "LIMIT", 3)
    maker = Principal(
        person.tenant.pk, person.tenant.slug, person.email, frozenset({"write"}), person.user.pk
    )
    flow = flowstore.create(Author(maker), name="greet", text=BLANK.format(name="greet"))
    return {
        "flow.id": str(flow.pk),
        "flows.id": str(flow.pk),
        "flow_id": str(flow.pk),
        "{uuidstr:flow_id}.name": "incoming",
        "vars.name": "LIMIT",
        "bundle_id": str(bundle.pk),
        "bundles.id": str(bundle.pk),
        "executions.id": str(run.pk),
        "reservations.id": str(reserved(person).pk),
        "runs.id": str(run.pk),
        "module_id": str(module.pk),
        "key_id": str(person.key.pk),
        "member_id": str(Membership.objects.get(user=person.user).pk),
        "invitation_id": str(invitation.pk),
        "name": "STRIPE",
        "path": "bundle.yaml",
        "number": "1",
        "sensor": "closing",
        "service": "shopService",
        "endpoint": "list",
        "prompt": "hello",
    }


def reserved(person) -> Reservation:
    wallet.grant(person.tenant.pk, 10, key=f"test:{uuid4()}", note="for a test")
    start = timezone.now() + timedelta(hours=1)
    return reservations.make(person.tenant.pk, Wanted(start, start + timedelta(minutes=10), 2))


ABSENT = {
    "member_id": "999999",
    "invitation_id": "999999",
    "name": "ABSENT",
    "path": "bundle.yaml",
    "number": "1",
}
FREE = {
    "token": "ps_made-up",
    "page": "no-such-page",
    "job_id": str(uuid4()),
    "sensor": "closing",
    "service": "shopService",
    "endpoint": "list",
    "prompt": "hello",
    "key": "count",
    "execution": str(uuid4()),
}


def address(path: str, objects: dict[str, str]) -> str:
    """``path`` with the objects in it; KeyError names a parameter that ``belongings`` does not know."""

    def fill(found: re.Match[str]) -> str:
        name = found.group(1)
        place = f"{path[: found.start()].rstrip('/').rsplit('/', 1)[1]}.{name}"
        known = FREE | objects
        return known[place] if place in known else known[name]

    return PARAMETER.sub(fill, path)


def absent() -> dict[str, str]:
    """The same kinds of objects, but nobody's."""
    ids = (
        "flow.id",
        "flows.id",
        "flow_id",
        "bundle_id",
        "bundles.id",
        "executions.id",
        "reservations.id",
        "runs.id",
        "module_id",
        "key_id",
    )
    return {name: str(uuid4()) for name in ids} | ABSENT
