"""What the calls of one endpoint, intent, flow or function took within a day: compute, waits, refusals, credits."""

from django.db import models
from django.utils.timezone import now

from bundles.models import Bundle


class Usage(models.Model):
    """``service`` and ``name`` are empty for a function as a step of flows; then only its compute is counted."""

    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="usage")
    service = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=100, blank=True)  # the endpoint, intent or flow
    target = models.CharField(max_length=300)
    window = models.PositiveBigIntegerField()  # Unix time at which the day begins, UTC
    calls = models.PositiveBigIntegerField(default=0)  # all that ended, whichever way
    count = models.PositiveBigIntegerField(default=0)  # of these, calls whose compute was measured
    p50 = models.PositiveIntegerField(default=0)  # CU
    p95 = models.PositiveIntegerField(default=0)
    max = models.PositiveIntegerField(default=0)
    used = models.PositiveBigIntegerField(default=0)  # CU, the sum
    estimated = models.PositiveBigIntegerField(default=0)  # CU these calls were expected to need, the sum
    histogram = models.JSONField(default=dict)  # step of runtime/quantile.py -> calls, of CU
    recent = models.JSONField(default=list)  # CU of the last ones, the newest at the end
    waits = models.JSONField(default=dict)  # step -> calls that waited for compute, of microseconds
    refused = models.JSONField(default=dict)  # reason -> calls
    degraded = models.PositiveBigIntegerField(default=0)
    retried = models.PositiveBigIntegerField(default=0)
    spent = models.PositiveBigIntegerField(default=0)  # credits
    dearest = models.PositiveBigIntegerField(default=0)  # credits of the call that cost most
    updated = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("bundle", "service", "name", "target", "window"), name="one_usage_a_day"
            )
        ]
        indexes = [
            models.Index(fields=("bundle", "window"), name="usage_of_bundle"),
            models.Index(fields=("window",), name="usage_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.service} · {self.name} · {self.target} · {self.window}"
