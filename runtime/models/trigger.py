"""What starts a flow, as a row: its token, its next time, its sample; the flow's file says the rest."""

import secrets

from django.db import models

from billing.ids import uuid7
from bundles.models import Flow

TOKEN_BYTES = 24  # 32 characters that an address may hold


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


class Trigger(models.Model):
    """Stable over edits of the flow: the same name keeps its token (runtime/triggers.py)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="triggers")
    name = models.CharField(max_length=100)
    type = models.CharField(max_length=10)  # webhook, schedule, manual or sensor
    token = models.CharField(max_length=64, default=new_token)
    enabled = models.BooleanField(default=True)  # paused by hand when not, whatever the file says
    schedule = models.CharField(max_length=600, blank=True)  # what next_at was worked out from
    next_at = models.DateTimeField(null=True, blank=True)  # of a schedule that runs
    last_at = models.DateTimeField(null=True, blank=True)
    sample = models.JSONField(null=True, blank=True)  # the last test call
    listening_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("flow", "name"), name="one_trigger")]
        ordering = ("flow", "name")
        indexes = [
            models.Index(fields=("next_at",), name="triggers_due", condition=models.Q(next_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name
