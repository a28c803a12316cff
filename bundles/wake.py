"""Waking a worker once a change is committed: the row is the truth, a lost message only costs time."""

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def later(task: str, *args: str) -> None:
    """Send ``task`` after the transaction, if it commits."""
    transaction.on_commit(partial(send, task, *args))


def send(task: str, *args: str) -> None:
    try:
        current_app.send_task(task, list(args), retry=False)
    except OperationalError as problem:
        log.warning("could not wake %s: %s", task, problem)
