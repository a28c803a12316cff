"""A WASM file by its content, and the names under which a tenant keeps some of them."""

from django.db import models

from billing.ids import uuid7
from billing.models import Tenant


class Binary(models.Model):
    """One content, whoever uploaded it; compiled once."""

    class State(models.TextChoices):
        COMPILING = "compiling"
        READY = "ready"
        FAILED = "failed"

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.COMPILING)
    error = models.TextField(blank=True)
    interface = models.CharField(max_length=20)
    exports = models.JSONField(default=dict)  # function name -> signature text
    imports = models.JSONField(default=list)  # "module.name" of every import
    permissions = models.JSONField(default=list)  # the same for people
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "binaries"

    def __str__(self) -> str:
        return self.sha256[:12]


class Module(models.Model):
    """An entry of the tenant's registry: `wasm:NAME:FUNCTION` finds it when the bundle has none of that name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="modules")
    name = models.CharField(max_length=100)
    binary = models.ForeignKey(Binary, on_delete=models.PROTECT, related_name="modules")
    wit = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("tenant", "name"), name="one_module")]
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
