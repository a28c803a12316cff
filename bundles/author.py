"""Who makes a change, as the revision and the audit log remember it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from billing import access, audit
from billing.access import Principal
from billing.models import Tenant


@dataclass(frozen=True, slots=True)
class Author:
    """A principal and where it asked from."""

    who: Principal
    address: str = ""

    @property
    def name(self) -> str:
        return self.who.actor

    def record(self, action: str, target: str, **detail: Any) -> None:
        audit.write(self.who, action, target, self.address, **detail)


Somebody = Author | Principal | str


def of_request(request: HttpRequest, scope: str) -> Author:
    """The asking author, when allowed to (billing.access.require)."""
    return Author(access.require(request, scope), audit.address(request))


def author(somebody: Somebody, tenant: Tenant) -> Author:
    """An Author from what a caller has; a text names a process of ours, such as a command or a hook."""
    if isinstance(somebody, Author):
        return somebody
    if isinstance(somebody, Principal):
        return Author(somebody)
    return Author(Principal(tenant.pk, tenant.slug, somebody, frozenset()))
