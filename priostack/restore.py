"""Bringing an installation back from an archive of ``backup``."""

import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from billing import memory
from billing.redis import redis
from billing.seal import knows_key
from priostack import rows
from priostack.backup import FORMAT, MEMORY


class CannotRestore(Exception):
    """Why, in words for the operator; nothing was changed."""


def restore(path: Path, *, force: bool = False) -> dict[str, Any]:
    """Replace all rows, files and memory by the archive's; how many, and whether secrets can be read."""
    try:
        with ZipFile(path) as archive:
            about = check(archive, force=force)
            with transaction.atomic():
                rows.clear()
                kept = sum(load_rows(archive, model._meta.label_lower) for model in rows.tables())
                rows.renumber()
                stored = sum(
                    load_file(archive, name) for name in archive.namelist() if name.startswith("files/")
                )
            keys = load_memory(archive)
    except BadZipFile as wrong:
        raise CannotRestore(f"{path} is not a whole archive: {wrong}") from None
    return {"rows": kept, "files": stored, "keys": keys, "secrets_readable": knows_key(about["key"])}


def check(archive: ZipFile, *, force: bool) -> dict[str, Any]:
    """What the archive says of itself; CannotRestore unless it fits here."""
    try:
        about: dict[str, Any] = json.loads(archive.read("about.json"))
    except (KeyError, ValueError):
        raise CannotRestore("This is not a backup of PrioStack.") from None
    if about.get("format") != FORMAT:
        raise CannotRestore("The backup has a format that this version does not know.")
    if about["migrations"] != rows.migrations():
        raise CannotRestore("The backup is of another version: restore it with that one, then upgrade.")
    if not force and not rows.is_empty():
        raise CannotRestore("This installation is not empty; --force replaces everything in it.")
    for name in archive.namelist():
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise CannotRestore(f"The archive holds a name that leads outside: {name}")
    damaged = archive.testzip()
    if damaged:
        raise CannotRestore(f"The archive is damaged: {damaged}")
    return about


def load_rows(archive: ZipFile, label: str) -> int:
    name = f"rows/{label}.jsonl"
    if name not in archive.namelist():
        return 0
    with archive.open(name) as lines:
        return rows.load(lines)


def load_file(archive: ZipFile, entry: str) -> int:
    name = entry.removeprefix("files/")
    default_storage.delete(name)
    with archive.open(entry) as source:
        default_storage.save(name, File(source, name=name))
    return 1


def load_memory(archive: ZipFile) -> int:
    client = redis()
    for key in client.scan_iter(match=MEMORY, count=1000):
        client.unlink(key)
    with archive.open("memory.jsonl") as lines:
        return memory.load(json.loads(line) for line in lines)
