"""`manage.py import PATH_OR_URL --tenant T [--run] [--json]`: a folder, a ZIP or a Git repository."""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import tables
from billing.errors import ApiError
from billing.models import Tenant
from bundles import deploy, origin, store
from bundles.archive import ArchiveRefused, read_zip
from bundles.draft import ProblemJson, unacceptable
from bundles.folder import read_folder
from bundles.models import Bundle, Status
from bundles.origin import Repository
from bundles.store import Imported

AUTHOR = "command line"


class Command(BaseCommand):
    help = "Import a bundle from a folder, a ZIP file or a Git repository."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="folder, ZIP file, or https:// address of a Git repository")
        parser.add_argument("--tenant", required=True, help="the tenant's name")
        parser.add_argument("--branch", help="branch of the repository")
        parser.add_argument("--name", help="name shown to people")
        parser.add_argument("--run", action="store_true", help="run the bundle afterwards")
        parser.add_argument("--wait", type=float, default=10, help="seconds to wait until it runs (10)")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        tables.ensure()
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        try:
            done = bring(tenant, options)
            if options["run"]:
                deploy.ask_run(AUTHOR, done.bundle)
                settled(done.bundle, options["wait"])
        except ApiError as refused:
            self.refuse(refused, as_json=options["json"])
        else:
            self.tell(done, as_json=options["json"])

    def tell(self, done: Imported, *, as_json: bool) -> None:
        bundle = done.bundle
        if as_json:
            known = {"id": str(bundle.pk), "name": bundle.name, "revision": bundle.revision}
            self.stdout.write(json.dumps(known | {"status": bundle.status, "problems": done.problems}))
            return
        for problem in done.problems:
            self.stdout.write(line(problem))
        self.stdout.write(f"{bundle.name}: revision {bundle.revision}, {bundle.status}")

    def refuse(self, refused: ApiError, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(refused.body()))
        else:
            for problem in refused.errors:
                self.stderr.write(line(problem))
        raise CommandError(printable(refused.detail))


def bring(tenant: Tenant, options: dict[str, Any]) -> Imported:
    source, name = options["source"], options["name"]
    if "://" in source:
        return origin.import_git(AUTHOR, tenant, Repository(source, options["branch"]), display_name=name)
    path = Path(source)
    try:
        files = read_folder(path) if path.is_dir() else read_zip(path.read_bytes())
    except ArchiveRefused as refused:
        raise unacceptable(refused) from None
    except OSError as problem:
        raise CommandError(f"{source}: {problem.strerror}") from None
    return store.import_files(AUTHOR, tenant, files, message=f"Imported from {path.name}", display_name=name)


def settled(bundle: Bundle, seconds: float) -> None:
    """Until a worker has started it, or found that it cannot."""
    end = time.monotonic() + seconds
    bundle.refresh_from_db()
    while bundle.status == Status.STARTING and time.monotonic() < end:
        time.sleep(0.05)
        bundle.refresh_from_db()


def line(problem: ProblemJson) -> str:
    place = f"{problem['file']}:{problem['line']}:{problem['column']}"
    hint = f" ({problem['hint']})" if problem["hint"] else ""
    return printable(f"{place}: {problem['severity']}: {problem['message']}{hint}")


def printable(text: str) -> str:
    """Text of strangers without what a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
