"""Every verb that changes a bundle, each in one transaction, called alike by page, REST and command line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from billing import secrets
from billing.errors import ApiError
from billing.live import touch
from billing.models import Tenant
from bundles import binaries, files, flowrows, limits, locks
from bundles.author import Author, Somebody, author
from bundles.definitions import contents_of
from bundles.draft import Contents, Draft, ProblemJson, draft, refusal
from bundles.models import Bundle, Revision

MAX_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; ``created`` tells a new bundle from a new revision of a known one."""

    bundle: Bundle
    revision: Revision
    problems: list[ProblemJson]
    created: bool


def import_files(
    somebody: Somebody,
    tenant: Tenant,
    contents: Contents,
    *,
    message: str = "",
    display_name: str | None = None,
    source: Mapping[str, Any] | None = None,
) -> Imported:
    """A new bundle or a new revision of the one of that name; 422 with every problem while errors stand."""
    by, found = author(somebody, tenant), draft(tenant, contents)
    if found.errors:
        raise refusal(found)
    with transaction.atomic():
        tenant = locks.tenant(tenant.pk)
        known = {"display_name": clean_name(display_name), "source": dict(source or {})}
        name = found.definition.name
        bundle, created = Bundle.objects.get_or_create(tenant=tenant, name=name, defaults=known)
        if not created:
            _update_head(bundle, **{name: value for name, value in known.items() if value})
        revision = add_revision(by, bundle, found, message=message or "Imported")
    return Imported(bundle, revision, found.json(), created)


def replace(
    somebody: Somebody, bundle: Bundle, contents: Contents, *, message: str, source: Mapping[str, Any]
) -> Imported:
    """Other files for this bundle, whatever name they give it; 422 while errors stand."""
    by, found = author(somebody, bundle.tenant), draft(bundle.tenant, contents)
    if found.errors:
        raise refusal(found)
    with transaction.atomic():
        locks.tenant(bundle.tenant_id)
        bundle.refresh_from_db()
        _update_head(bundle, source=dict(source))
        revision = unchanged(bundle, found) or add_revision(by, bundle, found, message=message)
    return Imported(bundle, revision, found.json(), created=False)


def clean_name(display_name: str | None) -> str:
    text = " ".join((display_name or "").split())
    if len(text) > 100 or not text.isprintable():
        raise ApiError(422, "A bundle's display name has at most 100 visible characters.")
    return text


def _update_head(bundle: Bundle, **known: Any) -> None:
    if "source" in known and "deploy" in bundle.source:
        known["source"] = {"deploy": bundle.source["deploy"]} | known["source"]
    Bundle.objects.filter(pk=bundle.pk).update(**known, updated=timezone.now())
    bundle.refresh_from_db()


def listed(found: Draft) -> dict[str, list[Any]]:
    return {path: list(entry) for path, entry in found.listing.items()}


def unchanged(bundle: Bundle, found: Draft) -> Revision | None:
    """The newest revision when it has these very files: an edit or update that changes nothing is none."""
    newest = bundle.revisions.filter(number=bundle.revision).first()
    return newest if newest is not None and newest.files == listed(found) else None


def add_revision(by: Author, bundle: Bundle, found: Draft, *, message: str) -> Revision:
    """The next revision; call it with the tenant locked.

    Of two writers that started from the same number one wins: the number is compared and set.
    """
    newest = bundle.revisions.filter(number=bundle.revision).first()
    before = limits.modules_in(newest.files) if newest else []
    limits.check_modules(bundle.tenant, limits.modules_in(found.listing), instead_of=before)
    limits.check_spare_files(bundle, newest.files if newest else {}, found.listing)
    _claim(bundle, found)
    _keep(found)
    bundle.refresh_from_db()
    message = " ".join(message.split())[:MAX_MESSAGE]
    detail = {"bundle": str(bundle.pk), "revision": bundle.revision, "message": message}
    by.record("bundle.revise", bundle.name, **detail)
    flowrows.sync(bundle, found.definition, found.contents)
    return Revision.objects.create(
        bundle=bundle,
        number=bundle.revision,
        files=listed(found),
        problems=found.json(),
        author=by.name[:200],
        message=message,
    )


