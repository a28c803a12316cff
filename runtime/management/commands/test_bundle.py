"""`manage.py test_bundle BUNDLE_OR_PATH --tenant T [--json]`: the declared tests of a bundle, stored or on disk."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from billing.models import Tenant
from bundles import checks as declared
from bundles.archive import ArchiveRefused, read_zip
from bundles.folder import read_folder
from bundles.models import Bundle
from bundles.store import newest
from runtime import promptchecks
from runtime.checks import CheckResult, of_live, run_checks
from runtime.unstored import live_of


class Command(BaseCommand):
    help = "Run the tests that a bundle declares; exit code 1 when one fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "bundle", help="a bundle's name or id, or a folder or ZIP file that is not imported"
        )
        parser.add_argument("--tenant", required=True, help="the tenant's name")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        try:
            results = tested(tenant, options["bundle"])
        except RedisError:
            raise CommandError(
                "Redis does not answer: tests keep their state there. Start PrioStack first."
            ) from None
        failed = sum(not one.passed for one in results)
        if options["json"]:
            counts = {"passed": len(results) - failed, "failed": failed}
            self.stdout.write(json.dumps({"items": [asdict(one) for one in results], **counts}, default=str))
        else:
            self.tell(results, failed)
        if failed:
            raise SystemExit(1)

    def tell(self, results: list[CheckResult], failed: int) -> None:
        for one in results:
            self.stdout.write(
                f"{'ok  ' if one.passed else 'FAIL'} {one.file}:{one.line} {printable(one.name)}"
            )
            for reason in one.reasons:
                self.stdout.write(f"     {printable(reason)}")
        self.stdout.write(f"{len(results) - failed} passed, {failed} failed")


def tested(tenant: Tenant, source: str) -> list[CheckResult]:
    """A path that exists is read as it is; anything else names a bundle of the tenant."""
    path = Path(source)
    if path.exists():
        return of_path(tenant, path)
    bundle = stored(tenant, source)
    if bundle is None:
        raise CommandError(f"The tenant has no bundle {source!r}, and there is no such folder or file.")
    revision = newest(bundle)
    return run_checks(bundle, revision) + promptchecks.of_revision(revision)


def stored(tenant: Tenant, source: str) -> Bundle | None:
    mine = Bundle.objects.select_related("tenant").filter(tenant=tenant)
    try:
        return mine.filter(pk=UUID(source)).first()
    except ValueError:
        return mine.filter(name=source).first()


def of_path(tenant: Tenant, path: Path) -> list[CheckResult]:
    """Nothing is stored: neither the bundle nor its modules."""
    try:
        files = read_folder(path) if path.is_dir() else read_zip(path.read_bytes())
    except ArchiveRefused as refused:
        raise CommandError(str(refused)) from None
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}") from None
    live = live_of(tenant, files)
    errors = [one for one in live.definition.problems if one.severity == "error"]
    if errors:
        lines = "\n".join(f"{one.file}:{one.line}:{one.column}: {one.message}" for one in errors)
        raise CommandError(printable(lines))
    found = declared.read(files, live.definition.services)
    return async_to_sync(of_live)(live, found.checks) + promptchecks.of_files(files)


def printable(text: str) -> str:
    """Text of strangers without what a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
