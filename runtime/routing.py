"""Addresses of the websockets."""

from django.urls import URLPattern, path

from runtime.consumers import bundle_logs, run_logs

# Plain ASGI applications: channels' router takes them where Django's types expect views.
websockets: list[URLPattern] = [
    path("ws/bundles/<uuid:id>/logs", bundle_logs),  # type: ignore[arg-type]
    path("ws/executions/<uuid:id>", run_logs),  # type: ignore[arg-type]
]