def _claim(bundle: Bundle, found: Draft) -> None:
    """Take the next number and, when the files say so, the new name; 412 when somebody was faster."""
    head = {"revision": bundle.revision + 1, "updated": timezone.now()}
    if found.definition.name:
        head |= {"name": found.definition.name, "description": found.definition.description or ""}
    try:
        with transaction.atomic():
            mine = Bundle.objects.filter(pk=bundle.pk, revision=bundle.revision).update(**head)
    except IntegrityError:
        raise ApiError(409, f"Another bundle is named “{found.definition.name}”.") from None
    if mine != 1:
        raise stale(bundle.revision)


def stale(expected: int) -> ApiError:
    return ApiError(412, f"The bundle is no longer at revision {expected}; load it again.")


def _keep(found: Draft) -> None:
    """Store the contents; readers of a revision find them because the sweeper waits for this transaction."""
    locks.keep_blobs()
    for data in found.contents.values():
        files.put(data)
    for path, info in found.inspected.modules.items():
        binaries.keep(found.contents[path], info)


def all_newest(bundles: Iterable[Bundle]) -> dict[UUID, Revision]:
    """The newest revision of each bundle, by the bundle's id, in one query."""
    rows = Revision.objects.filter(bundle__in=list(bundles), number=F("bundle__revision"))
    return {revision.bundle_id: revision for revision in rows}


def newest(bundle: Bundle) -> Revision:
    return bundle.revisions.get(number=bundle.revision)


def revision_of(bundle: Bundle, number: int) -> Revision:
    found = bundle.revisions.filter(number=number).first()
    if found is None:
        raise ApiError(404, f"There is no revision {number}.")
    return found


def put_file(somebody: Somebody, bundle: Bundle, path: str, data: bytes, *, expected: int) -> Revision:
    """Store the raw bytes of one file in a new revision, with whatever problems they have."""
    changed = dict(contents_of(revision_at(bundle, expected))) | {path: data}
    return _edit(somebody, bundle, changed, expected=expected, message=f"Changed {path}")


def delete_file(somebody: Somebody, bundle: Bundle, path: str, *, expected: int) -> Revision:
    contents = dict(contents_of(revision_at(bundle, expected)))
    if path not in contents:
        raise ApiError(404, f"There is no file {path}.")
    del contents[path]
    return _edit(somebody, bundle, contents, expected=expected, message=f"Deleted {path}")


def revert(somebody: Somebody, bundle: Bundle, number: int, *, expected: int | None = None) -> Revision:
    """A new revision with the files of an old one; it does not matter after which, unless the caller says so."""
    old = contents_of(revision_of(bundle, number))
    return _edit(somebody, bundle, old, expected=expected, message=f"Reverted to revision {number}")


def revision_at(bundle: Bundle, expected: int) -> Revision:
    """The newest revision, when it is the one that the caller has seen."""
    current = Bundle.objects.filter(pk=bundle.pk).values_list("revision", flat=True).first()
    if current != expected:
        raise stale(expected)
    return revision_of(bundle, expected)


def edit_files(
    somebody: Somebody, bundle: Bundle, changes: Mapping[str, bytes | None], *, expected: int, message: str
) -> Revision:
    """Some files changed (None: deleted) in one new revision, with whatever problems they have."""
    contents = contents_of(revision_at(bundle, expected))
    kept = {path: data for path, data in {**contents, **changes}.items() if data is not None}
    return _edit(somebody, bundle, kept, expected=expected, message=message)


def _edit(
    somebody: Somebody, bundle: Bundle, contents: Contents, *, expected: int | None, message: str
) -> Revision:
    by, found = author(somebody, bundle.tenant), draft(bundle.tenant, contents)
    with transaction.atomic():
        locks.tenant(bundle.tenant_id)
        bundle.refresh_from_db()
        if expected is not None and bundle.revision != expected:
            raise stale(expected)
        return unchanged(bundle, found) or add_revision(by, bundle, found, message=message)


def delete(somebody: Somebody, bundle: Bundle) -> None:
    """Stop the bundle and remove it with its revisions and runs; contents nobody needs are swept later."""
    with transaction.atomic():
        locks.tenant(bundle.tenant_id)
        author(somebody, bundle.tenant).record("bundle.delete", bundle.name, bundle=str(bundle.pk))
        secrets.delete(bundle.tenant_id, f"git.{bundle.pk}")  # the token that bundles/origin.py kept
        flowrows.remove(bundle.flows.select_related("bundle"))
        touch(bundle.tenant_id)
        bundle.delete()
