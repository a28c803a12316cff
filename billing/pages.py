"""What stands before every page: sign in, belong to a tenant, have the permission; refusals as pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect

from billing.access import principal
from billing.door import SCOPES
from billing.errors import ApiError

View = Callable[..., HttpResponseBase]


def page(scope: str, *, back: str = "dashboard") -> Callable[[View], View]:
    """``@page("write", back="bundles:list")``; the view finds a Principal in ``request.who``.

    An ApiError becomes the 404 or 403 page, else a message on the page named ``back`` (a toast for htmx).
    """
    if scope not in SCOPES:
        raise ValueError(f"no such scope: {scope}")

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to(request, redirect_to_login(request.get_full_path()))
            who = principal(request)
            if who is None or who.user_id is None:
                return to(request, redirect("billing:found"))
            if not who.may(scope):
                raise PermissionDenied
            request.who = who  # type: ignore[attr-defined]
            try:
                return view(request, *args, **kwargs)
            except ApiError as refused:
                return refusal(request, refused, back)

        return guarded

    return guard


def to(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    """htmx would swap the target of a redirect into the page; it is told to go there instead."""
    if request.headers.get("hx-request") != "true":
        return answer
    return HttpResponse(status=204, headers={"HX-Redirect": answer.headers["Location"]})


def refusal(request: HttpRequest, refused: ApiError, back: str) -> HttpResponseBase:
    if refused.status == 404:
        raise Http404 from refused
    if refused.status in {401, 403}:
        raise PermissionDenied from refused
    if request.headers.get("hx-request") == "true":
        return JsonResponse(refused.body(), status=refused.status, content_type="application/problem+json")
    messages.error(request, refused.detail or refused.title)
    return redirect(back)
