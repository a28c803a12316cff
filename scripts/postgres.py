"""A PostgreSQL server for the time of a test run, in a directory of its own, on a Unix socket."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Yields a DATABASE_URL; the server and all its data are gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="priostack-pg-"))
    who = owner()
    if who:
        shutil.chown(home, who)
    data = home / "data"
    initdb = [programs / "initdb", "-D", data, "-U", "priostack", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run([*as_user(who), *map(str, initdb)], check=True, stdout=subprocess.DEVNULL, cwd=home)
    options = " ".join(["-c listen_addresses=''", f"-k {home}", *(f"-c {o}" for o in FAST)])
    control = [*as_user(who), str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(home / "log")]
    subprocess.run([*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd=home)
    try:
        yield f"postgresql://priostack@/postgres?host={quote(str(home), safe='')}"
    finally:
        subprocess.run(
            [*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL, cwd=home
        )
        shutil.rmtree(home, ignore_errors=True)


def owner() -> str:
    """PostgreSQL refuses to run as root; then it runs as the first of these that exists."""
    if os.geteuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def as_user(name: str) -> list[str]:
    if not name:
        return []
    if shutil.which("setpriv"):
        return ["setpriv", f"--reuid={name}", f"--regid={pwd.getpwnam(name).pw_gid}", "--clear-groups"]
    return ["su", name, "-s", "/bin/sh", "-c", 'exec "$0" "$@"', "--"]
