"""/api/bundles/{id}/interceptors: what wraps the calls of a bundle, in figures."""

from typing import Any
from uuid import UUID

from django.utils.timezone import now
from ninja import Router

from billing.door import Asked, Door
from runtime import bundle_verbs as verbs
from runtime import interceptorfigures

router = Router(tags=["bundles"])


@router.get("/bundles/{uuid:id}/interceptors", auth=Door("read"))
def interceptors(request: Asked, id: UUID) -> dict[str, Any]:
    """Each interceptor's executions, average time, errors and success rate; the dashboard; the sandbox's slot pool."""
    return interceptorfigures.of_bundle(verbs.bundle_of(request.who, id), now())
