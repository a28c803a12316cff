"""Runs all tests: on PostgreSQL what uses a database, then browser and processes, then everything else on SQLite."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
LINE = "─" * 72
QUICK = "not e2e and not slow"
NO_TESTS = 5  # pytest's exit code when -k leaves nothing of a pass
PARALLEL = ("-n", "2")


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
            "-m",
            QUICK,
            "--database",
            *PARALLEL,
            *args,
            DATABASE_URL=url,
            PRIOSTACK_TEST_POSTGRES_BIN=programs,
        )


def main(args: list[str]) -> int:
    """Four passes; a browser keeps an event loop of its own, so its tests have a process of their own."""
    chromium, programs = found("find_chromium.py"), found("find_postgres.py")
    env = {"PRIOSTACK_TEST_CHROMIUM": chromium, "PRIOSTACK_TEST_POSTGRES_BIN": programs}
    codes = {"PostgreSQL": on_postgres(programs, args)} if programs else {}
    print(f"{LINE}\nIn a browser, and with whole processes", flush=True)
    codes["browser"] = pytest("-m", "e2e", *args, **env)
    codes["processes"] = pytest("-m", "slow", *args, **env)
    print(f"{LINE}\nOn SQLite", flush=True)
    codes["SQLite"] = pytest("-m", QUICK, *PARALLEL, *args, **env)
    print(" · ".join(f"{name}: {verdict(code)}" for name, code in codes.items()))
    if not programs:
        print("PostgreSQL: SKIPPED, it is not installed and cannot be fetched here")
    return max((code for code in codes.values() if code != NO_TESTS), default=0)


def verdict(code: int) -> str:
    return "ok" if code in (0, NO_TESTS) else f"FAILED (exit {code})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
