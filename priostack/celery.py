"""Celery: it only wakes; what there is to do stands in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")

app = Celery("priostack")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["billing", "bundles", "runtime"])


@app.on_after_finalize.connect
def add_runner(sender: Celery, **_: object) -> None:
    """The runner lives in the worker's process (ARCHITECTURE §3)."""
    from runtime.tasks import RunnerStep

    sender.steps["worker"].add(RunnerStep)
