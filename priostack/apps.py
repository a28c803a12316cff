"""The wiring of the floors into one project."""

from django.apps import AppConfig


class PriostackConfig(AppConfig):
    name = "priostack"
    verbose_name = "PrioStack"
