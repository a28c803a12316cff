"""A process of the data plane alone: no Django middleware, no sessions, no pages."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")

import django

django.setup()

from runtime.gateway import gateway as application  # noqa: E402

application.role = "edge"

__all__ = ["application"]
