"""The wiring of the floors into one project."""

from importlib import import_module

from django.apps import AppConfig

from priostack import log


class PriostackConfig(AppConfig):
    name = "priostack"
    verbose_name = "PrioStack"

    def ready(self) -> None:
        log.configure()
        import_module("priostack.celery")  # floors send tasks through Celery's current app: make it ours
