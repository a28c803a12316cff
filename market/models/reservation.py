"""A window of time with a pool of compute, paid in advance (R23 to R26)."""

from django.db import models
from django.db.models import F, Q

from billing.ids import uuid7
from billing.models import Tenant
from bundles.models import Bundle


class Status(models.TextChoices):
    UPCOMING = "upcoming"
    ACTIVE = "active"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Origin(models.TextChoices):
    HAND = "hand", "by hand"
    FUTURES = "futures"


class Reservation(models.Model):
    """Half open: it holds for a round that begins at t with start <= t < end.

    That those of one tenant do not overlap is held by the database: an exclusion constraint on PostgreSQL, a
    trigger on SQLite (migration 0002), where a migration that remakes this table must make the trigger again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="reservations")
    start = models.DateTimeField()
    end = models.DateTimeField()
    credits = models.PositiveBigIntegerField()
    pool = models.PositiveBigIntegerField()  # CU that are left
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.UPCOMING)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.HAND)
    bundle = models.ForeignKey(
        Bundle, null=True, blank=True, on_delete=models.SET_NULL, related_name="reservations"
    )  # for whose schedule it was made
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-start",)
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="reservation_has_a_length"),
            models.CheckConstraint(condition=Q(credits__gte=1), name="reservation_is_paid"),
        ]
        indexes = [
            models.Index(fields=("tenant", "start"), name="reservations_of_tenant"),
            models.Index(fields=("status", "start"), name="reservations_to_begin"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant} {self.start:%Y-%m-%d %H:%M} · {self.credits} credits · {self.status}"
