"""Runs all tests: first those that need no browser again on PostgreSQL, then everything on SQLite."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
LINE = "─" * 72


def found(script: str) -> str:
    """What a find_*.py printed; it says loudly on stderr when there is nothing."""
    argv = [sys.executable, str(ROOT / "scripts" / script)]
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def pytest(*args: str, **env: str) -> int:
    argv = [sys.executable, "-m", "pytest", *args]
    return subprocess.run(argv, cwd=ROOT, env={**os.environ, **env}, check=False).returncode


def on_postgres(programs: str, args: list[str]) -> int:
    from scripts.postgres import server

    print(f"{LINE}\nOn PostgreSQL ({programs})", flush=True)
    with server(Path(programs)) as url:
        return pytest(
            "-m", "not e2e and not slow", *args, DATABASE_URL=url, PRIOSTACK_TEST_POSTGRES_BIN=programs
        )


def main(args: list[str]) -> int:
    chromium, programs = found("find_chromium.py"), found("find_postgres.py")
    first = on_postgres(programs, args) if programs else 0
    print(f"{LINE}\nOn SQLite, with browser and processes", flush=True)
    second = pytest(*args, PRIOSTACK_TEST_CHROMIUM=chromium, PRIOSTACK_TEST_POSTGRES_BIN=programs)
    print(
        f"PostgreSQL: {verdict(first) if programs else 'SKIPPED, not installed'} · SQLite: {verdict(second)}"
    )
    return first or second


def verdict(code: int) -> str:
    return "ok" if code == 0 else f"FAILED (exit {code})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
