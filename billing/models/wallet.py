"""What a tenant has to spend; written only by billing/wallet.py, where every change is an entry of the ledger."""

from django.db import models
from django.db.models import F, Q

from billing.models.tenant import Tenant

MOST = 10**15  # credits in one wallet: exact in JSON, and far from the end of 64 bits


class Wallet(models.Model):
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="wallet")
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField("held in escrow", default=0)
    low_at = models.PositiveBigIntegerField("told when below", default=10)
    # when the owners were told that the balance is low; emptied when it is high again
    warned = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(balance__gte=0) & Q(balance__lte=MOST), name="wallet_never_negative"
            ),
            models.CheckConstraint(
                condition=Q(held__gte=0) & Q(held__lte=MOST), name="escrow_never_negative"
            ),
        ]
        ordering = ("tenant",)
        indexes = [
            models.Index(
                fields=("tenant",), condition=Q(warned=None, balance__lt=F("low_at")), name="wallets_to_tell"
            ),
            models.Index(fields=("tenant",), condition=~Q(warned=None), name="wallets_told"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant} · {self.balance} credits"
