"""The clock's own small Celery app: it only sends names of tasks, so it loads neither the apps nor a task."""

from celery import Celery

from priostack import settings

# Without the fix-ups: Celery would set up Django as soon as it sees DJANGO_SETTINGS_MODULE.
app = Celery("clock", fixups=[])
app.config_from_object(settings, namespace="CELERY")
