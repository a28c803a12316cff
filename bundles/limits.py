"""The plan's limits on custom modules and on flows (MARKET I), checked in the transaction of the change."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from django.conf import settings
from django.db.models import F

from billing.errors import ApiError
from billing.models import Tenant
from bundles import files
from bundles.models import Bundle, Flow, Module, Revision

Listing = Mapping[str, tuple[str, int]]  # path -> SHA-256 and size, as a revision keeps it
RETRY_AFTER = "86400"  # nothing changes by itself; clients that insist come back tomorrow


@cache
def samples() -> frozenset[str]:
    """Modules that come with the platform; they do not count as the tenant's own."""
    return frozenset(files.digest(path.read_bytes()) for path in settings.BASE_DIR.glob("examples/**/*.wasm"))


def modules_of(tenant: Tenant) -> Counter[str]:
    """The contents of every module that the tenant keeps, in bundles and in its registry, and how often."""
    newest = Revision.objects.filter(bundle__tenant=tenant, number=F("bundle__revision"))
    kept = Counter(Module.objects.filter(tenant=tenant).values_list("binary_id", flat=True))
    for listing in newest.values_list("files", flat=True):
        kept.update(modules_in(listing))
    return kept


def modules_in(listing: Listing) -> list[str]:
    return [sha256 for path, (sha256, _) in listing.items() if path.endswith(".wasm")]


def check_modules(tenant: Tenant, added: Iterable[str], *, instead_of: Iterable[str] = ()) -> None:
    """429 when ``added`` contents would exceed the plan; call it with the tenant's row locked."""
    limit = tenant.plan.modules
    if limit is None:
        return
    kept = modules_of(tenant)
    before = set(kept) - samples()
    after = (set(kept - Counter(instead_of)) | set(added)) - samples()
    if len(after) > limit and (len(after) > len(before) or not set(added) <= before | samples()):
        raise ApiError(
            429,
            f"The plan “{tenant.plan.name}” includes {limit} custom WASM modules; this makes {len(after)}.",
            headers={"Retry-After": RETRY_AFTER},
        )


def spare_modules(tenant: Tenant) -> set[str]:
    """Contents beyond the plan, the newest: they stay, but nothing calls them (R40)."""
    limit = tenant.plan.modules
    if limit is None:
        return set()
    held = [(row.created, [row.binary_id]) for row in Module.objects.filter(tenant=tenant)]
    newest = Revision.objects.filter(bundle__tenant=tenant, number=F("bundle__revision"))
    held += [(row.bundle.created, modules_in(row.files)) for row in newest.select_related("bundle")]
    ordered = [
        content for _, contents in sorted(held, key=lambda one: one[0]) for content in sorted(contents)
    ]
    own = [content for content in dict.fromkeys(ordered) if content not in samples()]
    return set(own[limit:])


def spare_flows(tenant: Tenant) -> list[Flow]:
    """Flows beyond the plan, the newest: they can be read and deleted, not changed or started (R40)."""
    limit = tenant.plan.flows
    rows = Flow.objects.select_related("bundle__tenant").filter(bundle__tenant=tenant)
    return [] if limit is None else list(rows.order_by("created", "id")[limit:])


def check_spare(tenant: Tenant, flow: Flow) -> None:
    """429 when this flow is one that the plan has no room for."""
    if flow in spare_flows(tenant):
        raise ApiError(
            429,
            f"“{flow.name}” is more than the {tenant.plan.flows} flows of the plan “{tenant.plan.name}”: "
            "it can be read and deleted.",
            headers={"Retry-After": RETRY_AFTER},
        )


def check_spare_files(bundle: Bundle, before: Listing, after: Listing) -> None:
    """The same for a new revision: the files of such flows may go, not change."""
    tenant = bundle.tenant
    if tenant.plan.flows is None:
        return
    for flow in Flow.objects.filter(bundle=bundle):
        if flow.path in before and flow.path in after and before[flow.path][0] != after[flow.path][0]:
            check_spare(tenant, flow)


def check_flows(tenant: Tenant, more: int) -> None:
    """429 when ``more`` flows would exceed the plan; call it with the tenant's row locked."""
    limit = tenant.plan.flows
    if limit is None or more <= 0:
        return
    count = Flow.objects.filter(bundle__tenant=tenant).count() + more
    if count > limit:
        raise ApiError(
            429,
            f"The plan “{tenant.plan.name}” includes {limit} flow{'' if limit == 1 else 's'}; this makes {count}.",
            headers={"Retry-After": RETRY_AFTER},
        )
