"""A tenant's secret: encrypted, write-only, bound to the hosts it may be sent to."""

from django.db import models

from billing.models.tenant import Tenant


class Secret(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=100)
    sealed = models.BinaryField(editable=False)
    hosts = models.JSONField(default=list)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("tenant", "name"), name="one_secret")]
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
