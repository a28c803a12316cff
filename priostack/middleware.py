"""Correlation ids, a content security policy that allows our own files only, and refusals in the form that fits."""

import contextvars
import json
import re
from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis.exceptions import RedisError

from billing.errors import ApiError
from billing.ids import uuid7

correlation: contextvars.ContextVar[str] = contextvars.ContextVar("correlation", default="")
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
View = Callable[[HttpRequest], HttpResponse]


class Correlation:
    """Takes the caller's X-Request-Id when it is sane, else makes one; logs and the answer carry it."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("x-request-id", "")
        chosen = given if SANE.fullmatch(given) else uuid7().hex
        token = correlation.set(chosen)
        try:
            response = self.get_response(request)
        finally:
            correlation.reset(token)
        response["X-Request-Id"] = chosen
        return response


class ContentSecurityPolicy:
    """Pages hold no inline scripts or styles; Django's admin and the API's docs page need some of their own."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault(
            "Cache-Control", "no-store" if not request.path.startswith("/static/") else ""
        )
        return response


class ApiRefusals:
    """The API's framework refuses an unknown method with a page; our callers expect a problem document."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or not request.path.startswith("/api/"):
            return response
        text = f"This address answers {response.get('Allow', 'other methods')}."
        response.content = json.dumps(ApiError(405, detail=text).body()).encode()
        response["Content-Type"] = "application/problem+json"
        return response


class StoreAway:
    """Pages that need Redis, signing in among them, say 503 while it does not answer."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DataError):  # what no column can hold, such as a NUL in a search
            return render(request, "400.html", status=400)
        if not isinstance(exception, RedisError):
            return None
        response = render(request, "503.html", status=503)
        response["Retry-After"] = "1"
        return response
