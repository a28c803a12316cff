"""Pages of the runtime floor."""

from django.urls import URLPattern, path

from runtime import views_checks, views_logs, views_metrics, views_runs, views_state, views_try

app_name = "runtime"
ONE = "bundles/<uuid:id>"
urlpatterns: list[URLPattern] = [
    path("metrics", views_metrics.metrics, name="metrics"),
    path("runs", views_runs.run_list, name="runs"),
    path("runs/<uuid:id>", views_runs.run_detail, name="run_detail"),
    path("runs/<uuid:id>/retry", views_runs.retry, name="retry"),
    path("runs/<uuid:id>/cancel", views_runs.cancel, name="cancel"),
    path(f"{ONE}/log", views_logs.log, name="log"),
    path(f"{ONE}/goals", views_logs.goals, name="goals"),
    path(f"{ONE}/state", views_state.status, name="status"),
    path(f"{ONE}/run", views_state.run, name="run"),
    path(f"{ONE}/stop", views_state.stop, name="stop"),
    path(f"{ONE}/fire", views_state.fire, name="fire"),
    path(f"{ONE}/fire/<str:sensor>", views_state.fire, name="fire"),
    path(f"{ONE}/try/<str:service>/<str:endpoint>", views_try.console, name="try"),
    path(f"{ONE}/tests", views_checks.tests, name="tests"),
    path("bundles/try-key", views_try.key, name="try_key"),
]
