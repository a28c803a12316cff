"""A tier and its limits (MARKET I); rows are edited in the admin, null means unlimited."""

from django.db import models


class Plan(models.Model):
    slug = models.SlugField(primary_key=True)
    name = models.CharField(max_length=60)
    flows = models.PositiveIntegerField(null=True, blank=True)
    executions = models.PositiveIntegerField("executions a month", null=True, blank=True)
    modules = models.PositiveIntegerField("custom WASM modules", null=True, blank=True)
    memory_mb = models.PositiveIntegerField("project memory, MB", null=True, blank=True)
    keep_alive = models.BooleanField("flows stay loaded when nobody calls", default=True)
    members = models.PositiveIntegerField(null=True, blank=True)
    starter_credits = models.PositiveIntegerField("credits of a new tenant", default=0)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("order",)

    def __str__(self) -> str:
        return self.name
