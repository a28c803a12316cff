"""How a tenant bids: its toggle and its cap (R19, R21); without a row it does not bid."""

from django.db import models

from billing.models import Tenant


class Bidding(models.Model):
    tenant = models.OneToOneField(
        Tenant, primary_key=True, on_delete=models.CASCADE, related_name="bidding", editable=False
    )
    auto_bid = models.BooleanField(default=False)
    bid_cap = models.PositiveBigIntegerField("credits a round at most", default=0, help_text="0 is no cap")

    class Meta:
        verbose_name_plural = "bidding"

    def __str__(self) -> str:
        return f"{self.tenant} · {'on' if self.auto_bid else 'off'} · {self.bid_cap or 'no cap'}"
