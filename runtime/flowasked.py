"""Finding the flow that a request is about; what belongs to others is as absent as what never was."""

from uuid import UUID

from django.http import HttpRequest

from billing.errors import ApiError
from bundles.asked import author_of
from bundles.models import Flow


def flow_of(request: HttpRequest, id: UUID) -> Flow:
    mine = Flow.objects.select_related("bundle__tenant__plan")
    found = mine.filter(pk=id, bundle__tenant_id=author_of(request).who.tenant_id).first()
    if found is None:
        raise ApiError(404)
    return found
