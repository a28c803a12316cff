"""/metrics, for Prometheus with the token of the settings, or for an operator who is signed in."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST

from billing.access import bearer
from runtime import exposition


def metrics(request: HttpRequest) -> HttpResponse:
    if not allowed(request):
        raise Http404  # strangers are not told that there is anything
    return HttpResponse(exposition.page(), content_type=CONTENT_TYPE_LATEST)


def allowed(request: HttpRequest) -> bool:
    """The token in the Authorization header or as ?token=; without one in the settings only operators."""
    sent = bearer(request.headers.get("authorization", "")) or request.GET.get("token", "")
    if settings.METRICS_TOKEN and sent and constant_time_compare(sent, settings.METRICS_TOKEN):
        return True
    return bool(request.user.is_authenticated and request.user.is_active and request.user.is_superuser)
