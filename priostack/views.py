"""Pages of the project itself: landing, docs, health and errors."""

import sys

from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import is_valid_path
from redis.exceptions import RedisError

from billing.errors import ApiError
from billing.redis import redis
from priostack import docs as documentation
from priostack.middleware import AWAY, away

HABIT = {
    "/login": "account_login",
    "/signin": "account_login",
    "/signup": "account_signup",
    "/logout": "account_logout",
}


def landing(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("dashboard")
    return render(request, "landing.html")


def docs(request: HttpRequest, page: str = "index") -> HttpResponse:
    found = documentation.page(page)
    if found is None:
        raise Http404
    before, after = documentation.neighbours(page)
    shown = {"page": found, "contents": documentation.CONTENTS, "before": before, "after": after}
    return render(request, "docs.html", shown)


def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """503 while the database or Redis does not answer; names of tenants or hosts are not told."""
    try:
        with connection.cursor() as cursor:  # a connection may be held that nobody answers at any more
            cursor.execute("SELECT 1")
        redis().ping()
    except (InterfaceError, OperationalError):
        return JsonResponse({"status": "the database does not answer"}, status=503)
    except (RedisError, OSError):
        return JsonResponse({"status": "redis does not answer"}, status=503)
    return JsonResponse({"status": "ok"})


def error(request: HttpRequest, status: int) -> HttpResponse:
    """A page for people; what Django refuses of REST before the API sees it is problem+json like the rest."""
    if request.path.startswith("/api/"):
        body = ApiError(status).body()
        return JsonResponse(body, status=status, content_type="application/problem+json")
    return render(request, f"{status}.html", status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page's address with a stroke too many at its end leads to the page, and what people type by habit."""
    if request.method == "GET" and request.path in HABIT:
        return redirect(HABIT[request.path])
    page = request.path.rstrip("/")
    if request.method == "GET" and request.path == f"/{page[1:]}/" and is_valid_path(page):
        return redirect(f"{page}?{query}" if (query := request.META["QUERY_STRING"]) else page)
    return error(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Also what fails before a view is reached, such as a session that cannot be read."""
    return away(request) if isinstance(sys.exception(), AWAY) else error(request, 500)
