"""The data directory: made private, holds the generated secret key and the path of the embedded Valkey's socket."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

SOCKET_LIMIT = 100  # bytes; a Unix socket path may hold 107


def prepare(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.resolve()


def secret_key(data_dir: Path) -> str:
    """The key of this installation, generated once; O_EXCL lets only one of two first starts win."""
    file = data_dir / "secret_key"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(handle, "w") as out:
        out.write(secrets.token_urlsafe(64))
    return file.read_text().strip()


def socket_path(data_dir: Path) -> Path:
    """Where the embedded Valkey listens; a long data path gets a short private directory instead."""
    direct = data_dir / "valkey.sock"
    if len(os.fsencode(direct)) < SOCKET_LIMIT:
        return direct
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return prepare(Path(tempfile.gettempdir()) / f"priostack-{os.getuid()}-{name}") / "valkey.sock"
