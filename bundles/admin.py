"""Administration of bundles; what is written once is only shown."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from bundles import registry, store
from bundles.models import Binary, Bundle, Flow, Module, Revision


class Shown(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that nobody changes here: they follow from files."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Kept(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that people make elsewhere; deleting one here does all that deleting it there does."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)


@admin.register(Bundle)
class BundleAdmin(Kept):
    list_display = ("name", "tenant", "status", "revision", "live_revision", "updated")
    list_filter = ("status", "created", "updated")
    search_fields = ("name", "display_name", "tenant__slug", "id")
    list_select_related = ("tenant",)
    readonly_fields = (
        "tenant",
        "name",
        "status",
        "revision",
        "live_revision",
        "live_modules",
        "status_note",
        "source",
        "created",
        "updated",
    )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Revisions and runs cannot be deleted by themselves, but they go with their bundle."""
        found, counts, _, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(), protected

    def delete_model(self, request: HttpRequest, obj: Bundle) -> None:
        store.delete(f"admin:{request.user}", obj)


@admin.register(Revision)
class RevisionAdmin(Shown):
    list_display = ("bundle", "number", "author", "message", "errors", "created")
    list_filter = ("created",)
    search_fields = ("bundle__name", "bundle__tenant__slug", "author", "message")
    list_select_related = ("bundle",)


@admin.register(Binary)
class BinaryAdmin(Shown):
    list_display = ("__str__", "state", "interface", "size", "error", "created")
    list_filter = ("state", "interface", "created")
    search_fields = ("sha256", "error")


@admin.register(Module)
class ModuleAdmin(Kept):
    list_display = ("name", "tenant", "binary", "updated")
    list_filter = ("binary__state", "binary__interface")
    search_fields = ("name", "tenant__slug", "binary__sha256")
    list_select_related = ("tenant", "binary")
    readonly_fields = ("tenant", "name", "binary", "created", "updated")

    def delete_model(self, request: HttpRequest, obj: Module) -> None:
        registry.remove(f"admin:{request.user}", obj)


@admin.register(Flow)
class FlowAdmin(Shown):
    list_display = ("name", "bundle", "folder", "stopped", "updated")
    list_filter = ("stopped", "created", "updated")
    search_fields = ("name", "bundle__name", "bundle__tenant__slug", "folder", "=id")
    list_select_related = ("bundle",)
