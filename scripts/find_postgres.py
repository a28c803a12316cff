"""Prints the folder of PostgreSQL's server programs, installing them when root; else exits with 1."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/lib/postgresql*/bin",
    "opt/homebrew/opt/postgresql*/bin",
)


def find() -> Path | None:
    told = os.environ.get("PRIOSTACK_TEST_POSTGRES_BIN")
    return Path(told) if told else installed() or from_apt()


def installed() -> Path | None:
    """The newest; Debian keeps server programs off PATH, one folder for each version."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = [bin_ for place in PLACES for bin_ in Path("/").glob(place) if (bin_ / "initdb").exists()]
    return max(found, key=version, default=None)


def version(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder))
    return int(numbers[0]) if numbers else 0


def from_apt() -> Path | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    print("› no PostgreSQL found, installing the package postgresql", file=sys.stderr, flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=env, check=False, stdout=sys.stderr)
    argv = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"]
    subprocess.run(argv, env=env, check=False, stdout=sys.stderr)
    return installed()


if __name__ == "__main__":
    folder = find()
    if folder is None:
        print("› NO POSTGRESQL: its tests are skipped. Install the package postgresql.", file=sys.stderr)
        sys.exit(1)
    print(folder)
