"""A round of the market as it was decided (R38); written once, in the transaction that charged for it."""

from django.db import models


class Round(models.Model):
    """Bidding rounds, free rounds that drew from a pool, and for other active seconds one sum of their short rounds."""

    number = models.BigIntegerField(primary_key=True)  # floor(Unix time / ROUND_SECONDS)
    at = models.DateTimeField(db_index=True)
    price = models.PositiveBigIntegerField(default=0)  # 0 is free
    pressure = models.PositiveBigIntegerField(default=0)  # waiting entries at its start
    bidders = models.PositiveIntegerField(default=0)
    winners = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)  # accounts that were served from their pools
    free_entries = models.PositiveIntegerField(default=0)
    revenue = models.PositiveBigIntegerField(default=0)
    cu_used = models.PositiveBigIntegerField(default=0)
    term = models.PositiveBigIntegerField(default=0)
    bids = models.JSONField(default=dict, blank=True)  # tenant -> cap
    won = models.JSONField(default=list, blank=True)  # tenants
    drawn = models.JSONField(default=dict, blank=True)  # tenant -> CU of its pool
    served = models.JSONField(
        default=list, blank=True
    )  # [action, CU, source, credits booked], then whom to refund
    ended = models.JSONField(default=list, blank=True)  # [action, "failed" or "expired"]

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"round {self.number} at {self.price}"
