"""Contents by SHA-256 in Django's default storage: written once, never overwritten, checked when read."""

import hashlib
from collections.abc import Iterator

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

FOLDER = "blobs"


class Damaged(Exception):
    """A stored content is absent or is not what was stored."""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def name_of(sha256: str) -> str:
    return f"{FOLDER}/{sha256[:2]}/{sha256}"


def put(data: bytes) -> str:
    """Store a content unless it is there already; its SHA-256."""
    sha256 = digest(data)
    name = name_of(sha256)
    if not default_storage.exists(name):
        written = default_storage.save(name, ContentFile(data))
        if written != name:  # somebody stored the same content in between, so the storage chose another name
            default_storage.delete(written)
    return sha256


def get(sha256: str, size: int | None = None) -> bytes:
    """A stored content; Damaged when it is gone, or when its length or its digest is wrong."""
    try:
        with default_storage.open(name_of(sha256), "rb") as file:
            data: bytes = file.read()
    except FileNotFoundError:
        raise Damaged(f"the content {sha256[:12]} is not in the storage") from None
    if (size is not None and len(data) != size) or digest(data) != sha256:
        raise Damaged(f"the content {sha256[:12]} in the storage was changed")
    return data


def delete(sha256: str) -> None:
    default_storage.delete(name_of(sha256))


def stored() -> Iterator[str]:
    """The SHA-256 of everything in the storage."""
    if not default_storage.exists(FOLDER):
        return
    for prefix in default_storage.listdir(FOLDER)[0]:
        yield from default_storage.listdir(f"{FOLDER}/{prefix}")[1]
