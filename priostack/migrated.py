"""Whether the database is at the newest migration, answered in a millisecond without loading Django."""

import hashlib
import sqlite3
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
APPS = ("billing", "bundles", "market", "runtime")


def ours() -> set[tuple[str, str]]:
    return {(app, file.stem) for app in APPS for file in (ROOT / app / "migrations").glob("[0-9]*.py")}


def libraries() -> str:
    """Changes when a library does: its migrations may have grown."""
    return hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()


def applied(database: Path) -> set[tuple[str, str]]:
    if not database.exists():
        return set()
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return set(connection.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.Error:
        return set()
    finally:
        connection.close()


def already(settings: ModuleType) -> bool:
    """Only SQLite is judged here; a server elsewhere is left to `migrate`, which asks it."""
    if not settings.SQLITE:
        return False
    stamp = settings.DATA_DIR / "migrated"
    known = stamp.exists() and stamp.read_text() == libraries()
    return known and ours() <= applied(Path(settings.DATABASES["default"]["NAME"]))


def note(settings: ModuleType) -> None:
    (settings.DATA_DIR / "migrated").write_text(libraries())
