"""Finding what a request is about: a bundle or a module of the asking tenant, a revision, an If-Match."""

import re
from uuid import UUID

from django.http import HttpRequest

from billing import access, audit
from billing.errors import ApiError
from bundles.author import Author
from bundles.models import Bundle, Module

TAG = re.compile(r'\s*(?:W/)?"?([0-9]{1,9})"?\s*')
ANY = "*"


def author_of(request: HttpRequest) -> Author:
    """The author of a change; the door or the page has let the request in."""
    who = access.principal(request)
    if who is None:
        raise ApiError(401)
    return Author(who, audit.address(request))


def uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ApiError(404) from None


def bundle_of(request: HttpRequest, bundle_id: str | UUID) -> Bundle:
    """The tenant's bundle; what belongs to others is as absent as what never was."""
    mine = Bundle.objects.select_related("tenant__plan").filter(tenant_id=author_of(request).who.tenant_id)
    found = mine.filter(pk=uuid(str(bundle_id))).first()
    if found is None:
        raise ApiError(404)
    return found


def module_of(request: HttpRequest, module_id: str | UUID) -> Module:
    mine = Module.objects.select_related("tenant", "binary").filter(
        tenant_id=author_of(request).who.tenant_id
    )
    found = mine.filter(pk=uuid(str(module_id))).first()
    if found is None:
        raise ApiError(404)
    return found


def expected(request: HttpRequest, bundle: Bundle) -> int:
    """The revision that If-Match names; 428 without one, 412 when it is no revision at all."""
    header = request.headers.get("if-match")
    if header is None:
        raise ApiError(428, "Send If-Match with the bundle's revision, which the ETag of a GET tells.")
    if header.strip() == ANY:  # whatever it is at: asked for in so many words
        return bundle.revision
    named = [int(found[1]) for found in map(TAG.fullmatch, header.split(",")) if found]
    if not named:
        raise ApiError(412, f"If-Match does not name a revision; the bundle is at {bundle.revision}.")
    return bundle.revision if bundle.revision in named else named[0]


def etag(bundle: Bundle) -> str:
    return f'"{bundle.revision}"'
