"""Who changed what, when and from where; rows are only ever added."""

from django.db import models

from billing.ids import uuid7


class AuditEntry(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("billing.Tenant", null=True, on_delete=models.CASCADE, related_name="audit")
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=60)  # noun.verb, such as "bundle.run"
    target = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict)
    address = models.CharField(max_length=45, blank=True)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=("tenant", "-id"), name="audit_of_tenant")]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.target}"
