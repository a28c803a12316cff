"""What stands before every REST operation: who asks, with which permission, and did the browser mean it."""

from typing import Any

from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from billing.access import Principal, principal
from billing.errors import ApiError

SCOPES = ("read", "call", "write", "admin", "owner")


class Asked(HttpRequest):
    """A request that came through a door; annotate an operation's first parameter with it."""

    who: Principal


class Door(AuthBase):
    """``router.get(path, auth=Door("read"))``; the operation then finds a Principal in ``request.who``.

    A cookie travels with requests that other sites make, so a session must also show its CSRF token for
    whatever changes something; a key is sent on purpose and needs none.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: str) -> None:
        if scope not in SCOPES:
            raise ValueError(f"no such scope: {scope}")
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Any:
        who = principal(request)
        if who is None:
            raise nobody(request)
        if who.key_id is None and check_csrf(request) is not None:
            raise ApiError(403, "The CSRF token is missing or wrong; send it as X-CSRFToken.")
        if not who.may(self.scope):
            raise ApiError(403, f"This needs the “{self.scope}” permission.")
        request.who = who  # type: ignore[attr-defined]
        return who


def nobody(request: HttpRequest) -> ApiError:
    """401 for strangers; somebody who is signed in but belongs nowhere is told so."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and "authorization" not in request.headers:
        return ApiError(403, "You belong to no tenant yet; found one at /settings/found.")
    how = "Send an API key as “Authorization: Bearer …”, or sign in."
    return ApiError(401, how, headers={"WWW-Authenticate": "Bearer"})


class Anybody(AuthBase):
    """An operation that strangers may use, said on purpose; ``request.who`` may be falsy."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Any:
        return True


class Shut(Anybody):
    """What the API falls back to, so that an operation that forgot its door lets nobody in."""

    def __call__(self, request: HttpRequest) -> Any:
        raise ApiError(403, "This operation declares no permission.")
