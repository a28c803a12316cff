"""Removing what has run out: invitations, short-lived keys, sessions, names that have rested."""

from datetime import datetime

from django.contrib.sessions.models import Session

from billing import allowance
from billing.models import ApiKey, Invitation, ReleasedSlug


def tidy(now: datetime) -> int:
    """How many rows went. Keys that people made stay listed after their end; those of consoles do not."""
    old = (
        Invitation.objects.filter(expires__lte=now),
        ApiKey.objects.filter(console=True, expires__lte=now),
        Session.objects.filter(expire_date__lte=now),
        ReleasedSlug.objects.filter(until__lte=now),
    )
    return sum(rows.delete()[0] for rows in old) + allowance.tidy(now)
