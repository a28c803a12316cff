"""Git: `/api/bundles/git`, `/{id}/update`, and `/{id}/hook` for push webhooks."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Schema, Status

from billing.access import tenant_of
from billing.door import Door
from billing.exact import Exact
from bundles import hooks, origin
from bundles.api_bundles import IMPORTED, answer
from bundles.asked import author_of, bundle_of
from bundles.models import Bundle
from bundles.origin import Repository
from bundles.shapes import BundleOut, NewRepository, bundle_json

router = Router(tags=["git"])


class HookIn(Exact):
    deploy: bool = False


class HookOut(Schema):
    url: str
    secret: str
    deploy: bool


@router.post("/bundles/git", auth=Door("write"), response=IMPORTED)
def import_git(request: HttpRequest, body: NewRepository) -> Status[Any]:
    """Import the tip of a branch; the answer comes when it is done."""
    by = author_of(request)
    origin.demand_fetch(by.who.tenant_id)
    repository = Repository(body.url, body.branch, body.token)
    return answer(origin.import_git(by, tenant_of(by.who), repository, display_name=body.name))


@router.post("/bundles/{bundle_id}/update", auth=Door("write"), response=BundleOut)
def update_from_git(request: HttpRequest, bundle_id: str) -> dict[str, Any]:
    """The newest commit as a new revision; nothing changes when there is none."""
    by, bundle = author_of(request), bundle_of(request, bundle_id)
    origin.demand_fetch(by.who.tenant_id)
    done = origin.update(by, bundle)
    return bundle_json(done.bundle, done.revision)


@router.put("/bundles/{bundle_id}/hook", auth=Door("write"), response=HookOut)
def make_hook(request: HttpRequest, bundle_id: str, body: HookIn) -> dict[str, Any]:
    """A new secret for push webhooks, shown only in this answer; `deploy` also runs what was pushed."""
    bundle = bundle_of(request, bundle_id)
    secret = hooks.make(author_of(request), bundle, deploy=body.deploy)
    return {"url": hook_url(bundle), "secret": secret, "deploy": body.deploy}


def hook_url(bundle: Bundle) -> str:
    return str(settings.BASE_URL) + reverse("bundles:hook", args=[bundle.pk])


@router.delete("/bundles/{bundle_id}/hook", auth=Door("write"), response={204: None})
def remove_hook(request: HttpRequest, bundle_id: str) -> Status[None]:
    hooks.remove(author_of(request), bundle_of(request, bundle_id))
    return Status(204, None)
