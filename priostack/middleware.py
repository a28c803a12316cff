"""Correlation ids, a content security policy that allows our own files only, and refusals in the form that fits."""

import contextvars
import json
import logging
import re
import sys
from collections.abc import Callable

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import is_valid_path
from redis.exceptions import RedisError

from billing.errors import ApiError
from billing.ids import uuid7

correlation: contextvars.ContextVar[str] = contextvars.ContextVar("correlation", default="")
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
AWAY = (RedisError, OperationalError, InterfaceError)  # no answer, no room, or locked for too long
log = logging.getLogger(__name__)
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


class ApiMethods:
    """HEAD is GET without the body, OPTIONS names the methods; another one is refused with a problem, not a page."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        if request.path_info.endswith("/") and not is_valid_path(request.path_info):
            request.path_info = request.path_info[:-1]  # a stroke too many is no other address
        asked = request.method
        if asked == "HEAD":
            request.method = "GET"
        response = self.get_response(request)
        request.method = asked
        if response.status_code == 405:
            return refused(response, asked)
        return bodiless(response) if asked == "HEAD" else response


def refused(response: HttpResponse, asked: str | None) -> HttpResponse:
    methods = {one.strip() for one in response.get("Allow", "").split(",")}
    methods |= {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    response["Allow"] = allow = ", ".join(sorted(methods))
    if asked == "OPTIONS":
        response.status_code, response.content = 204, b""
        del response["Content-Type"]
        return response
    response.content = json.dumps(ApiError(405, detail=f"This address answers {allow}.").body()).encode()
    response["Content-Type"] = "application/problem+json"
    return response


def bodiless(response: HttpResponse) -> HttpResponse:
    if response.streaming:  # a log that goes on for ever is not even begun
        response.close()
        return HttpResponse(headers=response.headers)
    response["Content-Length"] = str(len(response.content))
    response.content = b""
    return response


class StoreAway:
    """Pages that need Redis or the database, signing in among them, say 503 while these do not answer.

    Whoever opens an address that only takes forms gets a page as well, where the framework's answer is empty.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and request.method == "GET" and not request.path.startswith("/api/"):
            response.content = render(request, "405.html").content
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, ObjectDoesNotExist):  # somebody deleted it while we were at work on it
            log.warning("%s is answered 404: %s", request.path, exception)
            return render(request, "404.html", status=404)
        if isinstance(exception, DataError):  # what no column can hold, such as a NUL in a search
            return render(request, "400.html", status=400)
        return away(request) if isinstance(exception, AWAY) else None


def away(request: HttpRequest) -> HttpResponse:
    """The page knows nobody: who is asking stands in the database, which may be what does not answer."""
    log.warning("%s is answered 503: %s", request.path, sys.exception())
    body: str | bytes = render_to_string("503.html")
    kind = "text/html"
    if request.path.startswith("/api/"):
        told = ApiError(503, "A store of the platform does not answer at the moment.")
        body, kind = json.dumps(told.body()).encode(), "application/problem+json"
    return HttpResponse(body, status=503, content_type=kind, headers={"Retry-After": "1"})
