"""Administration of the market floor: bidding may be changed, what was decided or paid is only to be looked at."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from market.models import Bidding, Leadership, Reservation, Round, Spend, SpendLimit

if TYPE_CHECKING:  # generic in their stubs only
    Rows = admin.ModelAdmin[Any]
else:
    Rows = admin.ModelAdmin


class Shown(Rows):
    """Rows that the platform writes."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Bidding)
class BiddingAdmin(Rows):
    list_display = ("tenant", "auto_bid", "bid_cap")
    list_filter = ("auto_bid",)
    search_fields = ("tenant__slug", "tenant__name")
    list_select_related = ("tenant",)
    readonly_fields = ("tenant",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Round)
class RoundAdmin(Shown):
    list_display = (
        *("number", "at", "price", "pressure", "bidders", "winners", "reserved", "free_entries", "revenue"),
        *("cu_used", "term"),
    )
    list_filter = ("at",)
    search_fields = ("=number",)
    search_help_text = "The number of a round, written exactly"
    date_hierarchy = "at"


@admin.register(Reservation)
class ReservationAdmin(Shown):
    """Made and cancelled by their owners: each step moves credits."""

    list_display = (
        "id",
        "tenant",
        "start",
        "end",
        "credits",
        "pool",
        "status",
        "origin",
        "bundle",
        "created",
    )
    list_filter = ("status", "origin", "start")
    search_fields = ("=id", "tenant__slug", "bundle__name")
    list_select_related = ("tenant", "bundle")
    date_hierarchy = "start"


@admin.register(Leadership)
class LeadershipAdmin(Shown):
    list_display = ("term", "holder", "until", "number")


@admin.register(SpendLimit)
class SpendLimitAdmin(Rows):
    list_display = ("bundle", "monthly_credits", "strangers_monthly")
    search_fields = ("bundle__name", "bundle__tenant__slug")
    list_select_related = ("bundle",)
    readonly_fields = ("bundle",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Spend)
class SpendAdmin(Shown):
    list_display = ("bundle", "month", "credits", "strangers")
    list_filter = ("month",)
    search_fields = ("bundle__name", "bundle__tenant__slug")
    list_select_related = ("bundle",)
