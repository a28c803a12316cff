"""Puts who is asking on the request, resolved only when somebody looks."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from billing.access import principal


class CurrentTenant:
    """Sets ``request.who``: a Principal, or a falsy object for strangers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.who = SimpleLazyObject(lambda: principal(request))  # type: ignore[attr-defined]
        return self.get_response(request)
