"""A bundle and its immutable revisions."""

from django.db import models

from billing.ids import uuid7
from billing.models import Tenant


class Status(models.TextChoices):
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    ERROR = "error"


class Bundle(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="bundles")
    name = models.CharField(max_length=100)  # its identity, from bundle.yaml (X06)
    display_name = models.CharField(max_length=100, blank=True)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.STOPPED)
    status_note = models.TextField(blank=True)  # why it is in error
    revision = models.PositiveIntegerField(default=0)  # number of the newest
    live_revision = models.PositiveIntegerField(null=True, blank=True)  # number of the one that runs
    # Module name -> SHA-256 as resolved when it was started: a newer upload does not change what runs (A071).
    live_modules = models.JSONField(default=dict, blank=True)
    # Where it came from: {"git": url, "branch": …, "commit": …, "token": secret's name, "deploy": bool}
    source = models.JSONField(default=dict, blank=True)
    hook_secret = models.BinaryField(null=True, blank=True, editable=False)  # sealed; signs push webhooks
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("tenant", "name"), name="one_bundle")]
        ordering = ("name",)

    def __str__(self) -> str:
        return self.display_name or self.name


class Revision(models.Model):
    """What a bundle's files were at one time; never changed after it is written."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    files = models.JSONField(default=dict)  # path -> [sha256, size]
    problems = models.JSONField(default=list)
    author = models.CharField(max_length=200)
    message = models.CharField(max_length=300)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("bundle", "number"), name="one_revision")]
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"{self.bundle} r{self.number}"

    @property
    def errors(self) -> int:
        return sum(problem["severity"] == "error" for problem in self.problems)
