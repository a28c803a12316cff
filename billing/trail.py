"""Reading the audit log of one tenant."""

from uuid import UUID

from django.db.models import QuerySet

from billing.models import AuditEntry


def trail(
    tenant_id: UUID, *, action: str = "", actor: str = "", before: UUID | None = None
) -> QuerySet[AuditEntry]:
    """Newest first; ``action`` is the beginning of one ("key", "key.create"), ``actor`` a part of a name."""
    rows = AuditEntry.objects.filter(tenant_id=tenant_id)
    if action:
        rows = rows.filter(action__startswith=clean(action))
    if actor:
        rows = rows.filter(actor__icontains=clean(actor))
    return rows.filter(pk__lt=before) if before else rows


def clean(text: str) -> str:
    return text.replace("\0", "")  # PostgreSQL would refuse the whole query
