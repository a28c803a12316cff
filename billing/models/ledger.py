"""The ledger in double entry: a journal for each event, with legs that sum to 0; rows are only ever added (R36)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from billing.ids import uuid7
from billing.models.appendonly import AppendOnly
from billing.models.tenant import Tenant


class Account(models.TextChoices):
    WALLET = "wallet"
    ESCROW = "escrow"
    REVENUE = "revenue"
    PURCHASES = "purchases"
    GRANTS = "grants"


OWNED = (Account.WALLET, Account.ESCROW)  # accounts that each tenant has one of


class Journal(AppendOnly):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=200, unique=True)  # what happens once has one key
    kind = models.CharField(max_length=20)
    at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "journal"

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Leg(AppendOnly):
    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="legs")
    account = models.CharField(max_length=10, choices=Account.choices)
    # No constraint: entries stay when a tenant is deleted.
    tenant = models.ForeignKey(
        Tenant, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    amount = models.BigIntegerField()
    after = models.BigIntegerField(null=True)  # what the wallet held afterwards

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [  # a statement, newest first; what was spent since a time (identifiers tell it)
            models.Index(fields=("tenant", "-id"), condition=Q(account="wallet"), name="leg_of_statement"),
            models.Index(fields=("tenant", "journal"), condition=Q(account="wallet"), name="leg_since"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount=0), name="leg_moves_something"),
            models.CheckConstraint(
                condition=~Q(account__in=OWNED) | Q(tenant__isnull=False), name="leg_has_its_owner"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount:+}"
