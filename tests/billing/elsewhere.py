"""Other processes on the database of a test, for what must hold between several."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent


def database() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite://{found['NAME']}"
    return f"postgresql://{found['USER']}@/{found['NAME']}?host={quote(found['HOST'], safe='')}&pool=20"


def processes(count: int, script: str, **values: Any) -> list[Any]:
    """What each of ``count`` processes printed last, as JSON; they begin together, with ``values`` as globals."""
    head = "import json, sys; import django; django.setup(); globals().update(json.loads(sys.argv[1]))\n"
    wait = "print('ready', flush=True); sys.stdin.readline()\n"
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "priostack.settings",
        "DATABASE_URL": database(),
        "REDIS_URL": settings.REDIS_URL,
        "PRIOSTACK_DATA_DIR": str(settings.DATA_DIR),
    }
    argv = [sys.executable, "-c", head + wait + script, json.dumps(values, default=str)]
    running = [
        subprocess.Popen(argv, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    try:
        for one in running:
            assert one.stdout
            assert one.stdout.readline() == "ready\n"
        for one in running:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        return [json.loads(one.communicate(timeout=120)[0].splitlines()[-1]) for one in running]
    finally:
        for one in running:
            one.kill()
