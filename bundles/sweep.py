"""Removes contents and compiled modules that no revision and no registry entry needs any more."""

from django.db import transaction

from bundles import files, locks
from bundles.models import Binary, Bundle, Module, Revision


@transaction.atomic
def sweep() -> int:
    """How many contents went. Writers wait meanwhile, so nothing that is just arriving is lost."""
    locks.sweep_blobs()
    needed = _needed()
    Binary.objects.exclude(pk__in=needed).delete()
    lost = [sha256 for sha256 in files.stored() if sha256 not in needed]
    for sha256 in lost:
        files.delete(sha256)
    return len(lost)


def _needed() -> set[str]:
    needed = set(Module.objects.values_list("binary_id", flat=True))
    for running in Bundle.objects.values_list("live_modules", flat=True):
        needed.update(running.values())
    for listing in Revision.objects.values_list("files", flat=True).iterator():
        needed.update(sha256 for sha256, _ in listing.values())
    return needed
