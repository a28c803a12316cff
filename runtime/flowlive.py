"""The steps of flows for those who watch: each as it happens, as a line of the level "step"."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from runtime.flowrecord import Step, Steps
from runtime.record import redact

if TYPE_CHECKING:
    from runtime.job import Job
    from runtime.logs import Publisher

_publisher: "list[Publisher]" = []
_going: "dict[str, tuple[Job, Steps]]" = {}  # runs that wait for something, by their ids


def publish_through(publisher: "Publisher") -> None:
    """Where this process tells watchers."""
    _publisher[:] = [publisher]
    publisher.joined = tell_earlier


@contextmanager
def joinable(job: "Job", steps: Steps) -> "Iterator[None]":
    """While this run goes on, who comes later to watch it learns of its earlier steps too."""
    _going[job.id] = job, steps
    try:
        yield
    finally:
        _going.pop(job.id, None)


def tell_earlier(run: str) -> None:
    """All steps of a run so far, to those who watch that run; readers leave out what they know."""
    job, steps = _going.get(run, (None, None))
    if job is None or steps is None or not _publisher:
        return
    if steps.tell is None:
        attach(steps, job)
    buffer = _publisher[0].watched.get(run)
    if buffer is None:
        return
    now_ms, now_us = time.time_ns() // 1_000_000, (time.perf_counter_ns() - steps.base) // 1000
    for step in steps.kept:
        at = now_ms - max(0, now_us - step["at_us"] - step["duration_us"]) // 1000
        buffer.add((at, "step", job.service, job.name, job.id, line(step, job.bundle.masks)))


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
