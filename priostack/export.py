"""Everything of one tenant as a ZIP: its rows, the contents they name, its memory; no secret's value, no key's hash."""

import io
import json
from collections.abc import Iterator
from typing import IO
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from django.core import serializers
from django.db.models import BinaryField, Model, QuerySet
from django.utils import timezone

from billing import memory, statement
from billing.belongings import rows_of
from billing.models import Membership, Tenant
from bundles import files
from bundles.models import Module, Revision

HIDDEN = {"digest"}  # beside every binary field: sealed values
README = """This is everything PrioStack keeps of the tenant {slug}, taken {now}.

rows/*.jsonl    its rows, one JSON object a line, a file for each table
blobs/…         contents of bundles and modules by SHA-256, as rows/bundles.revision.jsonl and
                rows/bundles.module.jsonl name them
memory.jsonl    what its bundles keep in their key-value stores
wallet.csv      the statement of its wallet
members.json    addresses and roles of its members

Values of secrets and tokens of API keys are not in here; nobody can read them.
"""


def export(tenant_id: UUID, out: IO[bytes]) -> None:
    tenant = Tenant.objects.get(pk=tenant_id)
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(slug=tenant.slug, now=timezone.now().isoformat()))
        for model, rows in rows_of(tenant_id):
            with archive.open(f"rows/{model._meta.label_lower}.jsonl", "w", force_zip64=True) as file:
                write_rows(file, model, rows)
        for sha256 in sorted(blobs(tenant_id)):
            archive.writestr(f"blobs/{sha256}", files.get(sha256))
        with archive.open("memory.jsonl", "w", force_zip64=True) as file:
            for entry in memory.dump(f"tenant:{tenant_id}:*"):
                file.write(json.dumps(entry).encode() + b"\n")
        with archive.open("wallet.csv", "w", force_zip64=True) as file:
            for line in statement.as_csv(tenant_id):
                file.write(line.encode())
        archive.writestr("members.json", json.dumps(members(tenant_id), indent=1))


def write_rows(file: IO[bytes], model: type[Model], rows: QuerySet[Model]) -> None:
    shown = [f.name for f in model._meta.fields if not isinstance(f, BinaryField) and f.name not in HIDDEN]
    stream = io.TextIOWrapper(file, "utf-8", write_through=True)
    ordered = rows.order_by("pk").iterator(chunk_size=500)
    serializers.serialize("jsonl", ordered, stream=stream, fields=shown)
    stream.flush()
    stream.detach()


def blobs(tenant_id: UUID) -> set[str]:
    """Every content that a revision or a registry entry of the tenant names."""
    return {
        *named(tenant_id),
        *Module.objects.filter(tenant_id=tenant_id).values_list("binary_id", flat=True),
    }


def named(tenant_id: UUID) -> Iterator[str]:
    for listing in (
        Revision.objects.filter(bundle__tenant_id=tenant_id).values_list("files", flat=True).iterator()
    ):
        yield from (sha256 for sha256, _ in listing.values())


def members(tenant_id: UUID) -> list[dict[str, str]]:
    rows = Membership.objects.filter(tenant_id=tenant_id).select_related("user")
    return [{"email": row.user.email, "role": row.role} for row in rows]
