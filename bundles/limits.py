"""The plan's limits on custom modules and on flows (MARKET I), checked in the transaction of the change."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from django.conf import settings
from django.db.models import F

from billing.errors import ApiError
from billing.models import Tenant
from bundles import files
from bundles.models import Flow, Module, Revision

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
    if len(after) > max(limit, len(before)):
        raise ApiError(
            429,
            f"The plan “{tenant.plan.name}” includes {limit} custom WASM modules; this makes {len(after)}.",
            headers={"Retry-After": RETRY_AFTER},
        )


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
