"""An API key: shown once, kept as a hash, limited by scopes and an expiry."""

from django.conf import settings
from django.db import models

from billing.ids import uuid7
from billing.models.tenant import Tenant


class ApiKey(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)  # shown, so that a key can be recognised
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)  # of read, call, write
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True)
    console = models.BooleanField(default=False)  # the short-lived key of a "Try it" console

    class Meta:
        ordering = ("-created",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
