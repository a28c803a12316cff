"""Health of containers: `healthy.py PORT` asks /healthz, `healthy.py --recent FILE*` wants a fresh file."""

import http.client
import sys
import time
from pathlib import Path

FRESH = 600  # seconds; beat writes its schedule every three minutes


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False


def recent(pattern: str) -> bool:
    path = Path(pattern)
    return any(time.time() - file.stat().st_mtime < FRESH for file in path.parent.glob(path.name))


if __name__ == "__main__":
    healthy = recent(sys.argv[2]) if sys.argv[1] == "--recent" else answers(int(sys.argv[1]))
    sys.exit(0 if healthy else 1)
