"""Names of hosts that a secret may be sent to: `api.example.com`, or `*.example.com` for all under it."""

import re
from collections.abc import Iterable

LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
MOST = 20


def normal(text: str) -> str:
    """The one spelling of a host; ValueError says what is wrong with it."""
    host = text.strip().lower().rstrip(".")
    bare = host.removeprefix("*.")
    try:
        bare.encode("ascii")
    except UnicodeEncodeError:
        raise ValueError(f"“{text}”: write international names as xn--…") from None
    labels = bare.split(".")
    if len(bare) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"“{text}” is not a host name, such as api.example.com or *.example.com")
    if host != bare and len(labels) < 2:
        raise ValueError(f"“{text}” is too wide")
    return host


def normal_all(texts: Iterable[str]) -> list[str]:
    found = sorted({normal(text) for text in texts})
    if len(found) > MOST:
        raise ValueError(f"at most {MOST} hosts")
    return found


def covers(hosts: Iterable[str], host: str) -> bool:
    """Whether a secret bound to ``hosts`` may go to ``host``."""
    name = host.lower().rstrip(".")
    return any(name == own or (own.startswith("*.") and name.endswith(own[1:])) for own in hosts)
