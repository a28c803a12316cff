"""What the pages of this floor share: fragments that are also pages of their own, for browsers without JavaScript."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def htmx(request: HttpRequest) -> bool:
    return request.headers.get("hx-request") == "true"


def fragment(request: HttpRequest, template: str, shown: dict[str, Any], title: str) -> HttpResponse:
    """The template alone for htmx, within a whole page for everybody else."""
    if htmx(request):
        return render(request, template, shown)
    return render(request, "runtime/fragment.html", shown | {"template": template, "title": title})


def live(request: HttpRequest, template: str, shown: dict[str, Any]) -> HttpResponse:
    """A part that asks for itself again and again; 204, which htmx leaves alone, while nothing has changed.

    So a poll never takes away what somebody reads, selects or has the focus in.
    """
    parts = shown | {"seen": "", "csrf_token": "-"}  # the token looks different each time
    seen = hashlib.sha256(render_to_string(template, parts, request).encode()).hexdigest()[:16]
    if htmx(request) and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return render(request, template, shown | {"seen": seen})
