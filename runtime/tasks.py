"""Celery's part: it wakes; each task reads from the database what there is to do and may be repeated."""

import logging
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.bootsteps import StartStopStep
from django.conf import settings
from django.utils import timezone

from billing import collector
from billing.tidy import tidy
from market.leader import Driver
from runtime import deploy, executions, futures, goals, guests, metering, schedules, signals
from runtime.models import Execution
from runtime.worker import Worker

SWITCH_S = (
    0.0005  # the market's leader answers messages beside threads that compute: it must not wait 5 ms for each
)
log = logging.getLogger(__name__)


@shared_task(name="runtime.start")
def start(bundle_id: str) -> None:
    deploy.start(UUID(bundle_id))


@shared_task(name="runtime.compile")
def compile_binary(sha256: str) -> None:
    guests.compile_binary(sha256)


@shared_task(name="runtime.reap")
def reap() -> None:
    """Runs of dead workers, and jobs whose message was lost."""
    now = timezone.now()
    executions.reap(now)
    deploy.resume(now)


@shared_task(name="runtime.schedules")
def run_schedules() -> None:
    schedules.tick(timezone.now())


@shared_task(name="runtime.futures")
def reserve_for_schedules() -> None:
    futures.reserve(timezone.now())


@shared_task(name="runtime.goals")
def evaluate_goals() -> None:
    goals.evaluate(timezone.now())


@shared_task(name="runtime.expire")
def expire() -> None:
    """Forget runs older than the retention setting, a batch at a time so that nobody waits for the lock."""
    limit = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    while True:
        old = list(Execution.objects.filter(completed__lt=limit).values_list("pk", flat=True)[:1000])
        if not old:
            break
        Execution.objects.filter(pk__in=old).delete()
    signals.expire(timezone.now())
    metering.expire(timezone.now())
    tidy(timezone.now())


class RunnerStep(StartStopStep):
    """Starts the runner of background work and the market's leader with the Celery worker, and ends them with it."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.runner: Worker | None = None
        self.market: Driver | None = None

    def start(self, parent: Any) -> None:
        self.runner = Worker()
        self.runner.start()
        sys.setswitchinterval(SWITCH_S)
        self.market = Driver()
        self.market.start()
        collector.settle()

    def stop(self, parent: Any) -> None:
        if self.market is not None:
            self.market.stop()
            self.market = None
        if self.runner is not None:
            self.runner.stop()
            self.runner = None
