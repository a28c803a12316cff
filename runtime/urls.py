"""Pages of the runtime floor."""

from django.urls import URLPattern, path

from runtime import views_logs, views_metrics

app_name = "runtime"
urlpatterns: list[URLPattern] = [
    path("metrics", views_metrics.metrics, name="metrics"),
    path("bundles/<uuid:id>/log", views_logs.log, name="log"),
    path("bundles/<uuid:id>/goals", views_logs.goals, name="goals"),
]
