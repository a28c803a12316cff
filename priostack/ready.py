"""Waits until the server answers, then prints where it is and how to sign in."""

import http.client
import json
import re
import sys
import threading
from pathlib import Path
from string import Template

from priostack.plan import Plan

EVERY = 0.05  # seconds


def answers(address: str) -> bool:
    """Whether ``host:port/path`` gives any answer that is not a server error."""
    where, _, path = address.partition("/")
    connection = http.client.HTTPConnection(where, timeout=2)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def told(plan: Plan) -> str:
    """The banner with what ``facts`` knows; lines that ask for something unknown are left out."""
    try:
        facts = json.loads(Path(plan.facts).read_text(encoding="utf-8")) if plan.facts else {}
    except (OSError, ValueError):
        facts = {}
    lines = []
    for line in plan.banner.splitlines():
        try:
            lines.append(Template(line).substitute(facts))
        except KeyError:
            continue
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


class Events:
    """What the loop and the announcer tell each other."""

    def __init__(self) -> None:
        self.ready = threading.Event()  # the server answered
        self.settled = threading.Event()  # nothing that runs only once still runs
        self.done = threading.Event()  # the end has begun


def announce(plan: Plan, events: Events) -> None:
    """Sets ``ready`` at the first answer; the banner also waits for the demo, well or badly ended."""
    while plan.ready and not answers(plan.ready):
        if events.done.wait(EVERY):
            return
    events.ready.set()
    events.settled.wait()
    if plan.banner and not events.done.is_set():
        sys.stdout.write(f"\n{told(plan)}\n\n")
        sys.stdout.flush()
