"""The platform's REST API: a router for each subject, and one place that turns exceptions into problem+json."""

import json
import logging
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from redis.exceptions import RedisError

from billing.api import router as billing_router
from billing.door import Shut
from billing.errors import ApiError
from bundles.api import router as bundles_router
from market.api import router as market_router
from runtime.api import router as runtime_router


class Objects(Parser):
    """Every JSON body of ours is an object; of anything else Ninja would take all fields for left out."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        body: Any = json.loads(request.body, object_pairs_hook=once)
        if not isinstance(body, dict):
            raise TypeError("not an object")
        return body


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values for one key, readers take now the first and now the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise TwiceError(f"the key {twice[:60]!r} is written twice")
    return found


class TwiceError(ValueError):
    """A key of an object is written twice."""


log = logging.getLogger(__name__)
api = NinjaAPI(
    parser=Objects(),
    title="PrioStack",
    version="1",
    docs_url="/docs",
    urls_namespace="api",
    auth=Shut(),  # an operation that forgot its door lets nobody in
    description="Authorization: Bearer KEY, or a signed-in session with its CSRF token.",
)
api.add_router("", billing_router)
api.add_router("", bundles_router)
api.add_router("", market_router)
api.add_router("", runtime_router)


def problem(error: ApiError) -> HttpResponse:
    response = HttpResponse(
        json.dumps(error.body()), status=error.status, content_type="application/problem+json"
    )
    for name, value in error.headers.items():
        response[name] = value
    return response


@api.exception_handler(ApiError)
def refused(request: HttpRequest, error: ApiError) -> HttpResponse:
    return problem(error)


@api.exception_handler(Http404)
def absent(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(ApiError(404))


@api.exception_handler(HttpError)
def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Ninja's own refusals, which are those of a body."""
    told = "The body is not a JSON object." if error.status_code == 400 else str(error)
    return problem(ApiError(error.status_code, told, errors=why(error.__cause__)))


def why(cause: BaseException | None) -> list[dict[str, Any]]:
    if isinstance(cause, json.JSONDecodeError):
        return [{"line": cause.lineno, "column": cause.colno, "message": cause.msg, "hint": ""}]
    return [{"message": str(cause), "hint": ""}] if isinstance(cause, TwiceError) else []


@api.exception_handler(RedisError)
@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def away(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("%s is answered 503: %s", request.path, error)
    text = "A store of the platform does not answer at the moment."
    return problem(ApiError(503, text, headers={"Retry-After": "1"}))


@api.exception_handler(ObjectDoesNotExist)
def gone(request: HttpRequest, error: ObjectDoesNotExist) -> HttpResponse:
    """Somebody deleted it while this request was at work on it; what it did is rolled back."""
    log.warning("%s is answered 404: %s", request.path, error)
    return problem(ApiError(404, detail="It was deleted in the meantime."))


@api.exception_handler(IntegrityError)
def crossed(request: HttpRequest, error: IntegrityError) -> HttpResponse:
    """Two changes that do not go together, such as a new trigger of a flow that is being deleted."""
    log.warning("%s is answered 409: %s", request.path, error)
    return problem(ApiError(409, detail="Somebody else changed it at the same moment; look again."))


@api.exception_handler(DataError)
def impossible(request: HttpRequest, error: DataError) -> HttpResponse:
    """What no column can hold, such as a NUL in a search."""
    return problem(ApiError(422, "A value cannot be stored or searched for."))


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problem(
        ApiError(422, "The request does not have the expected form.", errors=map(place, error.errors))
    )


def place(found: dict[str, Any]) -> dict[str, str]:
    # pydantic's own "input" and "ctx" would echo what was sent, secrets included
    where = ".".join(str(part) for part in found.get("loc", ())[1:])
    return {"message": f"{where}: {found.get('msg', 'invalid')}", "hint": ""}
