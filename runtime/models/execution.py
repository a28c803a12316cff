"""One run of a tenant's work, from arrival to answer (ARCHITECTURE §5)."""

from django.db import models

from billing.models import Tenant
from bundles.models import Bundle


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCESS = "success"
    ERROR = "error"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    REFUSED = "refused"


# The only changes a status may make; every writer goes through runtime/executions.py, which compares and sets.
CHANGES: dict[str, frozenset[str]] = {
    "queued": frozenset({"running", "cancelled", "refused", "timeout", "error", "success"}),
    # refused: it had begun to wait for compute, or to run, when its time in the queue was over (MARKET R28)
    "running": frozenset({"waiting", "queued", "success", "error", "timeout", "cancelled", "refused"}),
    "waiting": frozenset({"running", "queued", "success", "error", "timeout", "cancelled", "refused"}),
    "success": frozenset(),
    "error": frozenset(),
    "timeout": frozenset(),
    "cancelled": frozenset(),
    "refused": frozenset(),
}


class Trigger(models.TextChoices):
    API = "api"
    WEBHOOK = "webhook"
    SCHEDULE = "schedule"
    MANUAL = "manual"
    SENSOR = "sensor"
    FORM = "form"
    GRAPHQL = "graphql"
    RETRY = "retry"
    TEST = "test"


class Execution(models.Model):
    id = models.UUIDField(primary_key=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="executions")
    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="executions")
    revision = models.PositiveIntegerField()
    service = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=100, blank=True)  # the endpoint or intent
    target = models.CharField(max_length=300)
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    status = models.CharField(max_length=10, choices=State.choices)
    created = models.DateTimeField()
    started = models.DateTimeField(null=True)
    completed = models.DateTimeField(null=True)
    duration_us = models.PositiveBigIntegerField(default=0)
    units_estimated = models.PositiveIntegerField(default=0)
    units_used = models.PositiveIntegerField(default=0)
    price = models.PositiveIntegerField(default=0)
    spent = models.PositiveBigIntegerField(default=0)  # credits that were booked on it, over all its rounds
    waited_us = models.PositiveBigIntegerField(
        default=0
    )  # for compute, until its first round and between rounds
    degraded = models.BooleanField(default=False)  # it was cut to one entry (fallbackBehavior: degrade)
    round = models.PositiveBigIntegerField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    input = models.TextField(blank=True)  # JSON, cut at the cap of runtime/record.py
    output = models.TextField(blank=True)
    error = models.TextField(blank=True)
    steps = models.JSONField(default=list)
    logs = models.JSONField(default=list)  # [[milliseconds, level, text], …]
    caller = models.CharField(max_length=200, blank=True)
    parent = models.UUIDField(null=True)  # the run that fired or is retried by this one
    depth = models.PositiveSmallIntegerField(default=0)  # how many fires lie behind it
    rank = models.PositiveSmallIntegerField(default=2)  # 0 critical … 3 low: the order of waiting ones
    attempts = models.PositiveSmallIntegerField(default=0)  # tries that the tenant's code failed
    restarts = models.PositiveSmallIntegerField(default=0)  # tries that ended with their worker
    due = models.DateTimeField(null=True)  # a queued one starts no earlier
    expires = models.DateTimeField(null=True)  # a queued one starts no later
    leased_until = models.DateTimeField(null=True)
    lease = models.CharField(max_length=80, blank=True)  # the worker that holds it
    cancel_asked = models.BooleanField(default=False)
    # It begins nothing until somebody lets it go on.
    paused = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("tenant", "-id"), name="runs_of_tenant"),
            models.Index(fields=("bundle", "-id"), name="runs_of_bundle"),
            models.Index(fields=("tenant", "status", "-id"), name="runs_by_status"),
            models.Index(fields=("parent",), name="runs_of_parent", condition=models.Q(parent__isnull=False)),
            models.Index(
                fields=("rank", "due"),
                name="runs_to_do",
                condition=models.Q(status__in=("queued", "running", "waiting")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def short(self) -> str:
        """The end of the id: its beginning is the time, which runs of the same second share."""
        return str(self.id)[-8:]
