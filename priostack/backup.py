"""The whole installation in one archive: rows, stored files, what bundles keep in Redis."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from billing import memory
from billing.seal import key_name
from priostack import rows

FORMAT = 1
MEMORY = "tenant:*"


def backup(path: Path) -> dict[str, int]:
    """Write the archive, readable by its owner only; how many rows, files and keys it holds.

    It appears under its name when it is whole, never half.
    """
    partial = path.with_name(path.name + ".partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as out, ZipFile(out, "w", ZIP_DEFLATED) as archive:
            counts = fill(archive)
        os.chmod(partial, 0o600)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return counts


def fill(archive: ZipFile) -> dict[str, int]:
    # Rows first: a content that arrives meanwhile is one too many, never one too few.
    with rows.one_moment():
        about = {"format": FORMAT, "taken": timezone.now().isoformat(), "migrations": rows.migrations()}
        archive.writestr("about.json", json.dumps(about | {"key": key_name(settings.SECRET_KEY)}, indent=1))
        kept = sum(fill_rows(archive))
    stored = sum(fill_file(archive, name) for name in walk(""))
    return {"rows": kept, "files": stored, "keys": fill_memory(archive)}


def fill_rows(archive: ZipFile) -> Iterator[int]:
    for model in rows.tables():
        with archive.open(f"rows/{model._meta.label_lower}.jsonl", "w", force_zip64=True) as file:
            for line in rows.dump(model):
                file.write(line)
                yield 1


def fill_file(archive: ZipFile, name: str) -> int:
    try:
        source = default_storage.open(name, "rb")
    except FileNotFoundError:  # swept since it was listed
        return 0
    with source, archive.open(f"files/{name}", "w", force_zip64=True) as out:
        shutil.copyfileobj(source, out)
    return 1


def fill_memory(archive: ZipFile) -> int:
    count = 0
    with archive.open("memory.jsonl", "w", force_zip64=True) as file:
        for entry in memory.dump(MEMORY):
            rows.write_json(file, entry)
            count += 1
    return count


def walk(folder: str) -> Iterator[str]:
    """Names of everything in the default storage, whatever kind it is."""
    if folder and not default_storage.exists(folder):
        return
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored
        return
    prefix = f"{folder}/" if folder else ""
    for name in names:
        yield prefix + name
    for name in folders:
        yield from walk(prefix + name)
