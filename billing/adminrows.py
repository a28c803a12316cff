"""What the admin's tables share."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

if TYPE_CHECKING:  # generic in their stubs only
    Rows = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
else:
    Rows, Inline = admin.ModelAdmin, admin.TabularInline


class ReadOnly(Rows):
    """Rows to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
