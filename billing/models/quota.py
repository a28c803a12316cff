"""How much of a plan's allowance was taken: executions of a month, test runs of a day (R39)."""

from django.db import models

from billing.models.tenant import Tenant


class ExecutionQuota(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="quotas")
    period = models.CharField(max_length=10)  # in UTC: "2026-11" for executions, "2026-11-21" for test runs
    taken = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("tenant", "period"), name="one_quota")]
        ordering = ("-period",)

    def __str__(self) -> str:
        return f"{self.tenant} · {self.period} · {self.taken}"
