"""Tenants that their plan keeps loaded are loaded before anybody calls: after a start no first call of theirs waits."""

import logging
from typing import TYPE_CHECKING

from django.db import DatabaseError

from bundles.models import Bundle, Status
from runtime.reading import read

if TYPE_CHECKING:
    from runtime.live import Tenants

MOST = 100  # tenants: those that changed last
log = logging.getLogger(__name__)


async def warm(tenants: "Tenants") -> None:
    """One after the other, so that those who call meanwhile are not held up."""
    try:
        for slug in await read(wanted):
            if slug not in tenants.known and (live := await tenants.load(slug)) is not None:
                for flow_id in live.flows:
                    tenants.remember(flow_id, slug)
    except (DatabaseError, OSError) as problem:
        log.warning("tenants are loaded by their first calls, for now: %s", problem)


def wanted() -> list[str]:
    """Slugs; blocking."""
    running = Bundle.objects.filter(live_revision__isnull=False, tenant__plan__keep_alive=True)
    slugs = running.exclude(status=Status.STOPPED).order_by("-updated").values_list("tenant__slug", flat=True)
    return list(dict.fromkeys(slugs[: 10 * MOST]))[:MOST]
