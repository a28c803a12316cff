"""Who belongs to a tenant, and in which role; invitations wait for an e-mail address to accept."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from billing.models.tenant import Tenant


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


class Membership(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created = models.DateTimeField(auto_now_add=True)
    paused = models.BooleanField("only reads, beyond the plan", default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("tenant", "user"), name="one_membership")]
        ordering = ("created",)

    def __str__(self) -> str:
        return f"{self.user} · {self.tenant} · {self.role}"


def a_week_from_now() -> datetime:
    return timezone.now() + timedelta(days=7)


class Invitation(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    digest = models.CharField(max_length=64, unique=True)  # of the token in the mailed link
    expires = models.DateTimeField(default=a_week_from_now)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("tenant", "email"), name="one_invitation")]

    def __str__(self) -> str:
        return f"{self.email} · {self.tenant}"
