"""The clock: the same schedule as the worker's app, at a fraction of its size."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

CODE = """
import sys
from priostack.clock import app
app.loader.import_default_modules()
print(sorted(app.conf.beat_schedule), "django.db" in sys.modules, "runtime" in sys.modules)
"""


def test_it_knows_the_schedule_and_loads_no_models(tmp_path: Path) -> None:
    env = {**os.environ, "PRIOSTACK_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "priostack.settings"}
    argv = [sys.executable, "-c", CODE]
    told = subprocess.run(argv, env=env, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == f"{sorted(settings.CELERY_BEAT_SCHEDULE)} False False"


def test_it_sends_where_the_worker_listens() -> None:
    from priostack.celery import app as worker
    from priostack.clock import app as clock

    assert clock.conf.broker_url == worker.conf.broker_url
    assert clock.conf.task_default_queue == worker.conf.task_default_queue
