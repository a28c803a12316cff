"""`POST /webhooks/git/{bundle}`: where Git servers tell of a push."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.errors import ApiError
from bundles import hooks
from bundles.models import Bundle


@csrf_exempt  # no cookie counts here, the signature does
@require_POST
def git_hook(request: HttpRequest, bundle_id: UUID) -> HttpResponse:
    try:
        return JsonResponse({"status": _received(request, bundle_id)}, status=202)
    except ApiError as refused:
        return JsonResponse(refused.body(), status=refused.status, content_type="application/problem+json")


def _received(request: HttpRequest, bundle_id: UUID) -> hooks.Outcome:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > hooks.MAX_BODY:
        raise ApiError(413)
    bundle = Bundle.objects.select_related("tenant").filter(pk=bundle_id).first()
    return hooks.receive(bundle, request.headers, request.body)
