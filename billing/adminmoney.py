"""The admin of money: a ledger to look at, and credits given or taken by new entries, for a reason."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing import credits, wallet
from billing.adminrows import Inline, ReadOnly
from billing.audit import address
from billing.ids import uuid7_text
from billing.models import AuditEntry, Leg, Wallet

MOST = 1_000  # wallets of one adjustment


class AdjustForm(forms.Form):
    credits = forms.IntegerField(min_value=1, max_value=credits.MOST)
    reason = forms.CharField(max_length=500, help_text="It stands in the tenant's statement.")
    once = forms.CharField(max_length=40, widget=forms.HiddenInput)  # a second click posts nothing


class WalletAdmin(ReadOnly):
    list_display = ("tenant", "balance", "held", "low_at", "warned")
    list_filter = ("warned",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug", "tenant__name")
    actions = ("grant_credits", "take_credits")

    def has_adjust_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_wallet")

    @admin.action(description="Grant credits…", permissions=["adjust"])
    def grant_credits(self, request: HttpRequest, rows: QuerySet[Wallet]) -> HttpResponse | None:
        return self.adjust(request, rows, "grant")

    @admin.action(description="Take credits…", permissions=["adjust"])
    def take_credits(self, request: HttpRequest, rows: QuerySet[Wallet]) -> HttpResponse | None:
        return self.adjust(request, rows, "take")

    def adjust(self, request: HttpRequest, rows: QuerySet[Wallet], verb: str) -> HttpResponse | None:
        """Ask how many and why; then all of the chosen wallets are adjusted, or none."""
        form = AdjustForm(request.POST if "once" in request.POST else None, initial={"once": uuid7_text()})
        chosen = list(rows.select_related("tenant").order_by("pk")[:MOST])
        if form.is_valid():
            try:
                posted(request, chosen, verb, form.cleaned_data)
            except (wallet.Insufficient, ValueError) as refused:
                form.add_error("credits", str(refused))
            else:
                self.message_user(request, f"{len(chosen)} wallets were adjusted.", messages.SUCCESS)
                return None
        shown = {
            **self.admin_site.each_context(request),
            "title": "Grant credits" if verb == "grant" else "Take credits",
            "verb": verb,
            "wallets": chosen,
            "form": form,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/billing/wallet/adjust.html", shown)


@transaction.atomic
def posted(request: HttpRequest, wallets: list[Wallet], verb: str, given: dict[str, Any]) -> None:
    act = wallet.grant if verb == "grant" else wallet.take
    actor = str(request.user)
    for one in wallets:
        key = f"admin:{verb}:{given['once']}:{one.pk}"
        if act(one.pk, given["credits"], key=key, note=given["reason"], actor=actor):
            AuditEntry.objects.create(
                tenant=one.tenant,
                actor=actor,
                action=f"wallet.{verb}",
                target=str(given["credits"]),
                detail={"reason": given["reason"]},
                address=address(request),
            )


class LegInline(Inline):
    model = Leg
    extra = 0
    fields = readonly_fields = ("account", "tenant_id", "amount", "after")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class JournalAdmin(ReadOnly):
    list_display = ("at", "kind", "key", "note", "actor")
    list_filter = ("kind", "at")
    search_fields = ("key", "note", "actor")
    date_hierarchy = "at"
    inlines = (LegInline,)


class LegAdmin(ReadOnly):
    list_display = ("id", "journal", "account", "tenant_id", "amount", "after")
    list_filter = ("account", "journal__kind")
    list_select_related = ("journal",)
    search_fields = ("tenant__slug", "journal__key", "journal__note")
    show_full_result_count = False
    fields = ("journal", "account", "tenant_id", "amount", "after")
    readonly_fields = fields


class QuotaAdmin(ReadOnly):
    list_display = ("tenant", "period", "taken")
    list_filter = ("period",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug", "period")
