"""Runs every check, also after one failed, and ends with the worst exit code."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PACKAGES = ("billing", "bundles", "market", "runtime", "priostack", "scripts", "manage.py")


def checks() -> dict[str, list[str]]:
    python = [sys.executable, "-m"]
    templates = [str(path) for path in sorted((ROOT / "templates").rglob("*.html"))]
    return {
        "ruff check": [*python, "ruff", "check", "."],
        "ruff format": [*python, "ruff", "format", "--check", "."],
        "mypy": [*python, "mypy", "--strict", *PACKAGES],
        "djhtml": [*python, "djhtml", "--check", "--tabwidth", "2", *templates],
        "tsc": ["npx", "--no-install", "tsc", "--noEmit"],
    }


def main() -> int:
    from scripts.prepare import node_path

    env = {**os.environ, "PATH": node_path()}
    failed = []
    for name, argv in checks().items():
        print(f"› {name}", flush=True)
        if subprocess.run(argv, cwd=ROOT, env=env, check=False).returncode:
            failed.append(name)
    print(f"Lint failed: {', '.join(failed)}" if failed else "Lint: all clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
