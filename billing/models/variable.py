"""A tenant's variable: a plain value that its flows read as `vars.NAME`."""

from django.db import models

from billing.models.tenant import Tenant


class Variable(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="variables")
    name = models.CharField(max_length=100)
    value = models.JSONField(null=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("tenant", "name"), name="one_variable")]
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
