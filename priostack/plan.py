"""What the supervisor shall run, as plain data: children, the address that proves readiness, the banner."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Child:
    """One process; ``once`` ends by itself, ``last`` is stopped after all others, ``delay`` is in seconds."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    once: bool = False
    last: bool = False
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The banner is printed when ``ready`` (host:port/path) answers; it may quote the JSON file ``facts``."""

    children: tuple[Child, ...]
    ready: str = ""
    banner: str = ""
    facts: str = ""
    lock: str = ""
    grace: float = 10.0

    def dump(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def load(path: Path) -> Plan:
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    children = tuple(Child(**{**child, "argv": tuple(child["argv"])}) for child in raw.pop("children"))
    return Plan(children=children, **raw)
