"""An account: owner of bundles, keys, secrets and one wallet; its slug is the first segment of its API."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from billing.ids import uuid7
from billing.models.plan import Plan
from billing.slugs import refuse_slug


def default_plan() -> str:
    return str(settings.DEFAULT_PLAN)


def check_slug(slug: str) -> None:
    reason = refuse_slug(slug)
    if reason:
        raise ValidationError(f"“{slug}” cannot be used: {reason}.")
    if ReleasedSlug.objects.filter(slug=slug, until__gt=timezone.now()).exists():
        raise ValidationError(f"“{slug}” was given up recently and rests for a while.")


class Tenant(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(max_length=39, unique=True, validators=[check_slug])
    name = models.CharField(max_length=100, blank=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, default=default_plan)
    # Raised by every change that the data plane must notice: a run, a key, a secret (billing/live.py).
    version = models.PositiveBigIntegerField(default=0, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug


class ReleasedSlug(models.Model):
    slug = models.CharField(max_length=39, primary_key=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.slug
