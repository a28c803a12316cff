"""Administration of the runtime floor: history and figures, only to be looked at."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from runtime.models import Bucket, Execution, GoalState, Trigger, Usage


class Shown(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that the platform writes; nobody changes history here."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Execution)
class ExecutionAdmin(Shown):
    list_display = (
        "id",
        "tenant",
        "bundle",
        "service",
        "name",
        "trigger",
        "status",
        "http_status",
        "units_used",
        "milliseconds",
        "created",
    )
    list_filter = ("status", "trigger", "created")
    search_fields = ("=id", "=tenant__slug", "=bundle__name", "=service", "=name", "=caller")
    search_help_text = "An id, a tenant, a bundle, a service, an endpoint or a caller, written exactly"
    list_select_related = ("tenant", "bundle")
    list_per_page = 50

    @admin.display(description="ms", ordering="duration_us")
    def milliseconds(self, run: Execution) -> str:
        return f"{run.duration_us / 1000:,.1f}"


@admin.register(Bucket)
class BucketAdmin(Shown):
    list_display = ("bundle", "service", "name", "signal", "second", "count", "errors", "down", "total")
    list_filter = ("signal",)
    search_fields = ("bundle__name", "service", "name", "signal")
    list_select_related = ("bundle",)


@admin.register(Usage)
class UsageAdmin(Shown):
    list_display = (
        "bundle",
        "service",
        "name",
        "target",
        "window",
        "calls",
        "p50",
        "p95",
        "max",
        "spent",
        "updated",
    )
    search_fields = ("bundle__name", "bundle__tenant__slug", "service", "name", "target")
    list_select_related = ("bundle",)


@admin.register(GoalState)
class GoalStateAdmin(Shown):
    list_display = ("bundle", "service", "goal", "metric", "state", "value", "target", "at")
    list_filter = ("state", "at")
    search_fields = ("bundle__name", "bundle__tenant__slug", "service", "goal", "metric")
    list_select_related = ("bundle",)


@admin.register(Trigger)
class TriggerAdmin(Shown):
    """Without tokens and samples: those are the tenant's own."""

    list_display = ("name", "type", "flow", "enabled", "next_at", "last_at")
    list_filter = ("type", "enabled", "next_at")
    search_fields = ("name", "flow__name", "flow__bundle__tenant__slug", "=flow__id")
    list_select_related = ("flow",)
    exclude = ("token", "sample")
