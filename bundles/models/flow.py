"""A flow of a bundle as a row: what its file cannot hold, such as where its nodes stand on the canvas."""

from django.db import models

from billing.ids import uuid7
from bundles.models.bundle import Bundle


class Flow(models.Model):
    """Made when a revision first has the flow, gone when one no longer has it (bundles/flowrows.py)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="flows")
    name = models.CharField(max_length=100)  # `flow:NAME`
    path = models.CharField(max_length=240)  # of its file in the newest revision
    description = models.TextField(blank=True)  # given beside the text; the text's own comes second
    folder = models.CharField(max_length=100, blank=True)
    tags = models.JSONField(default=list, blank=True)
    starred_by = models.JSONField(default=list, blank=True)  # ids of the users whose favourite it is
    canvas = models.JSONField(default=dict, blank=True)  # positions, notes, viewport: the editor's own
    stopped = models.BooleanField(default=False)  # by itself, whatever its bundle does
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("bundle", "name"), name="one_flow")]
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name
