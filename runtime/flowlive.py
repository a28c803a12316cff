"""The steps of flows for those who watch: each as it happens, as a line of the level "step"."""

import time
from typing import TYPE_CHECKING, Any

import orjson

from runtime.flowrecord import Step, Steps
from runtime.record import redact

if TYPE_CHECKING:
    from runtime.job import Job
    from runtime.logs import Publisher

_publisher: "list[Publisher]" = []


def publish_through(publisher: "Publisher") -> None:
    """Where this process tells watchers."""
    _publisher[:] = [publisher]


def attach(steps: Steps, job: "Job") -> None:
    """Tell the steps of a run. While nobody watches anything here it costs a look at an empty mapping."""
    if not _publisher or not _publisher[0].watched:
        return
    publisher, bundle = _publisher[0], job.bundle

    def tell(step: Step) -> None:
        if bundle.id in publisher.watched or job.id in publisher.watched:
            at = time.time_ns() // 1_000_000
            publisher.line(bundle.id, job.id, "step", line(step, bundle.masks), at, job.service, job.name)

    steps.tell = tell


def line(step: Step, masks: list[bytes]) -> str:
    """A step as JSON, small: what went in and out is cut."""
    shown: dict[str, Any] = {**step, "input": step["input"][:SHOWN], "output": step["output"][:SHOWN]}
    return redact(orjson.dumps(shown).decode(), masks)


SHOWN = 2_000
