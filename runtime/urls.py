"""Pages of the runtime floor."""

from django.urls import URLPattern, path

from runtime import (
    views_api,
    views_checks,
    views_flow,
    views_flownew,
    views_flowruns,
    views_flows,
    views_interceptors,
    views_logs,
    views_metrics,
    views_performance,
    views_prompts,
    views_resume,
    views_runs,
    views_state,
    views_triggers,
    views_try,
)

app_name = "runtime"
ONE = "bundles/<uuid:id>"
FLOW = "flow/<uuid:id>"
urlpatterns: list[URLPattern] = [
    path("metrics", views_metrics.metrics, name="metrics"),
    path("runs", views_runs.run_list, name="runs"),
    path("runs/<uuid:id>", views_runs.run_detail, name="run_detail"),
    path("runs/<uuid:id>/retry", views_runs.retry, name="retry"),
    path("runs/<uuid:id>/resume", views_runs.go_on, name="go_on"),
    path("runs/<uuid:id>/cancel", views_runs.cancel, name="cancel"),
    path("runs/<uuid:id>/pause", views_runs.pause, name="pause"),
    path(f"{ONE}/log", views_logs.log, name="log"),
    path(f"{ONE}/goals", views_logs.goals, name="goals"),
    path(f"{ONE}/performance", views_performance.contract_performance, name="performance"),
    path(f"{ONE}/interceptors", views_interceptors.interceptors, name="interceptors"),
    path(f"{ONE}/state", views_state.status, name="status"),
    path(f"{ONE}/run", views_state.run, name="run"),
    path(f"{ONE}/stop", views_state.stop, name="stop"),
    path(f"{ONE}/fire", views_state.fire, name="fire"),
    path(f"{ONE}/fire/<str:sensor>", views_state.fire, name="fire"),
    path(f"{ONE}/try/<str:service>/<str:endpoint>", views_try.console, name="try"),
    path(f"{ONE}/prompts", views_prompts.prompts, name="prompts"),
    path(f"{ONE}/prompts/<str:prompt>", views_prompts.console, name="try_prompt"),
    path(f"{ONE}/tests", views_checks.tests, name="tests"),
    path("bundles/api", views_api.api, name="api"),
    path("bundles/try-key", views_try.key, name="try_key"),
    path(
        "api/triggers/<uuid:flow_id>/resume/<uuid:execution>/<str:token>", views_resume.resume, name="resume"
    ),
    path("flows", views_flows.flow_list, name="flows"),
    path("flows/new", views_flownew.new, name="flow_new"),
    path(FLOW, views_flow.editor, name="flow"),
    path(f"{FLOW}/yaml", views_flow.yaml, name="flow_yaml"),
    path(f"{FLOW}/runs", views_flow.flow_runs, name="flow_runs"),
    path(f"{FLOW}/runs/many", views_flowruns.many, name="flow_many"),
    path(f"{FLOW}/runs/compare", views_flowruns.compare, name="flow_compare"),
    path(f"{FLOW}/triggers", views_triggers.flow_triggers, name="flow_triggers"),
    path(f"{FLOW}/memory", views_flow.memory, name="flow_memory"),
    path(f"{FLOW}/settings", views_flow.settings, name="flow_settings"),
    path(f"{FLOW}/start", views_flows.start, name="flow_start"),
    path(f"{FLOW}/stop", views_flows.stop, name="flow_stop"),
    path(f"{FLOW}/star", views_flows.star, name="flow_star"),
    path(f"{FLOW}/duplicate", views_flows.duplicate, name="flow_duplicate"),
    path(f"{FLOW}/delete", views_flows.delete, name="flow_delete"),
]
